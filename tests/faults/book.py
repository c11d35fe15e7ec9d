"""The book the faults are put to: four nights of two advisors, with what goes wrong in any book."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tests.flows.past_nights import BALANCES, MARKED, NIGHTS

#: A firm's key, so that every book of a campaign hashes alike.
KEY = "0123456789abcdef" * 4 + "\n"
YEAR = "2026"
_SECOND = {
    "advisors 2.csv": "advisor_id,advisor_name,email,rep_codes\nADV2,Advisor Two,,R2\n",
    "persons 2.csv": (
        "person_id,household_id,advisor_id,given_name,family_name,birth_date,tax_id,spouse_person_id\n"
        "P2,H2,ADV2,Ottoline,Featherstonehaugh,1970-01-02,900-22-3456,\n"
    ),
    "profiles 2.csv": (
        "person_id,tax_year,filing_status,roth_magi,deduction_magi,compensation,active_participant,all_iras_reported\n"
        "P2,2026,single,90000,90000,90000,true,true\n"
    ),
    "accounts 2.csv": (
        "custodian,account_number,account_type,person_id,owner_tax_id,plan_id\n"
        "testcust,887700559999,traditional_ira,P2,,\n"
    ),
}


def _zipped(name: str, text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name, (2027, 2, 1, 0, 0, 0)), text)
    return packed.getvalue()


def nights(marked: bytes | None = None) -> dict[str, dict[str, bytes]]:
    """What arrives before each night: name and bytes by as-of date. Always the same bytes.

    `marked` is an advisor's workbook that comes back on the third night.
    """
    found = {as_of: {name: text.encode() for name, text in files.items()} for as_of, files in NIGHTS.items()}
    first, second = list(found)[:2]
    found[first] |= {name: text.encode() for name, text in _SECOND.items()}
    found[second]["more.zip"] = _zipped("values.csv", BALANCES + "testcust,887700559999,2026-12-31,1234\n")
    if marked:
        found[MARKED]["ADV1.xlsx"] = marked
    return found


SECRETS = ("Zebulon", "Quackenbush", "Ottoline", "Featherstonehaugh", "900-11-2345", "900112345", "900-22-3456",
           "887700551234", "887700555678", "887700559999")  # fmt: skip


def drop(inbox: Path, files: dict[str, bytes]) -> None:
    """Put files into the inbox."""
    inbox.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (inbox / name).write_bytes(data)


def lying(inbox: Path) -> dict[str, bytes]:
    """What lies in the inbox."""
    return {
        path.relative_to(inbox).as_posix(): path.read_bytes() for path in sorted(inbox.rglob("*")) if path.is_file()
    }


def empty(inbox: Path) -> None:
    """What a firm may do after a run that ended with 0 or 1."""
    for path in inbox.iterdir():
        path.unlink()
