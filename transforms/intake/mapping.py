"""From a section's all-text frame to canonical rows. One function per shape; what a code means is in the profile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from schemas.accounts import mask_digits, normalise_account_number
from schemas.models import read_date
from schemas.profile import Profile
from schemas.tables import INPUT_TABLES, MONEY, PROVENANCE, UNCLASSIFIED
from transforms.intake.frames import WIDE, number, possible
from transforms.intake.register import tax_key
from transforms.intake.reversals import reverses

SOURCE = [c.name for c in PROVENANCE]
_HINTS_AT_A_YEAR = r"(?i)\bprior\b|\bprev|\b(?:19|20)\d\d\b|\bfor 2\d|\byear 2"
#: An account number that is in its joining form; one that begins with X may be a mask.
_NORMAL = r"^[0-9A-WYZ][0-9A-Z]*$"
#: Which fields of the records beside A an account takes, each from the first such record.
_PERSHING_RECORDS = {
    "B": ["tax_id", "old_account"], "G": ["given_name", "family_name", "birth_date", "tax_id"], "R": ["plan_code"],
    "S": ["original_birth_date"],
}  # fmt: skip


@dataclass
class Mapped:
    """Canonical rows by table, and the lines set aside: (frame with provenance and subject, column, rule, message)."""

    rows: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    aside_kind: str = "transactions"
    aside: list[tuple[pl.DataFrame, str, str, str]] = field(default_factory=list)

    def add(self, table: str, frame: pl.DataFrame) -> None:
        """Add rows, in the table's columns and types; columns the frame lacks are null."""
        schema = INPUT_TABLES[table].schema
        columns = [
            (pl.col(n) if n in frame.columns else pl.lit(None)).cast(dtype).alias(n) for n, dtype in schema.items()
        ]
        self.rows.setdefault(table, []).append(frame.select(columns))


def each(frame: pl.DataFrame, column: str, say: Callable[[str], str | None]) -> pl.Expr:
    """A text column with `say` applied once to each distinct value."""
    values = frame[column].drop_nulls().unique().to_list()
    said = {v: say(v) for v in values}
    return pl.col(column).replace_strict(said, default=None, return_dtype=pl.String)


def accounts_named(profile: Profile, frame: pl.DataFrame, into: Mapped) -> None:
    """An account row per account and registration label: the type the label states, or `other` with the label."""
    named = frame.filter(pl.col("label").is_not_null() & pl.col("account_number").is_not_null())
    named = named.sort("source_line").unique(
        ["source_sha256", "account_number", "label"], keep="first", maintain_order=True
    )
    typed = _account_types(profile, named)
    unknown = pl.when(pl.col("account_type") == "other").then(pl.col("label"))
    into.add(
        "accounts", typed.with_columns(unknown.alias("custodian_code"), pl.lit(profile.custodian).alias("custodian"))
    )


def _account_types(profile: Profile, named: pl.DataFrame) -> pl.DataFrame:
    """The frame with `account_type`; the profile is asked once for each label and each way it tells accounts apart."""
    kinds = sorted({known.account.pattern for known in profile.account_types if known.account is not None})
    by = ["label", *(f"fits {kind}" for kind in kinds)]
    told = named.with_columns(
        pl.col("account_number").str.contains(f"^(?:{kind})$").alias(f"fits {kind}") for kind in kinds
    )
    some = told.unique(by, keep="first", maintain_order=True)
    types = [profile.account_type(*row) for row in some.select("label", "account_number").iter_rows()]
    meant = some.select(*by, pl.Series("account_type", types, pl.String))
    return told.join(meant, on=by, how="left", maintain_order="left").drop(by[1:])


