"""The rows behind the sheet What-if: each client and tax year on Form 8606, under a name of its own to choose by."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from reports.sheet import prose, safe_text

#: Dollars the form is computed from, and how far an amount may go; null where not known.
INPUTS = (
    "line_1",
    "line_2",
    "line_7",
    "line_8",
    "pool",
    "deductible",
    "contributed",
    "contributed_in_year",
    "disaster_distributions",
    "contribution_room",
    "deduction_room",
    "hsa_room",
)
#: Yes or no, as 1 or 0.
FLAGS = ("year_has_ended", "three_places", "worksheet_1_1", "part_2_only")
LINES = tuple(f"line_{n}" for n in (*range(1, 15), "15a", "15b", "15c", 16, 17, 18))

POOL_MISSING = " What is in the IRAs isn't known ({}), so nothing can be taken out of them here."
#: Characters of a name in the list; of the reasons on the sheet (all of them are on Pro-rata).
NAME_LENGTH = 80
REASONS_LENGTH = 420


def what_if_rows(run: Path, forms: pl.DataFrame) -> pl.DataFrame:
    """One row per client and tax year of `forms` (Form 8606 with clients, as the sheet Pro-rata shows it).

    `choice` is what the drop-down lists: unique among one advisor's rows whatever their case, and never something a
    spreadsheet takes for a formula, a number or a date. Columns `in_*` are what the form was computed from, `line_*`
    the engine's lines, `about`, `plan_note` and `hsa_note` sentences. Empty for a run that kept no inputs.
    """
    path = run / "derived" / "what_if.parquet"
    if not path.exists():
        return pl.DataFrame(schema={"advisor_id": pl.String})
    inputs = pl.read_parquet(path).select(
        "person_id",
        "tax_year",
        "rate",
        "pool_missing",
        "plan_note",
        "hsa_note",
        "all_iras_reported",
        *(pl.col(c).alias(f"in_{c}") for c in INPUTS),
        *(pl.col(c).cast(pl.Int64).alias(f"in_{c}") for c in FLAGS),
    )
    rows = forms.join(inputs, on=["person_id", "tax_year"], how="inner", validate="1:1", maintain_order="left")
    return rows.with_columns(
        _choices(),
        _about().alias("about"),
        _sentence("plan_note", "Into a plan (pre-tax money only, if the plan takes it): ", "no plan is known"),
        _sentence("hsa_note", "Into an HSA (once in a lifetime): ", "nothing is known"),
    )  # fmt: skip


def _choices() -> pl.Expr:
    """The client's name and the tax year, with the person's id where an advisor has two of one name."""
    name = pl.col("client").map_elements(listed_name, return_dtype=pl.String, skip_nulls=False)
    person = pl.col("person_id").map_elements(lambda text: " ".join(safe_text(text).split()), return_dtype=pl.String)
    namesakes = pl.col("person_id").n_unique().over("advisor_id", name.str.to_lowercase())
    named = pl.when(namesakes > 1).then(pl.format("{} ({})", name, person)).otherwise(name)
    listed = pl.format("{} · {}", named, pl.col("tax_year"))
    nth = pl.int_range(pl.len()).over("advisor_id", listed.str.to_lowercase()) + 1
    return pl.when(nth > 1).then(pl.format("{} no. {}", listed, nth)).otherwise(listed).alias("choice")


def listed_name(client: str | None) -> str:
    """A client's name as the list shows it: on one line, not endless, and starting with a letter."""
    name = " ".join(safe_text(client or "").split())[:NAME_LENGTH].strip()
    return name if name[:1].isalpha() else f"Client {name}".strip()


def _about() -> pl.Expr:
    """What the reader must know of the form before changing anything."""
    reasons = pl.col("reasons").str.slice(0, REASONS_LENGTH) + pl.when(
        pl.col("reasons").str.len_chars() > REASONS_LENGTH
    ).then(pl.lit(" … (the rest is on Pro-rata)")).otherwise(pl.lit(""))
    judged = (
        pl.when(pl.col("status") == "UNKNOWN")
        .then(pl.format("No numbers until this is put right (see Data problems): {}.", reasons))
        .when(pl.col("status") == "REVIEW")
        .then(pl.format("Look at this first: {}.", reasons))
        .otherwise(pl.lit("Every input was known."))
    )
    line_6 = (
        pl.when(pl.col("status") == "UNKNOWN")
        .then(pl.lit(""))
        .when(pl.col("pool_missing").is_not_null())
        .then(pl.format(POOL_MISSING, "pool_missing"))
        .when(pl.col("in_year_has_ended") == 0)
        .then(pl.lit(" Line 6 is projected from the newest balances; what will count is December 31."))
        .otherwise(pl.lit(""))
    )  # fmt: skip
    confirmed = (
        pl.when((pl.col("status") == "COMPUTED") & pl.col("all_iras_reported").is_null())
        .then(pl.lit(" Nobody has confirmed that all of the client's IRAs are in the book."))
        .otherwise(pl.lit(""))
    )
    return pl.concat_str(judged, line_6, confirmed).map_elements(prose, return_dtype=pl.String)


def _sentence(column: str, lead: str, otherwise: str) -> pl.Expr:
    told = pl.format("{}{}", pl.lit(lead), pl.col(column).fill_null(otherwise))
    return pl.when(pl.col("status") == "UNKNOWN").then(pl.lit("")).otherwise(told).alias(column)
