"""How large a file may be, in bytes, lines, columns and elements: what keeps memory and time of a night bounded.

A file over a bound is set aside by name with what to do about it. The bounds lie well above what custodians send in
one file; what a service bureau's largest files need is the business of reading them in parts.
"""

from __future__ import annotations

import re

from transforms.intake.lines import FileSetAside, line_count

#: Bytes of one text file, on its own or as a member of an archive: a large firm's year of transactions is 1 GB or so.
MAX_FILE_BYTES = 4 * 1024**3
#: Physical lines of one text file: each costs memory, even a blank one. 100,000 clients make ten million rows a year.
MAX_LINES = 20_000_000
#: Elements of one OFX or Flex file.
MAX_ELEMENTS = 2_000_000
_DECLARED = re.compile(rb"""\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([^"']*)["']""")
#: What XML may declare: it is read as UTF-8, of which the others are a part as far as they are used.
_ENCODINGS = (b"UTF-8", b"US-ASCII", b"ASCII", b"ISO-8859-1")


def declares_another_encoding(xml: bytes) -> bool:
    """True for XML that declares an encoding it isn't read in; Python knows many that no file should choose."""
    declared = _DECLARED.match(xml)
    return declared is not None and declared.group(1).upper() not in _ENCODINGS


def refuse_too_large(data: bytes) -> None:
    """Raises `FileSetAside` for a text of more bytes or lines than a file may have."""
    if len(data) > MAX_FILE_BYTES:
        raise FileSetAside(
            "file_too_large", f"the file has more than {MAX_FILE_BYTES // 1024**2} MiB; split it and drop the parts"
        )
    if line_count(data) > MAX_LINES:
        raise FileSetAside("too_many_lines", f"the file has more than {MAX_LINES:,} lines; split it and drop the parts")


def refuse_too_many_elements(data: bytes) -> None:
    """Raises `FileSetAside` for an OFX or XML text of more elements than a file may have."""
    if data.count(b"<") > 2 * MAX_ELEMENTS:
        raise FileSetAside(
            "too_many_elements", f"the file has more than {MAX_ELEMENTS:,} elements; export a shorter period"
        )