def transactions(profile: Profile, frame: pl.DataFrame, into: Mapped) -> None:
    """Account events: type by the profile's actions and, where they say so, by the sign of the amount."""
    accounts_named(profile, frame, into)
    code = pl.col("action")
    if profile.code_drop is not None:
        code = code.str.replace_all(profile.code_drop.pattern, "").str.strip_chars()
    events = _dated(profile, frame).with_columns(
        code.alias("code"),
        number(pl.col("amount"), profile).alias("signed"),
        pl.lit(profile.custodian).alias("custodian"),
    )
    events = _by_description(profile, events.join(_meanings(profile, events), on="code", how="left"))
    lost = pl.col("signed").is_null() & (pl.col("transaction_type") != "market")
    too_fine = pl.col("signed") != pl.col("signed").cast(MONEY).cast(WIDE)
    no_amount = "the custodian gives no amount (shares moved); state the event and its value in a transactions file"
    _set_aside(into, events.filter(lost), "amount_not_known", no_amount)
    _set_aside(into, events.filter(too_fine), "not_money", "expected dollars and whole cents; fetch the file again")
    good = events.filter(~lost.fill_null(value=False) & ~too_fine.fill_null(value=False))
    told = _told(profile, good).with_columns(reverses(profile).alias("reverses"))
    into.add("transactions", _identified(told))


def _set_aside(into: Mapped, bad: pl.DataFrame, rule: str, why: str) -> None:
    if bad.height:
        into.aside.append((bad, "amount", rule, f"column amount: {why}"))


def _dated(profile: Profile, frame: pl.DataFrame) -> pl.DataFrame:
    day = read_date(pl.col("day"), profile.dates)
    if profile.event_date is not None:
        event = (pl.col("date") + " " + pl.col("action")).str.extract(profile.event_date.pattern, 1)
        day = pl.coalesce(read_date(event, profile.event_dates), day)
    posted = read_date(pl.col("day"), profile.dates)
    return frame.with_columns(day.alias("trade_date"), pl.when(posted != day).then(posted).alias("posted"))


def _meanings(profile: Profile, events: pl.DataFrame) -> pl.DataFrame:
    """Per distinct code and sign: type, classification, how the tax year is told, and the code to show."""
    rows = []
    for code in events["code"].unique().drop_nulls().to_list():
        action = profile.action(code)
        if action is None:
            rows.append((code, UNCLASSIFIED, UNCLASSIFIED, "unmapped", "", mask_digits(code), ""))
        else:
            # where codes are followed by free text only the known beginning is a code
            shown = action.match if profile.code_drop else mask_digits(code)
            rows.append((code, action.type or action.out, action.type or action.into, action.meaning, action.tax_year,
                         shown, action.cancels))  # fmt: skip
    names = ("code", "if_out", "transaction_type", "classification", "tax_year_rule", "custodian_code", "cancels")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _by_description(profile: Profile, events: pl.DataFrame) -> pl.DataFrame:
    """The meanings a description changes, and the custodian's own code where the layout has one."""
    if "own_code" in events.columns:
        events = events.with_columns(pl.coalesce("own_code", "custodian_code").alias("custodian_code"))
    for rule in profile.described:
        says = pl.col("description").fill_null("").str.contains("(?i)" + rule.description.pattern)
        here = says & pl.col("code").str.to_uppercase().str.starts_with(rule.code.upper())
        kind = "ambiguous" if rule.type == UNCLASSIFIED else "mapped"
        events = events.with_columns(
            *(pl.when(here).then(pl.lit(rule.type)).otherwise(c).alias(c) for c in ("if_out", "transaction_type")),
            pl.when(here).then(pl.lit(kind)).otherwise("classification").alias("classification"),
        )
    return events


def _stated_year(profile: Profile, events: pl.DataFrame) -> pl.Expr:
    """The tax year a row states, in its description or in a field of its own; null if it states none."""
    stated = [pl.lit(None, pl.Int32)]
    if profile.tax_year_in_description is not None:
        pattern = "(?i)" + profile.tax_year_in_description.pattern
        stated.insert(0, pl.col("description").str.extract(pattern, 1).cast(pl.Int32, strict=False))
    if "stated_year" in events.columns:
        stated.insert(0, pl.col("stated_year").cast(pl.Int32))
    return pl.coalesce(stated)


