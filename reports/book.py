"""What a run knows, read once and shaped for people: clients by name, numbers blank where UNKNOWN, text masked.

`Book.advisors` says who gets a workbook. Every frame with a person carries `client`, `household_id` and `advisor_id` of
the persons table, and `of_each_advisor` is the one place where rows are chosen for an advisor.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from reports.exceptions import exceptions, with_years, years_in_words
from reports.firm_frames import firm_frames
from reports.fixes import where_stated
from reports.marks import with_marks
from reports.sheet import prose
from reports.what_if_rows import what_if_rows
from schemas.accounts import show_account
from schemas.marks import clean_mark
from schemas.questions import what_to_do
from schemas.tables import MONEY, RESULT_TABLES, STANDINGS

NOT_LISTED = "advisor not in the advisors file"

#: Result tables with a status, and what each is called where it is blocked.
JUDGED = {
    "form_8606": "Form 8606",
    "ira_limits": "IRA limits",
    "mega_backdoor": "Mega backdoor room",
    "elective_deferrals": "Elective deferrals",
}
#: Findings about data that an UNKNOWN result of the same client tells already, with its reason and its fix.
TOLD_BY_UNKNOWN = (
    "ambiguous_transaction",
    "basis_unknown",
    "december_31_value_missing",
    "mega_unknown",
    "pro_rata_unknown",
    "row_set_aside",
)
DATA_RULES = (
    *TOLD_BY_UNKNOWN,
    "account_not_in_full_file",
    "account_owner_contested",
    "basis_above_value",
    "basis_not_carried",
    "birth_date_conflict",
    "inherited_looks_like_own",
    "own_looks_inherited",
    "possible_same_person",
    "row_names_nobody",
    "shared_tax_id",
    "stale_or_missing_feed",
    "tax_form_mismatch",
    "unmapped_code",
    "unmatched_account",
)

LIMITS_USED = pl.Schema(
    {"tax_year": pl.Int32(), "key": pl.String(), "filing_status": pl.String(), "value": MONEY, "authority": pl.String()}
)

#: What a data problem that is no missing fact of an UNKNOWN result is said to block.
MAY_CHANGE = "may change a client's numbers"

#: The columns of `data_problems`: what is missing, what to do about it, and where operations states the answer.
DATA_PROBLEM = (
    "person_id",
    "client",
    "household_id",
    "advisor_id",
    "tax_year",
    "years",
    "blocks",
    "missing",
    "fix",
    "stated_in",
    "rule",
)

CLIENT_ORDER = ("household_id", "family_name", "given_name", "person_id")


#: Frames with rows of one advisor's clients each, and the ones that say nothing of any client.
OWNED = (
    *JUDGED,
    "accounts",
    "backdoor",
    "data_problems",
    "exceptions",
    "findings",
    "households",
    "persons",
    "what_if",
)
SHARED = ("limits", "sources")


@dataclass(frozen=True)
class Advisor:
    """One advisor with at least one client: id, name, and the workbook's file name."""

    advisor_id: str
    name: str
    file_name: str


@dataclass(frozen=True)
class Book:
    """Every frame the workbooks show, and what they rest on."""

    as_of: date
    tax_years: tuple[int, ...]
    fingerprint: str
    version: str
    advisors: tuple[Advisor, ...]
    frames: dict[str, pl.DataFrame]

    def of_each_advisor(self) -> Iterator[tuple[Advisor, Book]]:
        """Every advisor with a book of their own clients' rows only: the one place that chooses them.

        Nothing in it moves with other advisors' rows: ranks are those among these rows, sources are without counts.
        """
        parts = {name: self.frames[name].partition_by("advisor_id", as_dict=True) for name in OWNED}
        shared = {name: self.frames[name].drop("files", "rows", strict=False) for name in SHARED}
        for advisor in self.advisors:
            own = {n: _ranked(p.get((advisor.advisor_id,), self.frames[n].clear())) for n, p in parts.items()}
            yield advisor, replace(self, advisors=(advisor,), frames=own | shared)


