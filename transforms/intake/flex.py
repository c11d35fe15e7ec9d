"""Interactive Brokers Flex queries (XML), read event by event with defusedxml: no DTD, no entities, nothing fetched."""

from __future__ import annotations

import re
from io import BytesIO
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from schemas.trees import tree_profile
from transforms.intake.bounds import declares_another_encoding
from transforms.intake.lines import FileSetAside, decode
from transforms.intake.trees import Row, Tree, few, physical_lines

_START = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!DOCTYPE\b.*)?<FlexQueryResponse\b", re.DOTALL)
_HEAD = 65_536


def is_flex(data: bytes) -> bool:
    """True when the bytes start as a Flex query does."""
    return _START.match(data[:_HEAD]) is not None


def read_flex(data: bytes) -> tuple[Tree, list[str]]:
    """The records of a Flex query and its physical lines; raises `FileSetAside` for what isn't whole, safe XML."""
    if declares_another_encoding(data):
        raise FileSetAside(
            "wrong_encoding", "line 1: the XML declares another encoding than UTF-8; fetch the file again as UTF-8"
        )
    lines = physical_lines(decode(data, "utf-8-sig"))
    handler = _Elements()
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(handler)
    try:
        parser.parse(BytesIO(data))
    except DefusedXmlException:
        raise FileSetAside(
            "dtd_refused", "the file declares a DTD or entities, which Flex has no use for; it isn't read"
        ) from None
    except SAXParseException as bad:
        raise FileSetAside(
            "not_well_formed", f"line {bad.getLineNumber()}: not well-formed XML; the file is cut off, fetch it again"
        ) from None
    _check_count(handler)
    tree = Tree(tree_profile("ibkr-flex").profile)
    if lines and lines[0].lstrip("\ufeff").startswith("<?xml"):
        tree.header_lines = 1
    for found in handler.found:
        _record(found, tree)
    _note_unknown(handler, tree)
    return tree, lines


class _Found:
    """One element: its name, attributes, and first and last line."""

    def __init__(self, tag: str, given: dict[str, str], line: int) -> None:
        self.tag, self.given, self.first, self.last = tag, given, line, line

    def get(self, *names: str) -> str | None:
        """The first of the attributes that holds anything."""
        return next((self.given[n] for n in names if self.given.get(n)), None)


class _Elements(ContentHandler):
    """Every element in document order. A start tag may run over lines: it ends where the next event begins."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Found] = []
        self._place: Locator | None = None
        self._open: _Found | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 - the name is SAX's
        self._place = locator

    def _line(self) -> int:
        return int(self._place.getLineNumber() or 0) if self._place else 0

    def _close(self) -> None:
        if self._open is not None:
            self._open.last = max(self._open.last, self._line())
            self._open = None

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - the name is SAX's
        self._close()
        self._open = _Found(name, dict(attrs.items()), self._line())
        self.found.append(self._open)

    def characters(self, content: str) -> None:  # noqa: ARG002 - the signature is SAX's
        self._close()


def _check_count(handler: _Elements) -> None:
    stated = [f.get("count") for f in handler.found if f.tag == "FlexStatements"]
    statements = sum(f.tag == "FlexStatement" for f in handler.found)
    if stated[:1] != [str(statements)]:
        raise FileSetAside(
            "count_differs", f"FlexStatements states another number of statements than the {statements} in the file"
        )


def _record(found: _Found, tree: Tree) -> None:
    builder = {
        "AccountInformation": ("accounts", _account), "CashTransaction": ("transactions", _cash),
        "Transfer": ("transactions", _transfer), "Trade": ("transactions", _trade),
        "EquitySummaryByReportDateInBase": ("positions", _value),
    }.get(found.tag)  # fmt: skip
    if builder is None:
        return
    if found.get("levelOfDetail") == "SUMMARY":
        tree.subtotal_spans.append((found.first, found.last))  # the sum of detail rows that are in the file as well
        return
    section, row = builder
    tree.add(section, found.first, found.last, row(found))


def _account(found: _Found) -> Row:
    return {
        "account": found.get("accountId"), "label": found.get("customerType", "accountType") or "account",
        "owner_name": found.get("name"), "opened_on": found.get("dateOpened"),
    }  # fmt: skip


def _shared(found: _Found, action: str | None, day: str | None, amount: str | None) -> Row:
    """A transaction; the amount of one in another currency isn't known in dollars."""
    return {
        "account": found.get("accountId"), "action": action, "date": _date(day), "symbol": found.get("transactionID"),
        "quantity": found.get("quantity"), "description": found.get("description"),
        "amount": amount if found.get("currency") in (None, "USD") else None,
    }  # fmt: skip


def _cash(found: _Found) -> Row:
    return _shared(found, found.get("type"), found.get("dateTime", "reportDate"), found.get("amount"))


def _transfer(found: _Found) -> Row:
    direction, amount = found.get("direction") or "", found.get("cashTransfer")
    if amount is not None and not amount.strip("0.-"):
        amount = None  # shares moved, not cash
    if amount is not None and direction == "OUT":
        amount = "-" + amount.lstrip("-")
    other = f" account:{found.get('account')}" if found.get("account") else ""
    action = f"Transfer {found.get('type') or ''} {direction}".strip() + other
    return _shared(found, action, found.get("date", "dateTime", "reportDate"), amount)


def _trade(found: _Found) -> Row:
    return _shared(found, "Trade", found.get("tradeDate", "dateTime"), found.get("netCash"))


def _value(found: _Found) -> Row:
    value = found.get("total") if found.get("currency") in (None, "USD") else None
    return {"account": found.get("accountId"), "as_of": _date(found.get("reportDate")), "value": value}


def _date(text: str | None) -> str | None:
    """The date of a Flex date or date-time (`20260227;093000`)."""
    return re.split(r"[;, ]", text)[0] if text else None


def _note_unknown(handler: _Elements, tree: Tree) -> None:
    known = tree_profile("ibkr-flex").elements
    sections = {f.tag for f in handler.found} - known.keys()
    attributes = {f"{f.tag}.{a}" for f in handler.found if f.tag in known for a in f.given} - {
        f"{tag}.{a}" for tag, names in known.items() for a in names}  # fmt: skip
    if sections:
        tree.notes.append("sections not used: " + few(sections))
    if attributes:
        tree.notes.append("attributes not used: " + few(attributes))
