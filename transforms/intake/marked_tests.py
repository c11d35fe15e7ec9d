"""Files that say of themselves that they are a test: they are refused, whatever they hold."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from transforms.intake.lines import FileSetAside

#: The part of a name by which senders tell acceptance tests from production (`_UAT.DAT` beside `_PRD.DAT`).
_NAME = re.compile(r"(?:^|[_.-])UAT(?=[_.-]|$)", re.IGNORECASE)
_FIRST_LINE = "TESTEDT"


def refuse_test_file(file_name: str, first_line: str) -> None:
    """Raises `FileSetAside` for a `_UAT` file name of any source, and for a first line that begins with `TESTEDT`."""
    if _NAME.search(PurePosixPath(file_name).name):
        raise FileSetAside("test_file", "the file name says it is a test file (UAT); test files are refused")
    if first_line.startswith(_FIRST_LINE):
        raise FileSetAside("test_file", "line 1 says that this is a test file; test files are refused")
