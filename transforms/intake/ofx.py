"""OFX 1.x (SGML), OFX 2.x (XML) and QFX, through ofxtools' tree builder: accounts, whole values and transactions.

Read as it is written: days are the institution's own (an OFX time is cut to its date, never moved to another zone) and
amounts stay the text of the file. ofxtools' typed models aren't used: they turn times into UTC, which moves events to
another day, and refuse files that institutions do write.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element

from schemas.trees import Institution, of_custodian, tree_profile
from transforms.intake.frames import CENT, cents
from transforms.intake.lines import FileSetAside, decode
from transforms.intake.trees import Row, Tree, few, physical_lines

_START = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:OFXHEADER\s*:|<\?OFX\b|<OFX>|<\?xml[^>]*\?>\s*<\?OFX\b|<\?xml[^>]*\?>\s*<OFX>)"
)
_CHARSET = {"1252": "cp1252", "ISO-8859-1": "iso-8859-1", "UTF-8": "utf-8-sig", "NONE": "utf-8-sig"}
#: Attributes of an element: the first and the last line it is on.
LINE, LAST = "line", "last"
#: Digits before the point, and noughts after it, of a number that is computed with: products stay exact in cents.
_MOST_DIGITS = 12
_SHAPE = "the file isn't whole, well-formed OFX; fetch it again"


def is_ofx(data: bytes) -> bool:
    """True when the bytes start as OFX does."""
    return _START.match(data[:2000]) is not None


def read_ofx(data: bytes) -> tuple[Tree, list[str]]:
    """The records of an OFX file and its physical lines; raises `FileSetAside` for what isn't whole, known OFX."""
    text = decode(data, _encoding(data)).replace("\r\n", "\n").replace("\r", "\n")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise FileSetAside(
            "dtd_refused", "the file declares a DTD or entities, which OFX has no use for; it isn't read"
        )
    lines = physical_lines(text)
    root, header = _parse(text)
    _refuse_errors(root)
    institution = _institution(root)
    tree = Tree(of_custodian("ofx", institution.custodian), header_lines=header)
    statements = [s for s in root.iter() if s.tag in ("INVSTMTRS", "STMTRS")]
    for statement in statements:
        (_investment if statement.tag == "INVSTMTRS" else _bank)(statement, institution, tree)
    if not statements:
        raise FileSetAside("no_statement", "the file holds no investment or bank statement; nothing of it can be used")
    _note_others(root, tree)
    return tree, lines


def _encoding(data: bytes) -> str:
    head = data[:2000].split(b"<OFX>")[0]
    charset = re.search(rb"CHARSET\s*:\s*([A-Za-z0-9-]+)", head)
    if b"<?xml" in head or charset is None or re.search(rb"ENCODING\s*:\s*(UTF-8|UNICODE)", head):
        return "utf-8-sig"
    return _CHARSET.get(charset.group(1).decode().upper(), "utf-8-sig")


def _parse(text: str) -> tuple[Element, int]:
    start = text.find("<OFX>")
    if start < 0 or not text.rstrip().endswith("</OFX>"):
        raise FileSetAside("incomplete_file", "the file doesn't end with </OFX>: it is cut off; fetch it again")
    header = text.count("\n", 0, start)
    from transforms.intake.ofx_tree import Placed  # noqa: PLC0415 - slow to import

    builder = Placed()
    try:
        builder.feed("\n" * header + text[start:])
        root = builder.close()  # refuses elements that are still open
    except (SyntaxError, AssertionError, IndexError):  # ofxtools and ElementTree each have a ParseError of their own
        raise FileSetAside("not_well_formed", _SHAPE) from None
    if root.tag != "OFX":
        raise FileSetAside("not_well_formed", _SHAPE)
    return root, header


def _refuse_errors(root: Element) -> None:
    if any(s.findtext("SEVERITY") == "ERROR" for s in root.iter("STATUS")):
        raise FileSetAside("statement_failed", "the institution answered with an error; fetch the statement again")


