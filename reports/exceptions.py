"""One row per problem: a finding with the ones that are parts of it, what to do first, and by when.

The row's deadline is the nearest of its parts', and what to do begins with what that deadline is for. Findings that
ask for the same fact in several tax years are one row that names the years.
"""

from __future__ import annotations

import polars as pl

from schemas.tables import SEVERITIES

#: In the place of a deadline where there is none.
NO_DEADLINE = "none"
_GRAVE = {severity: place for place, severity in enumerate(SEVERITIES)}


def exceptions(findings: pl.DataFrame) -> pl.DataFrame:
    """The rows of sheet Exceptions from the findings in the order people should look at them.

    A row is as grave as the gravest of its parts and due when the first of them is. Adds `days_left` and, where there
    are several, `years` in words.
    """
    members = findings.with_columns(
        pl.col("severity").replace_strict(_GRAVE, return_dtype=pl.Int32).alias("grave"),
        pl.coalesce("part_of", "finding_id").alias("whole"),
        pl.col("part_of").is_null().alias("is_head"),
        (pl.col("status") != "resolved").alias("here"),
    ).with_columns(
        # of a row that is gone as a whole, what it asked for
        (pl.col("here") | ~pl.col("here").any().over("whole")).alias("told"),
        pl.col("rule").filter("is_head").first().over("whole").alias("head_rule"),
    )
    # null where the head is another advisor's now: such a part has no row
    members = members.filter(pl.col("head_rule").is_not_null())
    due = pl.col("deadline").filter("told").min().over("whole").alias("due")
    members = members.with_columns(due)
    return (
        members.filter("is_head")
        .drop("deadline", "head_rule", "due", "told", "here")
        .join(_together(members), on="whole", how="left", validate="1:1")
        .drop("whole")
        .with_columns(
            pl.col("gravest").replace_strict(dict(enumerate(SEVERITIES)), return_dtype=pl.String).alias("severity"),
            pl.when(pl.col("moved") & (pl.col("status") == "open"))
            .then(pl.lit("changed"))
            .otherwise("status")
            .alias("status"),
            pl.coalesce("amount", "amount_of_a_year").alias("amount"),
            pl.when(pl.col("amount").is_null() & pl.col("amount_of_a_year").is_not_null())
            .then("is_of_a_year")
            .otherwise("amount_is")
            .alias("amount_is"),
            with_years("title"),
            pl.concat_str("explanation", pl.lit("\nPart of it:\n") + pl.col("also"), ignore_nulls=True).alias(
                "explanation"
            ),
            pl.col("to_do").alias("action"),
            (pl.col("deadline") - pl.col("as_of")).dt.total_days().alias("days_left"),
        )
        .sort(
            pl.col("status") == "resolved",
            "put_aside",
            pl.col("severity") == "info",
            "gravest",
            "rank",
            "finding_id",
        )
    )


def _together(members: pl.DataFrame) -> pl.DataFrame:
    """What a row says of its parts: severity, deadline, the years it asks for, the parts, and what to do in order."""
    part, same_fact = ~pl.col("is_head"), pl.col("rule") == pl.col("head_rule")
    of_a_year = part & same_fact & pl.col("here") & pl.col("amount").is_not_null()
    summed = members.group_by("whole", maintain_order=True).agg(
        pl.min_horizontal(
            pl.col("grave").filter("is_head").min(), pl.col("grave").filter(part & pl.col("here")).min()
        ).alias("gravest"),
        pl.col("due").first().alias("deadline"),
        pl.col("status").filter(part).is_in(["new", "changed", "resolved"]).any().alias("moved"),
        pl.col("tax_year").filter("told").drop_nulls().unique().sort().alias("years"),
        pl.col("amount").filter(of_a_year).first().alias("amount_of_a_year"),
        pl.col("amount_is").filter(of_a_year).first().alias("is_of_a_year"),
        _of_a_part().filter(part).alias("also"),
    )
    return summed.join(_to_do(members), on="whole", how="left").with_columns(
        pl.col("also").list.join("\n").replace("", None),
        years_in_words("years"),
    )


