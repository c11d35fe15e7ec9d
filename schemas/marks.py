"""What an advisor writes beside a finding, as the sheet Exceptions offers it and as it comes back.

Headers, choices and the names of the workbook's properties are here once, for the writer and the reader. So are the
thresholds that bring a finding back which was put aside.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.accounts import mask_digits

#: In the order that decides between two answers of the same day: what keeps a finding in sight comes first.
MARK_STATUSES = ("to do", "in progress", "waiting", "done", "dismissed")

FINDING_ID = "Finding id"
MARK_ID = "Mark id"
#: Field of a mark -> header of the column it is written in.
MARK_HEADERS = {"status": "Your status", "owner": "Owner", "note": "Note", "snooze_until": "Snooze until"}
#: What the row showed when the mark was made -> header of its column.
SHOWN_HEADERS = {"amount_shown": "Dollars", "deadline_shown": "Deadline", "severity_shown": "Severity"}

#: Custom document properties by which a workbook is known when it comes back.
KIND_PROPERTY, ADVISOR_WORKBOOK = "rothbook_kind", "advisor"
FIRM_PROPERTY = "rothbook_firm"
ADVISOR_PROPERTY = "rothbook_advisor"
AS_OF_PROPERTY = "rothbook_as_of"

_PART, _STATE = 5, 8
_ID_PARTS = 1 + len(MARK_HEADERS)
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
#: Text a spreadsheet would read as a coded character when it opens the file again.
_CODED = re.compile(r"_(x[0-9A-Fa-f]{4}_)")
_TAX_ID = re.compile(r"(?<!\d)\d{3}[- ]\d{2}[- ]\d{4}(?!\d)")
#: An account number; amounts, ZIP codes and years are shorter.
_LONG_NUMBER = re.compile(r"\d{8,}")


@dataclass(frozen=True)
class ComesBack:
    """When a finding that was put aside returns, beside a severity that rose and a snooze date that has come.

    Its dollars moved by more than `percent` of what they were and at least `dollars`; or its deadline is within `days`
    and wasn't when the mark was made.
    """

    percent: int = 20
    dollars: Decimal = Decimal("500.00")
    days: int = 30

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> ComesBack:
        """The thresholds `facts` gives back, or whole dollars as a configuration states them."""
        return cls(int(facts["percent"]), Decimal(str(facts["dollars"])).quantize(Decimal("0.01")), int(facts["days"]))

    def facts(self) -> dict[str, int | str]:
        """As JSON keeps them."""
        return {"percent": self.percent, "dollars": str(self.dollars), "days": self.days}


#: What counts where the firm's configuration says nothing else.
COMES_BACK = ComesBack()


def clean_mark(text: str) -> str:
    """What was typed, as it is kept and shown again: no control characters, no tax id, no long number in full."""
    plain = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    hidden = _LONG_NUMBER.sub(lambda found: mask_digits(found.group()), _TAX_ID.sub("[tax id]", plain))
    return _CODED.sub(r"_ \1", hidden).strip()


def mark_state(reading_id: str | None) -> str:
    """The letters by which a workbook says which mark stood when it was written; of no mark, those of nothing."""
    return _letters(reading_id or "", _STATE)


def mark_id(finding_id: str, shown: Mapping[str, str | None], state: str | None) -> str:
    """What a row carries beside its mark: letters for the finding, for each field as shown, and the mark in force."""
    return (
        _letters(finding_id)
        + "".join(map(mark_part, (shown.get(f) for f in MARK_HEADERS)))
        + (state or mark_state(None))
    )


def mark_part(text: str | None) -> str:
    """The letters of one field; texts that differ in white space only have the same."""
    return _letters(" ".join((text or "").split()))


@dataclass(frozen=True)
class ShownMark:
    """A Mark id taken apart: the letters of the finding, of each field, and of the mark in force."""

    finding: str
    fields: dict[str, str]
    state: str


def shown_mark(text: str | None) -> ShownMark | None:
    """The parts of a Mark id; None if the text is none."""
    if text is None or re.fullmatch(f"[a-p]{{{_PART * _ID_PARTS + _STATE}}}", text) is None:
        return None
    parts = [text[n * _PART : (n + 1) * _PART] for n in range(_ID_PARTS)]
    return ShownMark(parts[0], dict(zip(MARK_HEADERS, parts[1:], strict=True)), text[-_STATE:])


def finding_part(finding_id: str) -> str:
    """The letters of a finding in a Mark id."""
    return _letters(finding_id)


def _letters(text: str, length: int = _PART) -> str:
    """The start of a hash in the letters a to p: a cell of letters is never taken for a number."""
    return hashlib.sha256(text.encode()).hexdigest()[:length].translate(_LETTERS)
