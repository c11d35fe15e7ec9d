"""Write every workbook of a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

from reports.advisor import fill_advisor
from reports.book import read_book
from reports.firm import fill_firm
from reports.links import LINKS_FILE, fill_links
from reports.links import rows as link_rows
from reports.page import PagedWorkbook
from reports.save import save
from reports.sheet import safe_text

FIRM_FILE = "_firm.xlsx"


def write_workbooks(run: Path, *, as_of: date, tax_years: Sequence[int], fingerprint: str, version: str) -> list[Path]:
    """Write `run/workbooks/<advisor_id>.xlsx` for every advisor with clients, and `_firm.xlsx`; returns the paths.

    `_links.xlsx` is written only if there is a suggested link to answer.

    Reads `run/results`, `run/canonical` and `run/derived`. The same run gives the same bytes.
    """
    book = read_book(run, as_of=as_of, tax_years=tax_years, fingerprint=fingerprint, version=version)
    folder = run / "workbooks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    footer = f"Rothbook {as_of:%Y-%m-%d} - book {fingerprint[:12]}"
    written = []
    for advisor, own in book.of_each_advisor():
        workbook = _new_workbook(f"Rothbook - {advisor.name}", as_of)
        fill_advisor(workbook, own, advisor, footer)
        written.append(save(workbook, folder / advisor.file_name))
    workbook = _new_workbook("Rothbook - firm", as_of)
    fill_firm(workbook, book, footer)
    written.append(save(workbook, folder / FIRM_FILE))
    suggested = link_rows(run)
    if suggested.height:
        workbook = _new_workbook("Rothbook - suggested links", as_of)
        fill_links(workbook, suggested, footer)
        written.append(save(workbook, folder / LINKS_FILE))
    return written


def _new_workbook(title: str, as_of: date) -> PagedWorkbook:
    workbook = PagedWorkbook()
    properties = workbook.properties
    properties.title = safe_text(title)
    properties.creator = properties.lastModifiedBy = "Rothbook"
    properties.created = properties.modified = datetime.combine(as_of, time())
    return workbook
