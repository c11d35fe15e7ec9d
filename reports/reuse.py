"""An advisor's workbook is known by what it shows, so that one that would come out the same isn't written again.

Whatever a workbook is made of goes into its fingerprint: the rows of its clients, the shared figures, the as-of date,
the tax years, the firm, the versions of Rothbook and of what lays it out, and the code itself. Another as-of date is
another workbook: days left, severities near a deadline and every page's footer go by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version as version_of
from pathlib import Path

from reports.book import Advisor, Book

#: The code a workbook's looks and words come from.
_CODE = ("reports", "schemas", "limits")
_KINDS = (".py", ".toml")
_PACKAGES = ("openpyxl", "polars")


@dataclass(frozen=True)
class Earlier:
    """The advisors' workbooks of an earlier run: their fingerprints by file name, and how to read one.

    `read` gives the bytes as the run wrote them, or None if the file isn't there or isn't that any more.
    """

    fingerprints: Mapping[str, str]
    read: Callable[[str], bytes | None]

    def of(self, file_name: str, fingerprint: str) -> bytes | None:
        """The bytes of the workbook `file_name` if it shows just what `fingerprint` stands for."""
        return self.read(file_name) if self.fingerprints.get(file_name) == fingerprint else None


def fingerprint(advisor: Advisor, own: Book, firm: str) -> str:
    """sha256 over all that the workbook of `advisor` is made of, `own` being the book of their own clients' rows."""
    made_of = hashlib.sha256(_software().encode())
    facts = (advisor.advisor_id, advisor.name, advisor.file_name, own.as_of, own.tax_years, own.version, firm)
    made_of.update(_text(facts))
    for name, frame in sorted(own.frames.items()):
        made_of.update(_text((name, frame.columns, list(map(str, frame.dtypes)), frame.to_dict(as_series=False))))
    return made_of.hexdigest()


def _text(value: object) -> bytes:
    return json.dumps(value, default=str).encode()


@lru_cache
def _software() -> str:
    root = Path(__file__).parents[1]
    code = hashlib.sha256()
    for path in sorted(path for folder in _CODE for path in (root / folder).rglob("*") if path.suffix in _KINDS):
        code.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return " ".join((code.hexdigest(), *(f"{name} {version_of(name)}" for name in _PACKAGES)))