def _told(profile: Profile, events: pl.DataFrame) -> pl.DataFrame:
    year = pl.col("trade_date").dt.year()
    rule = pl.col("tax_year_rule")
    said = _stated_year(profile, events)
    # what counts for a year the file must state isn't known without it, nor is text that hints at one nobody can read
    hinted = pl.col("description").fill_null("").str.contains(_HINTS_AT_A_YEAR)
    year_missing = ((rule == "stated") | ((rule == "in_description") & hinted)) & said.is_null()
    counter = pl.lit(None, pl.String)
    if profile.counter_account is not None:
        counter = pl.col("action").str.extract(profile.counter_account.pattern, 1).str.replace_all("-", "")
    return events.with_columns(
        pl.when(year_missing).then(pl.lit(UNCLASSIFIED)).when(pl.col("signed") < 0).then("if_out")
        .otherwise("transaction_type").alias("transaction_type"),
        pl.when(year_missing).then(pl.lit("ambiguous")).otherwise("classification").alias("classification"),
        pl.col("signed").abs().fill_null(0).cast(MONEY).alias("amount"),
        pl.when(year_missing).then(pl.lit(None, pl.Int32))
        .when(rule == "trade_year").then(year).when(rule == "year_before").then(year - 1)
        .when(rule == "in_description").then(pl.coalesce(said, year))
        .when((rule == "stated") | pl.lit("stated_year" in events.columns)).then(said).alias("tax_year"),
        counter.alias("counter_account_number"),
    )  # fmt: skip


def _identified(events: pl.DataFrame) -> pl.DataFrame:
    """Each row's id: hash of its meaning-bearing cells, tax year and which occurrence of these in the file it is.

    The posting day counts where it isn't the event's: two files may each hold one of two like events, posted apart.
    """
    cells = ["account_number", "trade_date", "action", "symbol", "quantity", "signed", "tax_year"]
    text = pl.concat_str([pl.col(c).cast(pl.String).fill_null("") for c in cells], separator="\x1f")
    text = text + pl.col("posted").cast(pl.String).fill_null("")
    numbered = _in_order(events).with_columns(text.alias("meaning"))
    once = ["source_sha256", "meaning"]
    places = _alike(numbered["meaning"])
    again = numbered.select(once)[places].select(pl.int_range(1, pl.len() + 1).over(once).cast(pl.String)).to_series()
    occurrence = pl.repeat("1", numbered.height, eager=True).scatter(places, again)
    full = numbered.with_columns(pl.concat_str("meaning", occurrence, separator="\x1f").alias("meaning"))
    return full.with_columns(_hashes(full["meaning"]).alias("transaction_id"))


def _in_order(events: pl.DataFrame) -> pl.DataFrame:
    """The events by file and line, as those of a single file stand already."""
    alone = events["source_sha256"].n_unique() == 1
    return events if alone and events["source_line"].is_sorted() else events.sort("source_sha256", "source_line")


def _alike(texts: pl.Series) -> pl.Series:
    """Where the texts stand that aren't the only ones of their hash: few, and to number all of them takes long."""
    hashes = texts.hash()
    ordered = hashes.sort()
    return hashes.is_in(ordered.filter(ordered == ordered.shift(1)).unique().implode()).arg_true()


def _hashes(texts: pl.Series) -> pl.Series:
    """The first 24 hexadecimal digits of each text's sha256; no two texts are alike, so `each` would gain nothing."""
    digests = [hashlib.sha256(text).digest() for text in texts.cast(pl.Binary).to_list()]
    return pl.Series(digests, dtype=pl.Binary).bin.slice(0, 12).bin.encode("hex")


def positions(profile: Profile, frame: pl.DataFrame, into: Mapped) -> None:
    """One balance per account and date: the sum of its positions, rounded to cents only once summed."""
    accounts_named(profile, frame, into)
    value = number(pl.col("value"), profile)
    if "value_sign" in frame.columns:
        value = pl.when(pl.col("value_sign") == "-").then(-value).otherwise(value)
    valued = frame.with_columns(value.alias("position"), read_date(pl.col("as_of"), profile.dates).alias("as_of"))
    key = ["source_sha256", "account_number", "as_of"]
    first = [pl.col(c).sort_by("source_line").first() for c in (*SOURCE, "mode") if c not in key]
    sums = valued.group_by(key, maintain_order=True).agg(pl.col("position").sum(), *first)
    coverage = pl.col("mode").replace_strict(profile.modes, default="full", return_dtype=pl.String)
    total = pl.Series("market_value", [possible(v) for v in sums["position"]], MONEY)
    named = sums.with_columns(total, coverage.alias("coverage"), pl.lit(profile.custodian).alias("custodian"))
    into.add("balances", named)


