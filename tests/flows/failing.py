"""Stages that fail in words that quote a client, as libraries do; `python -m tests.flows.failing STAGE ARGUMENT...`
starts the command line with that stage failing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import duckdb
import pandera.polars as pa
import polars as pl

from tests.flows.spoiled import BAD


def by_pandera(*_: object, **__: object) -> None:
    frame = pl.DataFrame({"tax_id": [BAD]})
    pa.DataFrameSchema({"tax_id": pa.Column(str, pa.Check.str_length(max_value=9))}).validate(frame, lazy=True)


def by_polars(*_: object, **__: object) -> None:
    pl.DataFrame({"market_value": [BAD]}).select(pl.col("market_value").cast(pl.Int64))


def by_duckdb(*_: object, **__: object) -> None:
    duckdb.sql("select $cell::integer", params={"cell": BAD}).fetchall()


def by_a_file(*_: object, **__: object) -> None:
    Path(f"/nowhere/{BAD}").read_bytes()


def by_a_chain(*_: object, **__: object) -> None:
    try:
        int(BAD)
    except ValueError as error:
        raise RuntimeError(BAD) from error


class Quoting(Exception):
    """An exception whose attributes and notes quote a cell as well."""


def by_notes(*_: object, **__: object) -> None:
    error = Quoting(BAD)
    error.cell = BAD  # type: ignore[attr-defined]
    error.add_note(BAD)
    raise error


#: Where each stage is made to fail, and with whose exception.
STAGES: dict[str, tuple[str, Callable[..., None]]] = {
    "take in": ("transforms.intake.deliver", by_a_file),
    "read": ("transforms.intake.read_book", by_pandera),
    "compute": ("transforms.engine.compute", by_duckdb),
    "report": ("reports.write_workbooks", by_polars),
    "complete run.json": ("flows.pipeline._complete", by_notes),
    "publish": ("flows.run_folder.RunFolder.publish", by_a_file),
}


def main(argv: list[str]) -> int:
    """Run the command line on `argv[1:]` with stage `argv[0]` failing."""
    from flows.cli import main as rothbook

    where, fail = STAGES[argv[0]]
    with patch(where, fail):
        return rothbook(argv[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
