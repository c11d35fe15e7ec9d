"""Files that say of themselves that they are a test: they are refused, whatever they hold."""

from __future__ import annotations

import re

from transforms.intake.lines import FileSetAside

#: The part of a name by which senders tell acceptance tests from production (`_UAT.DAT` beside `_PRD.DAT`).
_NAME = re.compile(r"(?:^|[_./-])UAT(?=[_./\[-]|$)", re.IGNORECASE)
_FIRST_LINE = b"TESTEDT"


def refuse_test_file(file_name: str, data: bytes = b"") -> None:
    """Raises `FileSetAside` for `_UAT` in the name of a file, its archive or folder, and for `TESTEDT` at its start."""
    if _NAME.search(file_name):
        raise FileSetAside("test_file", "the file name says it is a test file (UAT); test files are refused")
    if data.startswith(_FIRST_LINE):
        raise FileSetAside("test_file", "line 1 says that this is a test file; test files are refused")
