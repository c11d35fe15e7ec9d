"""`make bench`: seconds by stage for a made-up book of 20,000 persons in house files."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from flows import pipeline

PERSONS = 20_000


def _write(folder: Path, kind: str, header: str, rows: Iterable[str]) -> None:
    (folder / f"{kind}.csv").write_text("\n".join((header, *rows, "")), encoding="utf-8")


def write_book(inbox: Path, persons: int) -> None:
    """A book in which every person has two IRAs, a contribution and a conversion."""
    inbox.mkdir(parents=True)
    ids = range(persons)
    _write(inbox, "advisors", "advisor_id,advisor_name,email,rep_codes", (f"A{n},Advisor {n},," for n in range(20)))
    _write(
        inbox,
        "persons",
        "person_id,household_id,advisor_id,given_name,family_name,birth_date",
        (f"P{n},H{n},A{n % 20},Given{n},Family{n},19{50 + n % 45}-06-15" for n in ids),
    )
    _write(
        inbox,
        "tax_profiles",
        "person_id,tax_year,filing_status,roth_magi,deduction_magi,compensation,active_participant,all_iras_reported",
        (f"P{n},2026,single,300000,300000,300000,true,true" for n in ids),
    )
    _write(inbox, "ira_basis", "person_id,tax_year,basis", (f"P{n},2025,{n % 9000}" for n in ids))
    _write(
        inbox,
        "accounts",
        "custodian,account_number,account_type,person_id",
        (
            f"bench,{n:07d}{suffix},{kind},P{n}"
            for n in ids
            for suffix, kind in ((1, "traditional_ira"), (2, "roth_ira"))
        ),
    )
    _write(
        inbox,
        "balances",
        "custodian,account_number,as_of,market_value",
        (f"bench,{n:07d}{suffix},2026-12-31,{n % 5 * 1000}" for n in ids for suffix in (1, 2)),
    )
    _write(
        inbox,
        "transactions",
        "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year,counter_account_number",
        (
            row
            for n in ids
            for row in (
                f"bench,{n:07d}1,C{n},2026-02-01,contribution,7500,2026,",
                f"bench,{n:07d}1,O{n},2026-03-01,roth_conversion_out,7500,,{n:07d}2",
                f"bench,{n:07d}2,I{n},2026-03-01,roth_conversion_in,7500,,{n:07d}1",
            )
        ),
    )


def main() -> None:
    """Run the book once without Prefect and print where the time went."""
    persons = int(sys.argv[1]) if len(sys.argv) > 1 else PERSONS
    with tempfile.TemporaryDirectory() as base:
        write_book(Path(base) / "inbox", persons)
        night = pipeline.plan(Path(base) / "inbox", Path(base) / "out", date(2027, 5, 1), (2026,))
        facts = json.loads((pipeline.run_direct(night) / "run.json").read_text(encoding="utf-8"))
    for stage, seconds in facts["seconds"].items():
        print(f"{stage:20} {seconds:8.2f} s")
    print(f"{'all':20} {sum(facts['seconds'].values()):8.2f} s for {persons:,} persons, {facts['canonical_rows']}")
    print(f"{'memory':20} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")


if __name__ == "__main__":
    main()
