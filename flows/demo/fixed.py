"""Fixed-width lines: a line is a length and the text at each 1-based position."""

from __future__ import annotations


def fixed(length: int, *fields: tuple[int, str]) -> str:
    """A line of `length` spaces with every text written at its position; a text that does not fit is an error."""
    line = [" "] * length
    for start, text in fields:
        end = start - 1 + len(text)
        if end > length:
            raise ValueError(f"{len(text)} characters at position {start} do not fit in {length}")
        line[start - 1 : end] = text
    return "".join(line)
