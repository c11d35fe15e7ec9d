"""What somebody dropped by mistake is told as what it is: a picture, a web page, a table written another way."""

import zlib
from pathlib import Path

import pytest

from transforms.intake import check_file

HEADER = "person_id,household_id,advisor_id,given_name,family_name"
ROW = "P1,H1,A1,Zebulon,Quackenbush"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + zlib.compress(b"\0" * 64)


def other(delimiter: str) -> str:
    return f"{HEADER}\n{ROW}\n".replace(",", delimiter)


@pytest.mark.parametrize(
    ("content", "rule", "told"),
    [
        pytest.param(PNG, "not_text", "a PNG picture", id="picture"),
        pytest.param(b"\xff\xd8\xff\xe0\0\x10JFIF", "not_text", "a JPEG picture", id="photograph"),
        pytest.param(b"{\\rtf1 x}", "not_text", "an RTF document", id="document"),
        pytest.param(b"<!DOCTYPE html><html>Sign in</html>\n", "not_text", "a web page", id="login page"),
        pytest.param(b'{"rows": []}\n', "not_a_table", "JSON", id="JSON"),
        pytest.param(b"<?xml version='1.0'?><a/>\n", "not_a_table", "XML", id="XML"),
        pytest.param(HEADER.encode("utf-16"), "wrong_encoding", "UTF-16 text", id="UTF-16"),
        pytest.param(b"x" * 10_000_000, "line_too_long", "line 1 has more than 65,536", id="one line of 10 MB"),
        pytest.param(
            f"{HEADER}\nP1,H1,A1,{'x' * 10_000_000},y\n".encode(),
            "line_too_long",
            "line 2 has more than 32,768 characters",
            id="a cell of 10 MB",
        ),
        pytest.param(f'{HEADER}\nP1,H1,A1,"x,y\n'.encode(), "quotes_broken", "line 2: a quoted cell", id="quote"),
        pytest.param(
            f"{HEADER.title()}\n{ROW}\n".encode(),
            "kind_not_known",
            "house kind persons: its column names must be in lower case: person_id, advisor_id",
            id="upper and lower case",
        ),
        pytest.param(other(";").encode(), "wrong_delimiter", "semicolons part the columns", id=";"),
        pytest.param(other("\t").encode(), "wrong_delimiter", "tabs part the columns", id="tab"),
        pytest.param(
            other(";").title().encode(),
            "kind_not_known",
            "parted by semicolons: export it with commas between them; its column names must be in lower case",
            id="both",
        ),
        pytest.param(b"a;b\n1;2\n", "kind_not_known", "not a source this book knows", id="another table"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_says_what_it_is(tmp_path: Path, content: bytes, rule: str, told: str) -> None:
    (tmp_path / "dropped.csv").write_bytes(content)
    check = check_file(tmp_path / "dropped.csv", b"a key only for this test")
    said = "\n".join(check.lines())
    assert check.reading.error is not None
    assert check.reading.error.rule == rule
    assert told in said
    assert "Quackenbush" not in said