def _institution(root: Element) -> Institution:
    """Whose file it is: ORG, FID and BROKERID must name one known custodian between them, without contradiction."""
    known = tree_profile("ofx").institutions
    stated = (("org", "ORG"), ("fid", "FID"), ("broker", "BROKERID"))
    named = {
        institution.custodian: institution
        for key, tag in stated
        for element in root.iter(tag)
        for institution in known
        if (element.text or "").strip().lower() in {name.lower() for name in getattr(institution, key)}
    }
    if len(named) > 1:
        raise FileSetAside("several_kinds_fit", "ORG, FID and BROKERID name different custodians; fetch the file again")
    if not named:
        raise FileSetAside(
            "custodian_not_known",
            "ORG, FID and BROKERID name no custodian of schemas/structured/ofx.toml; add it there",
        )
    return next(iter(named.values()))


def _place(element: Element) -> tuple[int, int]:
    return int(element.attrib[LINE]), int(element.attrib[LAST])


def _day(text: str | None) -> str | None:
    return text[:8] if text else None


def _dollars(statement: Element) -> None:
    if (statement.findtext("CURDEF") or "USD") != "USD":
        raise FileSetAside("not_us_dollars", "a statement is in another currency than US dollars; it isn't converted")


def _investment(statement: Element, institution: Institution, tree: Tree) -> None:
    _dollars(statement)
    account = statement.findtext("INVACCTFROM/ACCTID")
    plan = statement.find("INV401K") is not None or statement.find("INV401KBAL") is not None
    label = "401K" if plan else statement.findtext("INVACCTFROM/USPRODUCTTYPE") or "investment account"
    _account(statement.find("INVACCTFROM"), statement, account, label, tree)
    for event in statement.iterfind("INVTRANLIST/*"):
        if event.tag not in ("DTSTART", "DTEND"):
            tree.add("transactions", *_place(event), _event(event, account, institution))
    _whole_value(statement, account, tree, plan=plan)


def _account(stated: Element | None, statement: Element, account: str | None, label: str, tree: Tree) -> None:
    first, last = _place(statement if stated is None else stated)
    if stated is None:
        last = first
    tree.add("accounts", first, last, {"account": account, "label": label})


def _event(event: Element, account: str | None, institution: Institution) -> Row:
    kind = next(
        (
            event.findtext(f".//{t}")
            for t in ("TFERACTION", "TRNTYPE", "INCOMETYPE")
            if event.find(f".//{t}") is not None
        ),
        None,
    )
    memo = event.findtext(".//MEMO") or event.findtext(".//NAME")
    stated = institution.memo_code.match(memo) if institution.memo_code and memo else None
    corrects = "CORRECTION" if event.find(".//CORRECTFITID") is not None else None
    words = (corrects, event.tag, kind, stated and stated.group(), event.findtext(".//INV401KSOURCE"))
    return {
        "account": account,
        "date": _day(event.findtext(".//DTTRADE") or event.findtext(".//DTPOSTED")),
        "action": " ".join(w for w in words if w),
        # the institution's own id stands where other layouts have the symbol: it is a part of the row's id
        "symbol": event.findtext(".//FITID"),
        "quantity": event.findtext(".//UNITS"),
        "description": memo,
        "amount": _amount(event),
    }


def _amount(event: Element) -> str | None:
    """The stated total; of shares moved their units times the stated price, in cents; None in another currency."""
    if any(c.text != "USD" for c in event.iter("CURSYM")):
        return None
    stated = event.findtext(".//TOTAL") or event.findtext(".//TRNAMT")
    if stated is not None or event.tag != "TRANSFER":
        return stated
    units, price = _decimal(event.findtext("UNITS")), _decimal(event.findtext("UNITPRICE"))
    if units is None or not price:
        return None  # a price of nought is no value
    value = abs(cents(units * price))
    return f"{-value if event.findtext('TFERACTION') == 'OUT' else value:f}"


