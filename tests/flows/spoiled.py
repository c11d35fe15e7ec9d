"""The demo book with one invented client's secrets planted in every kind of cell, file and file name there is."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from pathlib import Path

import openpyxl

from flows.demo import write_demo
from schemas.tables import HOUSE_KINDS, INPUT_TABLES
from tests.client_data import Secrets
from transforms.passwords import locked

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
NAME, TAX_ID, ACCOUNT = "Xanthippe Quackenbush", "900-11-2345", "887700551234"
PLANTED = ("Xanthippe", "Quackenbush", TAX_ID, TAX_ID.replace("-", ""), ACCOUNT, "8877-0055-1234")
#: A cell no column can take: neither a number, nor a date, nor a word of any vocabulary.
BAD = f"{NAME} {TAX_ID} {ACCOUNT}"


def write_spoiled(inbox: Path) -> Path:
    """The demo book, and beside it every way of being wrong, each holding the planted secrets."""
    write_demo(inbox)
    for kind in HOUSE_KINDS:
        _house(inbox, kind)
    for path in sorted((*GOLDEN.glob("profiles/*/*"), *GOLDEN.glob("structured/*/*"))):
        if path.suffix.lower() in {".csv", ".txt", ".ofx", ".qfx", ".xml", ".dat"} and path.name.count(".") < 3:
            _custodian(inbox, path)
    _containers(inbox)
    return inbox


def _house(inbox: Path, kind: str) -> None:
    """Rows with one bad cell each, a row of bad cells only, ragged rows, and headers that say too much."""
    names = [column.name for column in INPUT_TABLES[kind].columns]
    rows = [[BAD if at == bad else "" for at in range(len(names))] for bad in range(len(names))]
    rows += [[BAD] * len(names), [BAD], [BAD] * (len(names) + 3), [f"{ACCOUNT}E+05"] * len(names), [f'"{BAD}'] * 2]
    _write_csv(inbox / f"bad_{kind}_{ACCOUNT}.csv", [names, *rows])
    _write_csv(inbox / f"extra_{kind}.csv", [[*names, BAD, NAME], [BAD] * (len(names) + 2)])
    _write_csv(inbox / f"twice_{kind}.csv", [[*names, names[0], NAME, NAME], [BAD] * (len(names) + 3)])
    _write_csv(inbox / f"no_header_{kind}.csv", [[BAD] * len(names)] * 2)


def _write_csv(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def _custodian(inbox: Path, sample: Path) -> None:
    """A custodian's file with its cells spoiled, a line too many, cut in the middle, and in a wrong encoding."""
    text = sample.read_bytes().decode("utf-8", "replace")
    lines = text.splitlines(keepends=True)
    label = f"{sample.parent.name}_{sample.name}"
    middle = len(lines) // 2
    spoiled = [line if at < 2 else re.sub(r"(?<=[,|>])[^,|<>\r\n]+", BAD, line) for at, line in enumerate(lines)]
    (inbox / f"cells_{label}").write_text("".join(spoiled), encoding="utf-8")
    (inbox / f"line_{label}").write_text("".join([*lines[:middle], BAD + "\n", *lines[middle:]]), encoding="utf-8")
    (inbox / f"cut_{label}").write_bytes((BAD + text[: len(text) // 2]).encode())
    (inbox / f"wide_{label}").write_bytes(text.replace("0", NAME[:1]).encode("utf-16") + BAD.encode())


def _containers(inbox: Path) -> None:
    """Workbooks, archives and encrypted files that hold the secrets, damaged in their ways."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = f"bal {ACCOUNT}"
    for row in (
        ["custodian", "account_number", "as_of", "market_value"],
        [BAD] * 4,
        [BAD, 887700551234.5, BAD, "=1/0"],
    ):
        sheet.append(row)
    book.create_sheet(f"x {ACCOUNT}").append([BAD])
    book.create_sheet("hidden").sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    workbook = out.getvalue()
    (inbox / f"book {TAX_ID} {ACCOUNT}.xlsx").write_bytes(workbook)
    (inbox / "damaged.xlsx").write_bytes(workbook[: len(workbook) // 2])
    (inbox / "locked.xlsx").write_bytes(locked(workbook, "a password nobody has"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"../{ACCOUNT}.csv", BAD)
        archive.writestr(f"in/{ACCOUNT} {TAX_ID}.csv", f"custodian,account_number,as_of,market_value\n{BAD},,,\n")
    (inbox / f"archive_{ACCOUNT}.zip").write_bytes(packed.getvalue())
    (inbox / "damaged.zip").write_bytes(packed.getvalue()[:90])
    (inbox / "damaged.csv.gz").write_bytes(gzip.compress(BAD.encode() * 50)[:60])
    (inbox / "message.csv.asc").write_text(f"-----BEGIN PGP MESSAGE-----\n\n{BAD}\n", encoding="utf-8")
    (inbox / "nul.csv").write_bytes(b"custodian,account_number,as_of,market_value\n\0" + BAD.encode())
    (inbox / f"text {ACCOUNT}.txt").write_text(BAD, encoding="utf-8")
    (inbox / f"late_{ACCOUNT}.csv.part").write_text(BAD, encoding="utf-8")


def secrets_of(inbox: Path) -> list[str]:
    """What must be said nowhere: the planted secrets, and every client's name, tax id and account number."""
    return sorted({*PLANTED, *Secrets.of(inbox).every})
