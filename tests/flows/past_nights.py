"""Four nights of one small book: files that arrive, come again, are refused, and put earlier ones right."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from flows import pipeline
from flows.nights import REPRODUCED
from tests.flows.inbox import BAD_ROW, FILES
from tests.marked import answered

YEARS = (2026,)
BALANCES = "custodian,account_number,as_of,market_value\n"
#: What lies in the inbox each night; the firm empties it every morning but the third.
NIGHTS: dict[str, dict[str, str]] = {
    "2027-02-01": FILES,
    # a December 31 value that came late, a file nobody can read, and bytes the book has under another name
    "2027-02-02": {
        "late_887700551234.csv": BALANCES + "testcust,887700551234,2026-12-31,2500\n",
        "unknown.csv": "who,what\nQuackenbush,900-11-2345\n",
        "basis again.csv": FILES["basis.csv"],
    },
    # a row nobody can read, and a cell the firm corrects
    "2027-02-03": {
        "more.csv": FILES["transactions.csv"].splitlines(keepends=True)[0] + BAD_ROW,
        "correction.csv": (
            "table,row_key,column,value_in_source,corrected_value,declared_by,declared_on,reason\n"
            "tax_profiles,person_id=P1;tax_year=2026,compensation,900000,800000,Ops,2027-02-03,typed wrong\n"
        ),
    },
    # the custodian puts the value and the row right, and an amended Form 8606 states the basis
    "2027-02-04": {
        "right.csv": BALANCES + "testcust,887700551234,2026-12-31,0\n",
        "mended.csv": FILES["transactions.csv"].splitlines(keepends=True)[0]
        + "testcust,887700551234,T4,2026-03-01,market,100,,,\n",
        "basis.csv": "person_id,tax_year,basis,source\nP1,2025,400,amended 8606\n",
    },
}


#: The night on which the advisor's workbook of the night before comes back with a mark in it.
MARKED = "2027-02-03"


@dataclass
class Folders:
    """An inbox and its OUT, side by side."""

    root: Path

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def out(self) -> Path:
        return self.root / "out"


@dataclass
class PastNights(Folders):
    """The nights of an inbox and its OUT."""

    runs: dict[str, Path] = field(default_factory=dict)

    def drop(self, files: dict[str, str]) -> None:
        self.inbox.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (self.inbox / name).write_text(text, encoding="utf-8")

    def empty(self) -> None:
        for path in self.inbox.iterdir():
            path.unlink()

    def run(self, as_of: str, years: tuple[int, ...] | None = YEARS, shared: Path | None = None) -> Path:
        self.inbox.mkdir(parents=True, exist_ok=True)
        day = date.fromisoformat(as_of)
        return pipeline.run_direct(pipeline.plan(self.inbox, self.out, day, years, settle_seconds=0, shared=shared))

    def all_nights(self) -> PastNights:
        for as_of, files in NIGHTS.items():
            self.drop(files)
            if as_of == MARKED:
                self._send_back("2027-02-02")
            self.runs[as_of] = self.run(as_of)
            if as_of != "2027-02-03":
                self.empty()
        return self

    def _send_back(self, as_of: str) -> None:
        """The advisor marks the finding of a night in the workbook and sends it in."""
        run = self.runs[as_of]
        findings = pl.read_parquet(run / "results/findings.parquet")
        marked = findings.filter(rule="conversion_taxed_pro_rata")["finding_id"].item()
        answer = {marked: {"status": "waiting", "note": "asked Quackenbush"}}
        (self.inbox / "ADV1.xlsx").write_bytes(answered(run / "workbooks/ADV1.xlsx", answer))


def bytes_of(run: Path) -> dict[str, bytes]:
    """Every table and workbook of a run."""
    return {
        p.relative_to(run).as_posix(): p.read_bytes()
        for folder, pattern in REPRODUCED
        for p in (run / folder).glob(pattern)
    }