def _decimal(text: str | None) -> Decimal | None:
    """The number a text states; None where it states none, or one no account has (1e308, NaN, Infinity)."""
    try:
        value = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() and abs(value.adjusted()) < _MOST_DIGITS else None


def _whole_value(statement: Element, account: str | None, tree: Tree, *, plan: bool) -> None:
    """The positions and the cash as position rows, where they certainly are the account's whole value."""
    positions, cash = statement.find("INVPOSLIST"), statement.find("INVBAL")
    if positions is None:
        return  # transactions only: the file doesn't claim to value the account
    why = _not_whole(positions, cash, plan=plan)
    as_of = _day(statement.findtext("DTASOF"))
    if why:
        tree.notes.append(f"line {_place(statement)[0]}: the account gets no value from this statement: {why}")
        tree.subtotal_spans += [_place(p) for p in positions]
        return
    for position in positions:
        tree.add("positions", *_place(position), {"account": account, "as_of": as_of, "value": _market_value(position)})
    if cash is not None:
        value = cash.findtext("AVAILCASH")
        tree.add("positions", *_place(cash), {"account": account, "as_of": as_of, "value": value})


def _market_value(position: Element) -> str | None:
    """The value of a position; None where it isn't in dollars, or its sign can't be told (a short one above nought)."""
    value = position.findtext(".//MKTVAL")
    short = position.findtext(".//POSTYPE") == "SHORT" and (_decimal(value) or 0) > 0
    foreign = any(c.text != "USD" for c in position.iter("CURSYM"))
    return None if short or foreign else value


def _not_whole(positions: Element, cash: Element | None, *, plan: bool) -> str | None:
    if cash is None:
        return None if plan else "it states no cash (INVBAL)"
    if any(_decimal(cash.findtext(name)) for name in ("MARGINBALANCE", "SHORTBALANCE")):
        return "it has a margin or short balance"
    available = _decimal(cash.findtext("AVAILCASH"))
    held = [_decimal(p.findtext(".//MKTVAL")) for p in positions]
    if available and any(h is not None and abs(h - available) < CENT for h in held):
        return "its cash equals one of its positions and may be the same money"
    return None


def _bank(statement: Element, institution: Institution, tree: Tree) -> None:
    _dollars(statement)
    account = statement.findtext("BANKACCTFROM/ACCTID")
    label = statement.findtext("BANKACCTFROM/ACCTTYPE") or "bank account"
    _account(statement.find("BANKACCTFROM"), statement, account, label, tree)
    for event in statement.iterfind("BANKTRANLIST/STMTTRN"):
        tree.add("transactions", *_place(event), _event(event, account, institution))
    ledger = statement.find("LEDGERBAL")
    if ledger is not None and ledger.findtext("BALAMT"):
        row: Row = {"account": account, "as_of": _day(ledger.findtext("DTASOF")), "value": ledger.findtext("BALAMT")}
        tree.add("positions", *_place(ledger), row)


#: Parts of a statement that are read, or say nothing about its money.
_KNOWN = {
    "OFX": {"SIGNONMSGSRSV1", "INVSTMTMSGSRSV1", "BANKMSGSRSV1", "SECLISTMSGSRSV1"},
    "INVSTMTRS": {"DTASOF", "CURDEF", "INVACCTFROM", "INVTRANLIST", "INVPOSLIST", "INVBAL", "INV401K", "MKTGINFO"},
    "STMTRS": {"CURDEF", "BANKACCTFROM", "BANKTRANLIST", "LEDGERBAL", "AVAILBAL", "MKTGINFO"},
}


def _note_others(root: Element, tree: Tree) -> None:
    """Say once which parts of the file aren't used; balances by money source (INV401KBAL) are among them."""
    others = {p.tag for tag, known in _KNOWN.items() for e in root.iter(tag) for p in e if p.tag not in known}
    if others:
        tree.notes.append("not used: " + few(others))
