"""ofxtools' tree builder, told to skip nothing. Importing ofxtools takes long, so only a file that is OFX does it."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element
from xml.sax.saxutils import unescape

from ofxtools.Parser import ParseError, TreeBuilder

from transforms.intake.ofx import LAST, LINE


class Placed(TreeBuilder):
    """ofxtools' builder; each element also knows the first and last line it is on, and nothing is skipped over."""

    # as ofxtools', but a CDATA section ends at its own end, and text may be empty inside CDATA
    regex = re.compile(
        r"<(?P<tag>[A-Z0-9./_ ]+?)>"
        r"(?:<!\[CDATA\[(?P<cdata>.*?)\]\]>|(?P<text>[^<]+))?"
        r"(?:</(?P<closetag>(?P=tag))>)?(?P<tail>[^<]+)?",
        re.DOTALL,
    )

    def feed(self, data: str) -> None:
        """Build from the whole text; raises `ParseError` where it isn't OFX (the error quotes nothing)."""
        self._line, done = 1, 0
        self._opened: list[Element] = []
        for match in self.regex.finditer(data):
            if data[done : match.start()].strip() or (match["tail"] or "").strip():
                raise ParseError("text between elements")
            self._line += data.count("\n", done, match.start())
            text = match["cdata"] if match["cdata"] is not None else unescape((match["text"] or "").strip())
            tag, closed = match["tag"].strip(), match["closetag"]
            if tag.endswith("/"):  # an empty element of XML
                tag = closed = tag.rstrip("/ ")
            self._feedmatch(tag, text or None, closed)
            self._line += data.count("\n", match.start(), match.end())
            done = match.end()
        if data[done:].strip():
            raise ParseError("text after the last element")

    def _start(self, tag: str, text: str | None, closetag: str | None) -> None:
        self._opened.append(self.start(tag, {LINE: str(self._line)}))
        if text:
            self.data(text)
        if text or closetag:
            self.end(tag)

    def end(self, tag: str) -> Element:
        """Close the element; its last line is the line of what closes it. SGML leaves an empty element open."""
        while self._opened and self._opened[-1].tag != tag and self._is_empty(self._opened[-1]):
            super().end(self._opened.pop().tag)
        if not self._opened or self._opened[-1].tag != tag:
            raise ParseError("elements closed out of order")
        element = super().end(self._opened.pop().tag)
        element.set(LAST, str(self._line))
        return element

    def _is_empty(self, element: Element) -> bool:
        return len(element) == 0 and not element.text
