"""The floor: DuckDB reads every file of a book as text in a declared dialect, and adds up its transactions once.

`python benchmarks/floor.py BOOK`: what any program that reads these files at all has to pay on this machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb

_DIALECT = "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', parallel = true"
_HOUSE = _DIALECT + ", skip = 1"
#: Lines around the rows, and fewer cells in them than in a row; nothing is sniffed here either.
_FIDELITY = _DIALECT + ", strict_mode = false, null_padding = true, skip = "
_HISTORY_CELLS, _POSITION_CELLS = 14, 16
_DOLLARS = "sum(try_cast(amount as decimal(18, 2)))"


def _source(files: list[str], cells: list[str], dialect: str) -> str:
    columns = ", ".join(f"'{cell}': 'VARCHAR'" for cell in cells)
    return f"read_csv({files}, columns = {{{columns}}}, {dialect})"


def _numbered(count: int, **names: int) -> list[str]:
    by_place = {place: name for name, place in names.items()}
    return [by_place.get(place, f"c{place}") for place in range(count)]


def _files(book: Path, pattern: str) -> list[str]:
    return [str(path) for path in sorted(book.glob(pattern))]


def _header(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline().strip()


def _added_up(book: Path) -> Iterator[str]:
    """The one group-by, over the transactions of both layouts."""
    house = _files(book, "transactions_*.csv")
    header = _header(Path(house[0])).split(",")
    yield (
        f"select custodian, account_number, transaction_type, count(*) as rows, {_DOLLARS} "
        f"from {_source(house, header, _HOUSE)} group by all"
    )
    if history := _files(book, "Accounts_History_*.csv"):
        cells = _numbered(_HISTORY_CELLS, account=2, action=3, amount=12)
        source = _source(history, cells, f"{_FIDELITY}3")
        yield f"select account, action, count(*) as rows, {_DOLLARS} from {source} group by all"


def _counted(book: Path) -> Iterator[str]:
    """Every cell of the other files, by its layout."""
    by_header: dict[str, list[str]] = {}
    for path in sorted(book.glob("*.csv")):
        if path.name.startswith(("transactions_", "Accounts_History_", "Portfolio_Positions_")):
            continue
        by_header.setdefault(_header(path), []).append(str(path))
    for header, files in by_header.items():
        yield f"select count(columns(*)) from {_source(files, header.split(','), _HOUSE)}"
    if positions := _files(book, "Portfolio_Positions_*.csv"):
        yield f"select count(columns(*)) from {_source(positions, _numbered(_POSITION_CELLS), f'{_FIDELITY}1')}"


def main() -> None:
    """Read the book once and say how many transactions it has."""
    book = Path(sys.argv[1])
    with duckdb.connect() as database:
        rows = 0
        for query in _added_up(book):
            rows += int(database.sql(query).pl()["rows"].sum())
        for query in _counted(book):
            database.sql(query).fetchall()
    print(f"{rows:,} transactions added up")


if __name__ == "__main__":
    main()