def _ranked(frame: pl.DataFrame) -> pl.DataFrame:
    """The rank over the whole book as the place among these rows."""
    return frame.with_columns(pl.col("rank").rank("ordinal")) if "rank" in frame.columns else frame


def read_book(run: Path, *, as_of: date, tax_years: Sequence[int], fingerprint: str, version: str) -> Book:
    """Read a run's results and the canonical tables they name people by."""
    persons = _persons(_once(pl.read_parquet(run / "canonical" / "persons.parquet"), run))
    names = pl.read_parquet(run / "canonical" / "advisors.parquet", columns=["advisor_id", "advisor_name"])
    results = {name: pl.read_parquet(run / "results" / f"{name}.parquet") for name in RESULT_TABLES}
    frames = {name: _with_client(_numbers_only_if_known(results[name]), persons) for name in JUDGED}
    frames["what_if"] = what_if_rows(run, frames["form_8606"])
    frames["mega_backdoor"] = _with_deferrals(frames["mega_backdoor"], frames["elective_deferrals"], persons)
    frames["accounts"] = _accounts(results["ira_aggregation"], persons)
    frames["findings"] = with_marks(_findings(results["findings"], persons, as_of))
    frames["data_problems"] = _data_problems(results, frames["findings"], persons).vstack(_mark_problems(run, persons))
    frames["exceptions"] = exceptions(frames["findings"])
    frames["backdoor"] = _backdoor(results["backdoor_overview"], frames["ira_limits"], persons)
    frames["persons"] = persons
    frames["households"] = _households(frames, max(tax_years))
    frames["sources"] = _sources(results["files"])
    frames["files"] = results["files"].with_columns(_prose("file_name"), _prose("message"))
    frames["arrivals"] = results["arrivals"].with_columns(_prose("source"), _prose("message"))
    frames["rejects"] = results["rejects"].with_columns(_prose("file"), _prose("message"))
    frames["limits"] = _limits_used(run)
    frames.update(firm_frames(run, results, persons))
    return Book(as_of, tuple(sorted(tax_years)), fingerprint, version, _advisors(persons, names), frames)


def _once(persons: pl.DataFrame, run: Path) -> pl.DataFrame:
    """Every human once: without the person_ids that another one stands for by an approved link."""
    path = run / "derived" / "merged_persons.parquet"
    return persons.join(pl.read_parquet(path), on="person_id", how="anti") if path.exists() else persons


def _persons(persons: pl.DataFrame) -> pl.DataFrame:
    return persons.select(
        "person_id",
        "household_id",
        "advisor_id",
        "given_name",
        "family_name",
        "spouse_person_id",
        pl.concat_str("given_name", "family_name", separator=" ", ignore_nulls=True).alias("client"),
    ).sort(CLIENT_ORDER)


def _advisors(persons: pl.DataFrame, names: pl.DataFrame) -> tuple[Advisor, ...]:
    known = dict(names.iter_rows())
    ids = sorted(persons["advisor_id"].drop_nulls().unique())
    files = file_names(ids)
    return tuple(Advisor(i, known.get(i) or f"{i} ({NOT_LISTED})", files[i]) for i in ids)


def file_names(advisor_ids: Sequence[str]) -> dict[str, str]:
    """A file name for each advisor id: safe on every system; ids that would share one get a hash of the id each."""
    plain = {i: re.sub(r"[^A-Za-z0-9.-]+", "-", i).strip(".-")[:80] for i in advisor_ids}
    shared = Counter(name.lower() for name in plain.values())
    return {
        i: f"{name}.xlsx" if name and shared[name.lower()] == 1 else f"{name or 'advisor'}-{_short_hash(i)}.xlsx"
        for i, name in plain.items()
    }


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _prose(column: str) -> pl.Expr:
    return pl.col(column).map_elements(prose, return_dtype=pl.String)


def _joined(column: str, separator: str) -> pl.Expr:
    return pl.col(column).list.join(separator).map_elements(prose, return_dtype=pl.String)


def _after_code(reason: str) -> str:
    return reason.partition(": ")[2] or reason


