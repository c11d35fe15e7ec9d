"""Publication 1220: what the A, C and F records say of the B records, and the two forms they hold."""

from __future__ import annotations

import re

import polars as pl

from schemas.profile import Profile
from transforms.intake.frames import cents, number
from transforms.intake.lines import FileSetAside
from transforms.intake.mapping import Mapped, each
from transforms.intake.register import tax_key

_FORM_1099R, _FORM_5498 = "9", "L"
_BOXES = {
    "form_1099r": {"1": "box_1_gross", "2": "box_2a_taxable", "4": "box_4_federal_withheld", "5": "box_5_basis"},
    "form_5498": {
        "1": "box_1_ira_contributions", "2": "box_2_rollover_contributions", "3": "box_3_roth_conversion",
        "4": "box_4_recharacterized", "5": "box_5_fair_market_value", "8": "box_8_sep", "9": "box_9_simple",
        "A": "box_10_roth", "C": "box_13a_postponed",
    },
}  # fmt: skip


def check_file(profile: Profile, frames: dict[str, pl.DataFrame], payers: str) -> None:
    """Raises `FileSetAside` for a test file, and when a C or F record counts or sums otherwise than the B records."""
    transmitter = frames.get("T")
    if transmitter is not None and transmitter["test_file_ind"].eq("T").any():
        raise FileSetAside("test_file", "the T record says this is a test file; test files are refused")
    if {"A", "B", "C"} - set(frames):
        raise FileSetAside("incomplete_file", "the file lacks A, B or C records; fetch it again")
    if frames["A"].height != int(payers) or frames["C"].height != int(payers):
        raise FileSetAside(
            "count_differs", f"the F record says {int(payers)} A records, the file has {frames['A'].height}"
        )
    returns = _with_return(frames)
    for control in frames["C"].iter_rows(named=True):
        _check_control(profile, returns, frames["A"], control)


def _with_return(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """B records with the type of return and amount codes of the A record before them."""
    said = frames["A"].select("source_line", "type_of_return", "amount_codes", pl.col("source_line").alias("a_line"))
    return frames["B"].sort("source_line").join_asof(said.sort("source_line"), on="source_line")


def _check_control(
    profile: Profile, returns: pl.DataFrame, payers: pl.DataFrame, control: dict[str, str | int]
) -> None:
    line = control["source_line"]
    if not re.fullmatch("[0-9]+", str(control["payees"] or "")):
        raise FileSetAside("control_not_read", f"record {line}: it states no number of payees; fetch the file again")
    a_line = payers.filter(pl.col("source_line") < line)["source_line"].max()
    if a_line is None:
        raise FileSetAside("records_out_of_order", f"record {line}: no A record is before it; fetch the file again")
    mine = returns.filter(pl.col("a_line") == a_line)
    if mine.height != int(control["payees"]):
        raise FileSetAside(
            "count_differs", f"record {line}: it says {int(control['payees'])} payees, the file has {mine.height}"
        )
    names = [n for n in mine.columns if n.startswith("amount_") and n != "amount_codes"]
    sums = mine.select(number(pl.col(n), profile).sum() for n in names).row(0, named=True)
    for name, found in sums.items():
        code = name.removeprefix("amount_")
        text = str(control[f"control_total_{code}"] or "0")
        stated = pl.select(number(pl.lit(text), profile)).item()
        if stated is None:
            raise FileSetAside(
                "control_not_read", f"record {line}: its total of amount {code} is no number; fetch the file again"
            )
        if cents(stated) != cents(found):
            raise FileSetAside(
                "total_differs",
                f"record {line}: it states {cents(stated)} for amount {code}, its records sum to {cents(found)}",
            )


def flagged(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The B records alone, each with its return's type and codes: what is mapped once the file is known to be whole."""
    return {"B": _with_return(frames)}


def returns(profile: Profile, frame: pl.DataFrame, into: Mapped, key: bytes) -> None:
    """Forms 1099-R and 5498; amounts whose code the A record doesn't list are null. Corrections replace originals."""
    common = frame.with_columns(
        pl.lit(None, pl.String).alias("custodian"),
        each(frame, "tin", lambda t: tax_key(t, key)).alias("owner_tax_id"),
        pl.col("payment_year").cast(pl.Int32).alias("tax_year"),
        pl.col("corrected_ind").is_in(["G", "C"]).fill_null(value=False).alias("corrected"),
    )
    for table, code in (("form_1099r", _FORM_1099R), ("form_5498", _FORM_5498)):
        form = common.filter(pl.col("type_of_return") == code)
        if form.height:
            into.add(table, _uncorrected_out(_boxes(profile, table, form), table))


def _boxes(profile: Profile, table: str, form: pl.DataFrame) -> pl.DataFrame:
    listed = pl.col("amount_codes").fill_null("")
    amounts = [
        pl.when(listed.str.contains(code, literal=True)).then(number(pl.col(f"amount_{code}"), profile)).alias(box)
        for code, box in _BOXES[table].items()
    ]
    if table == "form_1099r":
        flags = [
            pl.col("distribution_codes").alias("box_7_codes"),
            (pl.col("taxable_not_determined") == "1").fill_null(value=False).alias("box_2b_not_determined"),
            (pl.col("ira_sep_simple") == "1").fill_null(value=False).alias("box_7_ira"),
        ]
    else:
        kinds = [pl.when(pl.col(f"type_{k}") == "1").then(pl.lit(k)) for k in ("ira", "sep", "simple", "roth")]
        flags = [pl.coalesce(kinds).alias("box_7_type")]
    return form.with_columns(*amounts, *flags)


def _uncorrected_out(form: pl.DataFrame, table: str) -> pl.DataFrame:
    key = ["source_sha256", "account_number", "tax_year", *(["box_7_codes"] if table == "form_1099r" else [])]
    newest = (pl.col("source_line") == pl.col("source_line").max()).over(key)
    return form.filter(~pl.col("corrected").any().over(key) | (pl.col("corrected") & newest))
