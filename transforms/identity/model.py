"""What a likeness is worth: the declared weights by which Splink scores two records.

The weights are stated, not learned from the book, so that a pair scores the same in every book and nobody's result
moves with who else is in it. A level's m is how often it is seen between two records of one human, u between two of
different humans; m / u is the evidence. Levels are tried in order, the first that fits counts.
"""

from __future__ import annotations

from typing import Any

#: Suggestions below this probability aren't told at all.
SUGGEST_AT = 0.5
#: From here on a suggestion that would add IRA money makes the person's Form 8606 REVIEW.
REVIEW_AT = 0.8
#: A key (a name, a birth date) that more records share than this makes no pairs: it bounds the work.
MOST_ALIKE = 100
#: How likely two records that share no evidence at all are one human.
PRIOR = 1e-4

Level = tuple[str, str, float, float]

_NO_DIGITS = "not regexp_matches({a} || {b}, '[0-9]')"


def _alike(column: str, shortest: int) -> str:
    a, b = f"{column}_l", f"{column}_r"
    return (
        f"least(length({a}), length({b})) >= {shortest} and {_NO_DIGITS.format(a=a, b=b)}"
        f" and (jaro_winkler_similarity({a}, {b}) >= 0.9 or damerau_levenshtein({a}, {b}) <= 1)"
    )


def _cut_short(column: str, shortest: int) -> str:
    a, b = f"{column}_l", f"{column}_r"
    return f"least(length({a}), length({b})) >= {shortest} and (starts_with({a}, {b}) or starts_with({b}, {a}))"


_WORD_L, _WORD_R = "split_part(given_l, ' ', 1)", "split_part(given_r, ' ', 1)"
_FIRST_WORD = f"{_WORD_L} = {_WORD_R} and length({_WORD_L}) > 1"
_INITIAL = f"least(length({_WORD_L}), length({_WORD_R})) = 1 and left(given_l, 1) = left(given_r, 1)"
_SHARED_WORD = "list_has_any(string_split(family_l, ' '), string_split(family_r, ' '))"
_BIRTH_SLIP = (
    "damerau_levenshtein(birth_l, birth_r) <= 1"
    " or (birth_l[6:7] = birth_r[9:10] and birth_l[9:10] = birth_r[6:7] and left(birth_l, 4) = left(birth_r, 4))"
)

#: By field: (what the level is called, its condition, m, u). `missing` levels are added for every field.
FIELDS: dict[str, tuple[Level, ...]] = {
    "given": (
        ("given name", "given_l = given_r", 0.80, 0.008),
        ("first given name", _FIRST_WORD, 0.06, 0.001),
        ("given name cut short", _cut_short("given", 3), 0.03, 0.001),
        ("given name but for a slip", _alike("given", 4), 0.05, 0.005),
        ("initial", _INITIAL, 0.10, 0.012),
        ("", "else", 0.0002, 0.97),
    ),
    "family": (
        ("family name", "family_l = family_r", 0.80, 0.0027),
        ("part of the family name", _SHARED_WORD, 0.08, 0.0015),
        ("family name cut short", _cut_short("family", 4), 0.03, 0.0006),
        ("family name but for a slip", _alike("family", 5), 0.05, 0.001),
        ("", "else", 0.01, 0.99),
    ),
    "birth": (
        ("birth date", "birth_l = birth_r", 0.95, 0.0002),
        ("birth date but for a slip", _BIRTH_SLIP, 0.04, 0.0006),
        ("", "else", 0.001, 0.99),
    ),
    "tax": (
        ("tax id", "tax_l = tax_r", 0.98, 0.000001),
        ("", "else", 0.0001, 0.99),
    ),
    "household": (
        ("household", "household_l = household_r", 0.7, 0.14),
        ("", "else", 0.3, 0.6),
    ),
    "advisor": (
        ("advisor", "advisor_l = advisor_r", 0.9, 0.3),
        ("", "else", 0.1, 0.2),
    ),
    # two known generations that differ never get here; one that only one record states tells father and son apart
    "generation": (
        ("generation", "generation_l = generation_r", 0.5, 0.25),
        ("", "else", 0.0001, 0.9),
    ),
}  # fmt: skip
_ONE_GENERATION: Level = ("", "(generation_l is null) <> (generation_r is null)", 0.05, 0.9)


def _comparison(field: str, levels: tuple[Level, ...]) -> dict[str, Any]:
    missing = {
        "sql_condition": f"{field}_l is null or {field}_r is null",
        "is_null_level": True,
        "label_for_charts": "missing",
    }
    if field == "generation":
        missing["sql_condition"] = "generation_l is null and generation_r is null"
        levels = (_ONE_GENERATION, *levels)
    return {
        "output_column_name": field,
        "comparison_levels": [
            missing,
            *(
                {
                    "sql_condition": condition,
                    "label_for_charts": name or "differs",
                    "m_probability": m,
                    "u_probability": u,
                }
                for name, condition, m, u in levels
            ),
        ],
    }


def settings() -> dict[str, Any]:
    """Splink's settings: the declared weights, every pair given by its id, nothing estimated."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": PRIOR,
        "blocking_rules_to_generate_predictions": ["l.suggestion_id = r.suggestion_id"],
        "comparisons": [_comparison(field, levels) for field, levels in FIELDS.items()],
        "additional_columns_to_retain": ["suggestion_id"],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }


def agreement(field: str) -> str:
    """SQL that says, of a candidate pair, what about a field is alike; null where nothing is."""
    cases = "".join(f" when {condition} then '{name}'" for name, condition, *_ in FIELDS[field] if name)
    return f"case when {field}_l is null or {field}_r is null then null{cases} end"