def _numbers_only_if_known(frame: pl.DataFrame) -> pl.DataFrame:
    """Blank every number of an UNKNOWN row, whatever the engine left there, and say the reasons in plain words."""
    numbers = pl.selectors.numeric() - pl.selectors.by_name("tax_year")
    known = pl.col("status").is_null() | (pl.col("status") != "UNKNOWN")
    return frame.with_columns(
        pl.when(known).then(numbers | pl.selectors.boolean()),
        pl.col("reasons").list.eval(pl.element().map_elements(_after_code, return_dtype=pl.String)),
    ).with_columns(_joined("reasons", "; "))


def _with_client(frame: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    joined = frame.join(persons, on="person_id", how="inner", validate="m:1")
    return joined.sort(*CLIENT_ORDER, "tax_year", maintain_order=True)


def _with_deferrals(mega: pl.DataFrame, deferrals: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """One row per person, employer group and tax year with the person's 402(g) figures."""
    who = ["person_id", "tax_year"]
    people = [c for c in persons.columns if c != "person_id"]
    left, right = mega.drop(people), deferrals.drop(people)
    both = left.join(right, on=who, how="full", coalesce=True, suffix="_402g", validate="m:1")
    return _with_client(both.sort("employer_group_id", nulls_last=True), persons)


def _accounts(aggregation: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    shown = aggregation.with_columns(
        pl.struct("custodian", "account_key").map_elements(_shown_account, return_dtype=pl.String).alias("account"),
        pl.when("in_pool")
        .then(pl.lit("yes"))
        .when(~pl.col("in_pool"))
        .then(pl.lit("no"))
        .otherwise(pl.lit("undecided"))
        .alias("in_pool"),
        _prose("why"),
    )
    return _with_client(shown.sort(pl.col("in_pool") == "no", "account_key"), persons)


def _shown_account(row: dict[str, str]) -> str:
    custodian, _, number = row["account_key"].rpartition(":")
    return show_account(row["custodian"] or custodian, number)


def _findings(findings: pl.DataFrame, persons: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Findings with their client, never one of a client who belongs to another advisor now; info and resolved last."""
    now_with = persons.select("person_id", "client", pl.col("advisor_id").alias("now_with"))
    joined = findings.join(now_with, on="person_id", how="left", validate="m:1")
    still_theirs = pl.col("now_with").is_null() | (pl.col("now_with") == pl.col("advisor_id"))
    return (
        joined.filter(still_theirs)
        .with_columns(
            pl.coalesce("client", "person_id", pl.lit("no client")).alias("client"),
            pl.lit(as_of).alias("as_of"),
            *(_prose(c) for c in ("title", "explanation", "action")),
            _joined("evidence", "\n"),
        )
        .sort(pl.col("status") == "resolved", pl.col("severity") == "info", "rank", "finding_id")
    )


def _backdoor(overview: pl.DataFrame, limits: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """IRA limits with where the person stands with the backdoor; those who can act first."""
    who = ["person_id", "tax_year"]
    people = [c for c in persons.columns if c != "person_id"]
    joined = limits.drop(people).join(overview, on=who, how="left", validate="1:1").with_columns(_prose("ways_out"))
    first = pl.col("standing").replace_strict({s: n for n, s in enumerate(STANDINGS)}, default=len(STANDINGS))
    return _with_client(joined, persons).sort(first, *CLIENT_ORDER, "tax_year", nulls_last=True, maintain_order=True)


def _households(frames: dict[str, pl.DataFrame], year: int) -> pl.DataFrame:
    """One row per client, spouses side by side: what the other sheets say of them in the newest tax year."""
    persons = frames["persons"]
    of_year = {name: frames[name].filter(pl.col("tax_year") == year) for name in ("form_8606", "backdoor", "accounts")}
    open_now = frames["exceptions"].filter(
        pl.col("status") != "resolved", pl.col("severity") != "info", ~pl.col("put_aside")
    )
    exceptions = open_now.group_by("person_id").agg(
        pl.len().alias("exceptions"),
        pl.col("severity").first().alias("gravest"),
        pl.col("deadline").min(),
        _known_sum(pl.col("amount").filter(pl.col("amount_is") == "tax")).alias("tax_at_stake"),
    )
    mega = (
        frames["mega_backdoor"]
        .filter(pl.col("tax_year") == year)
        .group_by("person_id")
        .agg(_known_sum(pl.col("room")).alias("mega_room"))
    )
    names = persons.select(pl.col("person_id").alias("spouse_person_id"), pl.col("client").alias("spouse"))
    parts = (
        names_of_spouses(persons, names),
        exceptions,
        of_year["form_8606"].select("person_id", "status", "line_6", "line_14", "line_18"),
        of_year["backdoor"].select("person_id", "standing", "room"),
        mega,
        of_year["accounts"].group_by("person_id").agg(pl.len().alias("accounts")),
        frames["data_problems"].group_by("person_id").agg(pl.len().alias("data_problems")),
    )
    joined = persons
    for part in parts:
        joined = joined.join(part, on="person_id", how="left", validate="1:1")
    return joined.with_columns(pl.lit(year, pl.Int32).alias("tax_year")).sort(CLIENT_ORDER, nulls_last=True)


def names_of_spouses(persons: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """person_id and the spouse's name, of those who share an advisor: another advisor's client isn't named."""
    pairs = persons.select("person_id", "advisor_id", "spouse_person_id").join(names, on="spouse_person_id")
    same = pairs.join(
        persons.select(pl.col("person_id").alias("spouse_person_id"), pl.col("advisor_id").alias("theirs")),
        on="spouse_person_id",
    )
    return same.filter(pl.col("advisor_id") == pl.col("theirs")).select("person_id", "spouse")


def _known_sum(amounts: pl.Expr) -> pl.Expr:
    """The sum, or nothing where no amount is known: an unknown amount is not $0."""
    return pl.when(amounts.count() > 0).then(amounts.sum())


def _sources(files: pl.DataFrame) -> pl.DataFrame:
    """What the book was read from: files by custodian and kind, with the newest day they speak of."""
    return (
        files.filter(pl.col("state").is_in(["accepted", "partial"]))
        .group_by("custodian", "kind")
        .agg(
            pl.len().alias("files"),
            pl.col("accepted").sum().cast(pl.Int64).alias("rows"),
            pl.col("rejected").sum().cast(pl.Int64).alias("set_aside"),
            pl.col("content_as_of").max(),
            pl.col("received_at").max(),
        )
        .sort("custodian", "kind", nulls_last=True)
        .with_columns(
            pl.col("custodian").fill_null("the firm's own"),
            pl.col("kind").str.replace_all("_", " ").str.replace_all("+", " and ", literal=True),
            pl.when(pl.col("set_aside") == 1)
            .then(pl.lit("1 row set aside"))
            .when(pl.col("set_aside") > 1)
            .then(pl.format("{} rows set aside", "set_aside"))
            .alias("note"),
        )
        .with_columns(
            pl.concat_str(
                pl.format("as of {}", "content_as_of"),
                pl.format("received {}", "received_at"),
                "note",
                separator=", ",
                ignore_nulls=True,
            ).alias("newest"),
        )
    )


def _data_problems(results: dict[str, pl.DataFrame], findings: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """One row per missing fact of a client: what is missing, which results wait for it, and where to state it."""
    what = ("person_id", "tax_year", "reasons")
    missing = pl.concat(
        results[name].filter(pl.col("status") == "UNKNOWN").select(*what, pl.lit(label).alias("blocks"))
        for name, label in JUDGED.items()
    )
    by_fact = (
        missing.explode("reasons")
        .with_columns(pl.col("reasons").fill_null("not_stated: the result is UNKNOWN and gives no reason"))
        .sort("tax_year", maintain_order=True)
        .with_columns(
            pl.col("reasons").str.split(pl.col("tax_year").cast(pl.String)).list.join("").alias("of_any_year")
        )
        .group_by("person_id", "of_any_year", maintain_order=True)
        .agg(
            pl.col("blocks").unique(maintain_order=True),
            pl.col("tax_year").first(),
            pl.col("tax_year").unique(maintain_order=True).alias("years"),
            pl.col("reasons").first(),
        )
        .with_columns(
            years_in_words("years"),
            pl.col("blocks").list.join(", "),
            pl.col("reasons").str.split(": ").list.first().alias("rule"),
            pl.col("reasons").map_elements(_after_code, return_dtype=pl.String).alias("missing"),
        )
        .with_columns(with_years("missing"))
        .with_columns(pl.col("rule").map_elements(what_to_do, return_dtype=pl.String).alias("fix"))
    )
    unknown = _with_client(by_fact, persons)
    other = _data_findings(findings, unknown)
    where = pl.col("rule").map_elements(where_stated, return_dtype=pl.String).alias("stated_in")
    told = pl.concat(frame.with_columns(where).select(DATA_PROBLEM) for frame in (unknown, other))
    sentence = pl.col("missing").str.slice(0, 1).str.to_uppercase() + pl.col("missing").str.slice(1)
    return told.with_columns(sentence.alias("missing")).with_columns(_prose("missing"), _prose("fix"))


def _data_findings(findings: pl.DataFrame, unknown: pl.DataFrame) -> pl.DataFrame:
    told = pl.col("rule").is_in(TOLD_BY_UNKNOWN) & pl.col("person_id").is_in(unknown["person_id"].unique().implode())
    here = findings.filter(
        pl.col("rule").is_in(DATA_RULES), pl.col("status") != "resolved", ~told.fill_null(value=False)
    )
    return _once_over_years(here).with_columns(
        pl.lit(MAY_CHANGE).alias("blocks"),
        pl.concat_str("title", pl.lit(". "), "explanation", ignore_nulls=True).alias("missing"),
        pl.col("action").alias("fix"),
    )


def _once_over_years(findings: pl.DataFrame) -> pl.DataFrame:
    """Findings of one rule about several tax years as the one of the first year, with the `years` of all."""
    wholes = findings.select(pl.col("finding_id").alias("part_of"), pl.col("rule").alias("whole_rule"))
    known = findings.join(wholes, on="part_of", how="left", validate="m:1", maintain_order="left")
    same = (pl.col("whole_rule") == pl.col("rule")).fill_null(value=False)
    row = pl.when(same).then("part_of").otherwise("finding_id")
    return (
        known.with_columns(pl.col("tax_year").unique().sort().over(row, mapping_strategy="join").alias("years"))
        .filter(~same)
        .with_columns(years_in_words("years"))
        .with_columns(with_years("title"))
    )


def _mark_problems(run: Path, persons: pl.DataFrame) -> pl.DataFrame:
    """What is to be told of marks (`mark_problems`), as rows of Data problems: of a client, to their advisor now."""
    path = run / "derived" / "mark_problems.parquet"
    if not path.exists():
        return pl.DataFrame(schema=dict.fromkeys(DATA_PROBLEM, pl.String()) | {"tax_year": pl.Int32()})
    whose = persons.select("person_id", "client", "household_id", pl.col("advisor_id").alias("now_with"))
    told = pl.read_parquet(path).join(whose, on="person_id", how="left", validate="m:1")
    return told.select(
        "person_id",
        pl.col("client").fill_null("your marks"),
        "household_id",
        pl.coalesce("now_with", "advisor_id").alias("advisor_id"),
        "tax_year",
        pl.lit(None, pl.String).alias("years"),
        pl.lit("a mark on Exceptions").alias("blocks"),
        pl.col("missing").map_elements(clean_mark, return_dtype=pl.String),
        "fix",
        pl.lit(None, pl.String).alias("stated_in"),
        "rule",
    ).sort("advisor_id", "client", "rule", "missing")


def _limits_used(run: Path) -> pl.DataFrame:
    path = run / "derived" / "limits_used.parquet"
    if not path.exists():
        return pl.DataFrame(schema=LIMITS_USED)
    return pl.read_parquet(path).sort("tax_year", "key", "filing_status")
