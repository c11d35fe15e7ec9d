"""Writes one IRS Pub 1220 file for tax year 2025: Forms 1099-R and 5498 with their control totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flows.demo.book import Account, Book
from flows.demo.fixed import fixed

_CODES = "123456789ABCDEFGHJ"
_LENGTH = 748  # CRLF fills positions 749-750
_PAYER = "INVENTED TRUST COMPANY"


@dataclass(frozen=True)
class Form:
    """One payee record: whose, which account, dollars by amount code, and the marks of that form."""

    account: Account
    dollars: Mapping[str, int]
    marks: tuple[tuple[int, str], ...]


def _cents(dollars: Mapping[str, int], code: str) -> int:
    return 100 * dollars.get(code, 0)


def _payer(return_type: str, codes: str) -> str:
    return fixed(_LENGTH, (1, "A2025"), (12, "000000000INVE"), (26, return_type), (28, codes), (53, _PAYER),
                 (133, "01 MADEUP PLAZA"), (174, "EASTHAM"), (214, "MA0264200005085550100"))  # fmt: skip


def _payee(form: Form) -> str:
    owner = form.account.holder
    amounts = "".join(f"{_cents(form.dollars, code):012d}" for code in _CODES)
    control = owner.family.upper().replace("-", "")[:4]
    return fixed(
        _LENGTH, (1, "B2025"), (7, control), (11, f"2{owner.tax_id.replace('-', '')}"), (21, form.account.number),
        (55, amounts), (288, f"{owner.given} {owner.family}".upper()), (368, "12 INVENTED LN"), (448, "EASTHAM"),
        (488, "MA026420000"), *form.marks,
    )  # fmt: skip


def _totals(forms: list[Form]) -> str:
    totals = "".join(f"{sum(_cents(form.dollars, code) for form in forms):018d}" for code in _CODES)
    return fixed(_LENGTH, (1, f"C{len(forms):08d}"), (16, totals))


def _numbered(record: str, sequence: int) -> str:
    return record[:499] + f"{sequence:08d}" + record[507:]


def pub1220_file(groups: list[tuple[str, str, list[Form]]]) -> str:
    """The text of a file with one A record per group of forms: type of return, amount codes, forms."""
    payees = sum(len(forms) for _, _, forms in groups)
    records = [
        fixed(_LENGTH, (1, "T2025 00000000000000"), (30, _PAYER), (110, _PAYER), (190, "1 MADEUP PLAZA"),
              (230, "EASTHAM"), (270, "MA026420000"), (296, f"{payees:08d}"), (304, "WREN ASHGROVE"),
              (344, "5085550100"), (518, "I"))
    ]  # fmt: skip
    for return_type, codes, forms in groups:
        records += [_payer(return_type, codes), *map(_payee, forms), _totals(forms)]
    records.append(fixed(_LENGTH, (1, f"F{len(groups):08d}{0:021d}"), (50, f"{payees:08d}")))
    return "".join(_numbered(record, n) + "\r\n" for n, record in enumerate(records, start=1))


def _find(book: Book, situation: str, kind: str) -> Account:
    person_id = book.situations[situation]
    return next(a for a in book.accounts if a.owner and a.owner.person_id == person_id and a.kind == kind)


def pub1220_files(book: Book) -> dict[str, str]:
    """File name -> text."""
    rmd = _find(book, "rmd_and_qcd", "traditional_ira")
    inherited = _find(book, "inherited_non_spouse", "inherited_traditional_ira")
    late = _find(book, "prior_year_contribution", "traditional_ira")
    rollover = _find(book, "conversion_taxed_pro_rata", "rollover_ira")
    forms_1099r = [
        Form(rmd, {"1": 11_000, "2": 11_000, "A": 11_000}, ((545, "7"), (547, "1"), (548, "1"))),
        Form(inherited, {"1": 9_000, "2": 9_000, "A": 9_000}, ((545, "4"), (547, "1"), (548, "1"))),
    ]
    forms_5498 = [
        Form(rmd, {"5": 470_000}, ((547, "1"), (551, "1"))),
        Form(inherited, {"5": 245_000}, ((547, "1"),)),
        Form(late, {"1": 7_000}, ((547, "1"),)),
        Form(rollover, {"5": 90_000}, ((547, "1"),)),
    ]
    return {"1099r_5498_ty2025.txt": pub1220_file([("9", "124A", forms_1099r), ("L", "15", forms_5498)])}
