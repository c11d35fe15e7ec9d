"""Write every workbook of a run, each advisor's by whichever process is free."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from multiprocessing import get_context
from pathlib import Path

from reports.advisor import fill_advisor
from reports.book import Advisor, Book, read_book
from reports.firm import fill_firm
from reports.links import LINKS_FILE, fill_links
from reports.links import rows as link_rows
from reports.marks import sign
from reports.page import PagedWorkbook
from reports.reuse import Earlier
from reports.reuse import fingerprint as fingerprint_of
from reports.save import save, save_bytes
from reports.set_aside import SET_ASIDE_FILE, fill_set_aside
from reports.sheet import safe_text

FIRM_FILE = "_firm.xlsx"
#: Rows of all advisors' sheets from which starting more processes (a second or two) is worth it.
WORTH_PROCESSES = 20_000


@dataclass(frozen=True)
class Stamp:
    """What every workbook of a run carries."""

    folder: Path
    as_of: date
    firm: str = ""


@dataclass(frozen=True)
class Written:
    """One workbook of a run; an advisor's: the fingerprint of what it shows, and whether an earlier one was taken."""

    path: Path
    fingerprint: str = ""
    taken: bool = False


def write_workbooks(
    run: Path,
    *,
    as_of: date,
    tax_years: Sequence[int],
    fingerprint: str,
    version: str,
    firm: str = "",
    earlier: Earlier | None = None,
) -> list[Written]:
    """Write `run/workbooks/<advisor_id>.xlsx` for every advisor with clients, and `_firm.xlsx`.

    `_links.xlsx` is written only if there is a suggested link to answer, `_set_aside.xlsx` only if something was set
    aside.

    `firm` is the firm's fingerprint, by which an advisor's workbook is known when it comes back with marks. An
    advisor's workbook that shows just what the one of `earlier` does is that one, to the byte.

    Reads `run/results`, `run/canonical` and `run/derived`. The same run gives the same bytes, however many processes
    write it.
    """
    book = read_book(run, as_of=as_of, tax_years=tax_years, fingerprint=fingerprint, version=version)
    stamp = Stamp(run / "workbooks", as_of, firm)
    stamp.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = _write_advisors(book, stamp, earlier)
    workbook = _new_workbook("Rothbook - firm", as_of)
    fill_firm(workbook, book, _footer(book))
    written.append(Written(save(workbook, stamp.folder / FIRM_FILE)))
    if book.frames["set_aside"].height:
        workbook = _new_workbook("Rothbook - rows set aside", as_of)
        fill_set_aside(workbook, book, _footer(book))
        written.append(Written(save(workbook, stamp.folder / SET_ASIDE_FILE)))
    suggested = link_rows(run)
    if suggested.height:
        workbook = _new_workbook("Rothbook - suggested links", as_of)
        fill_links(workbook, suggested, _footer(book))
        written.append(Written(save(workbook, stamp.folder / LINKS_FILE)))
    return written


def _write_advisors(book: Book, stamp: Stamp, earlier: Earlier | None) -> list[Written]:
    """Each advisor's workbook, in the advisors' order: written, or taken from an earlier run where it is the same."""
    parts = [(advisor, _known(advisor, own, stamp)) for advisor, own in book.of_each_advisor()]
    taken = {advisor.file_name for advisor, own in parts if earlier and _take(advisor, own, stamp, earlier)}
    _write_each([part for part in parts if part[0].file_name not in taken], stamp)
    return [
        Written(stamp.folder / advisor.file_name, own.fingerprint, advisor.file_name in taken) for advisor, own in parts
    ]


def _known(advisor: Advisor, own: Book, stamp: Stamp) -> Book:
    return replace(own, fingerprint=fingerprint_of(advisor, own, stamp.firm))


def _take(advisor: Advisor, own: Book, stamp: Stamp, earlier: Earlier) -> bool:
    data = earlier.of(advisor.file_name, own.fingerprint)
    if data is not None:
        save_bytes(data, stamp.folder / advisor.file_name)
    return data is not None


def _write_each(parts: Sequence[tuple[Advisor, Book]], stamp: Stamp) -> None:
    """Write workbooks, several at a time where that is worth it; a process is only handed one advisor's own rows."""
    rows = sum(frame.height for _, own in parts for frame in own.frames.values())
    processes = min(os.cpu_count() or 1, len(parts))
    if rows < WORTH_PROCESSES or processes < 2:
        for advisor, own in parts:
            write_advisor(advisor, own, stamp)
        return
    # started afresh: a fork of a process in which Polars has threads can hang
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for written in [pool.submit(write_advisor, advisor, own, stamp) for advisor, own in parts]:
            written.result()


def write_advisor(advisor: Advisor, own: Book, stamp: Stamp) -> Path:
    """Write one advisor's workbook from a book of their own rows."""
    workbook = _new_workbook(f"Rothbook - {advisor.name}", stamp.as_of)
    fill_advisor(workbook, own, advisor, _footer(own))
    sign(workbook, firm=stamp.firm, advisor_id=advisor.advisor_id, as_of=stamp.as_of)
    return save(workbook, stamp.folder / advisor.file_name)


def _footer(book: Book) -> str:
    return f"Rothbook {book.as_of:%Y-%m-%d} - book {book.fingerprint[:12]}"


def _new_workbook(title: str, as_of: date) -> PagedWorkbook:
    workbook = PagedWorkbook()
    properties = workbook.properties
    properties.title = safe_text(title)
    properties.creator = properties.lastModifiedBy = "Rothbook"
    properties.created = properties.modified = datetime.combine(as_of, time())
    return workbook