def pershing_accounts(profile: Profile, parts: dict[str, pl.DataFrame], into: Mapped, key: bytes) -> None:
    """One account per record A, with the owner of records B and G of the same account in the same file."""
    if "A" not in parts:
        return
    join = ["source_sha256", "account_number"]
    first = parts["A"].sort("sequence").unique(join, keep="first", maintain_order=True)
    for name, columns in _PERSHING_RECORDS.items():
        if name in parts:
            owner = parts[name].sort("sequence").unique(join, keep="first", maintain_order=True)
            first = first.join(owner.select(*join, pl.col(columns).name.suffix(f"_{name}")), on=join, how="left")
        else:
            first = first.with_columns(pl.lit(None, pl.String).alias(f"{column}_{name}") for column in columns)
    known = first.with_columns(
        pl.coalesce("tax_id_B", "tax_id_G").alias("tax_id"),
        pl.coalesce("birth_date", "birth_date_G").alias("birth_date"),
        pl.concat_str("given_name_G", "family_name_G", separator=" ", ignore_nulls=True).alias("owner_name"),
        pl.Series("account_type", [_registered(profile, r) for r in first.iter_rows(named=True)], pl.String),
        pl.col("old_account_B").alias("old_account"),
    )  # fmt: skip
    # an original beneficiary is one of an inherited IRA: registered as a plain one, it isn't known which it is
    plain = pl.col("account_type").is_in(["traditional_ira", "rollover_ira", "roth_ira", "sep_ira", "simple_ira"])
    told = pl.when(plain & pl.col("original_birth_date_S").is_not_null()).then(pl.lit("other"))
    known = known.with_columns(told.otherwise("account_type").alias("account_type"))
    renumbered(profile, known, into)
    into.add("accounts", known.with_columns(
        each(known, "tax_id", lambda t: tax_key(t, key)).alias("owner_tax_id"),
        read_date(pl.col("birth_date"), profile.dates).alias("owner_birth_date"),
        *(read_date(pl.col(c), profile.dates).alias(c) for c in ("opened_on", "closed_on")),
        pl.lit(profile.custodian).alias("custodian"),
        # the text itself may be a name or an address
        pl.when(pl.col("account_type") == "other").then(_pershing_code()).alias("custodian_code"),
    ))  # fmt: skip


def _pershing_code() -> pl.Expr:
    """What of an account without a known registration is shown to people."""
    return (
        pl.when(pl.col("original_birth_date_S").is_not_null()).then(pl.lit("record S, original beneficiary"))
        .when(pl.col("plan_code_R").is_not_null()).then(pl.lit("retirement plan ") + pl.col("plan_code_R"))
        .otherwise(pl.lit("registration text"))
    )  # fmt: skip


def renumbered(profile: Profile, frame: pl.DataFrame, into: Mapped) -> None:
    """The accounts that had another number before (`old_account`); since when, these files don't say."""
    told = frame.with_columns(
        normalised(frame, "old_account").alias("old_account_number"), pl.lit(profile.custodian).alias("custodian")
    )
    changed = told.filter(pl.col("old_account_number") != pl.col("account_number"))
    if changed.height:
        into.add("renumbered_accounts", changed)


def _registered(profile: Profile, row: dict[str, str | None]) -> str:
    """The type the last registration line that says a known one states."""
    types = [profile.account_type(row[f"line_{n}"], None) for n in range(6, 0, -1) if row[f"line_{n}"]]
    return next((t for t in types if t != "other"), "other")


def normalised(frame: pl.DataFrame, column: str) -> pl.Expr:
    """Account numbers in their joining form; null where that leaves nothing (only hyphens)."""
    plain = pl.col(column).str.contains(_NORMAL)
    odd = frame.select(column).filter(~plain)
    if odd.is_empty():
        return pl.col(column)
    others = each(odd, column, lambda text: normalise_account_number(text) or None)
    return pl.when(plain).then(pl.col(column)).otherwise(others)
