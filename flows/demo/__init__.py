"""An invented book of clients that shows every situation Rothbook knows, as files for an inbox.

The same bytes every time: no clock, no randomness. Everything is as if exported on 2026-11-30; run it with
`--as-of 2026-12-01`. All people, accounts, plans and tax ids are invented (ids in ranges that were never issued).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.demo import plan_stories, stories
from flows.demo.ascensus import ascensus_files
from flows.demo.book import Book
from flows.demo.faults import FAULT_KINDS, ODD_FILES, plant
from flows.demo.fidelity import fidelity_files
from flows.demo.house import house_file, house_rows
from flows.demo.pershing import pershing_files
from flows.demo.pub1220 import pub1220_files
from flows.demo.schwab import schwab_files
from flows.demo.vanguard import vanguard_files

__all__ = ["FAULT_LINES", "SITUATIONS", "write_demo"]

_STORIES = (
    stories.pro_rata, stories.blocked, stories.excesses, plan_stories.mega, plan_stories.deferrals, plan_stories.owners,
    stories.unreadable, stories.inherited, stories.moves, stories.converters, stories.plain, stories.victims,
    plan_stories.payroll, stories.backdrop,
)  # fmt: skip
_CUSTODIANS = (schwab_files, fidelity_files, vanguard_files, pershing_files, ascensus_files, pub1220_files)


def _book() -> Book:
    book = Book()
    for story in _STORIES:
        story(book)
    return book


def _files(book: Book) -> Iterator[tuple[str, str]]:
    """Every file of the demo: its name and its text."""
    rows = house_rows(book)
    plant(book, rows)
    for kind, kind_rows in rows.items():
        yield f"{kind}.csv", house_file(kind, kind_rows)
    for custodian in _CUSTODIANS:
        yield from custodian(book).items()
    yield from ODD_FILES.items()


def _fault_lines() -> dict[str, tuple[str, int]]:
    book = _book()
    return {fault: (f"{FAULT_KINDS[fault]}.csv", line) for fault, line in plant(book, house_rows(book)).items()}


def write_demo(target: Path) -> None:
    """Write the demo book into the inbox folder `target`, making the folder where needed."""
    target.mkdir(parents=True, exist_ok=True)
    for name, text in _files(_book()):
        (target / name).write_bytes(text.encode("utf-8"))


#: Finding rule or situation -> the person (or `custodian:account`) that shows it.
SITUATIONS: dict[str, str] = dict(_book().situations)

#: Planted fault -> the house file and line that holds it.
FAULT_LINES: dict[str, tuple[str, int]] = _fault_lines()