def _of_a_part() -> pl.Expr:
    """`- For information: title ($1,234 tax, by April 15, 2027)`; its deadline only where the row shows another."""
    kind = (
        pl.when(~pl.col("here"))
        .then(pl.lit("no longer: "))
        .when(pl.col("severity") == "info")
        .then(pl.lit("for information: "))
        .otherwise(pl.lit(""))
    )
    dollars = pl.col("amount").map_elements(lambda amount: f"${amount:,.0f}", return_dtype=pl.String)
    other_day = pl.col("here") & (pl.col("deadline") != pl.col("due")).fill_null(value=False)
    said = pl.concat_list(
        pl.concat_str(dollars, pl.lit(" "), pl.col("amount_is").fill_null("")),
        pl.when(other_day).then(pl.lit("by ") + _long("deadline")),
    )
    said = said.list.drop_nulls().list.join(", ")
    brackets = pl.when(said != "").then(pl.lit(" (") + said + pl.lit(")")).otherwise(pl.lit(""))
    return pl.concat_str(pl.lit("- "), kind, "title", brackets)


def _to_do(members: pl.DataFrame) -> pl.DataFrame:
    """What to do, line by line: first what the deadline shown is for, then the rest by their own deadlines.

    A line of another day says which. A first line that isn't the head's own says what it is about. The same question
    about several years is put once.
    """
    of_year = pl.format("For {}, ", "tax_year").fill_null("")
    lines = (
        members.filter(pl.col("told") | pl.col("is_head"))
        .with_columns((pl.col("severity") == "info").alias("is_info"))
        .sort("whole", "deadline", ~pl.col("is_head"), "is_info", "rank", nulls_last=True, maintain_order=True)
        .with_columns(pl.col("action").str.strip_prefix(of_year).alias("asked"))
        .with_columns(
            pl.col("tax_year")
            .sort()
            .cast(pl.String)
            .unique(maintain_order=True)
            .str.join(" and ")
            .over("whole", "asked")
            .alias("of_years")
        )
        .unique(["whole", "asked"], keep="first", maintain_order=True)
        .with_columns(
            pl.when(pl.col("action") == pl.col("asked"))
            .then("action")
            .otherwise(pl.format("For {}, {}", "of_years", "asked"))
            .alias("action")
        )
        .with_columns(pl.int_range(pl.len()).over("whole").alias("nth"), pl.len().over("whole").alias("lines"))
    )
    own_day = pl.col("deadline").eq_missing(pl.col("due"))
    first = pl.when("is_head").then(pl.lit("")).otherwise(pl.format("{}: ", rule_name("rule")))
    other = (
        pl.when(own_day)
        .then(pl.lit("- "))
        .when(pl.col("deadline").is_null())
        .then(pl.lit("- Without a deadline: "))
        .otherwise(pl.format("- By {}: ", _long("deadline")))
    )
    line = pl.concat_str(pl.when(pl.col("nth") == 0).then(first).otherwise(other), "action")
    return lines.group_by("whole", maintain_order=True).agg(line.str.join("\n").alias("to_do"))


def _long(column: str) -> pl.Expr:
    return pl.col(column).dt.strftime("%B %-d, %Y")


def rule_name(column: str) -> pl.Expr:
    """A finding's rule as people say it: `Backdoor blocked by pre-tax`."""
    words = pl.col(column).str.replace_all("_", " ").str.replace_all(r"\bpre tax\b", "pre-tax")
    for name in ("IRA", "HSA", "RMD", "SEP", "SIMPLE"):
        words = words.str.replace_all(rf"\b{name.lower()}\b", name)
    words = words.str.replace_all(r"\broth\b", "Roth").str.replace_all(r"\bqhfd\b", "HSA funding distribution")
    return words.str.slice(0, 1).str.to_uppercase() + words.str.slice(1)


def years_in_words(column: str) -> pl.Expr:
    """`2025 and 2026` of a sorted list of years; nothing where it is one year or none."""
    years = pl.col(column).list.eval(pl.element().cast(pl.String))
    return pl.when(years.list.len() > 1).then(years.list.join(" and ")).alias(column)


def with_years(column: str) -> pl.Expr:
    """The text of `column` with all the `years` of its row in the place of its `tax_year`."""
    return (
        pl.struct(pl.col(column).alias("text"), "tax_year", "years").map_elements(_with_years, pl.String).alias(column)
    )


def _with_years(row: dict[str, object]) -> str:
    text, year, years = str(row["text"]), str(row["tax_year"]), row["years"]
    if years is None:
        return text
    return text.replace(year, str(years), 1) if year in text else f"{text} ({years})"
