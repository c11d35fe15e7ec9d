"""Writes the Ascensus payroll contribution file, and the test file (`TS_`) that a run must refuse."""

from __future__ import annotations

from datetime import date

from flows.demo.book import Book, Person, Row

_HEADER = (
    "SOCIAL SECURITY,LAST NAME,FIRST NAME,MI,DIVISIONAL CODE,TOTAL COMPENSATION,EMPLOYEE 401(K),ROTH 401(K),"
    "LOAN PAYMENT AMOUNT,MATCH,PROFIT SHARING,SAFE HARBOR MATCH,SAFE HARBOR NEC,CLIENT SPECIFIC,CLIENT SPECIFIC,"
    "CLIENT SPECIFIC,HOURS,ADDRESS 1,ADDRESS 2,CITY,STATE,ZIP,DATE OF BIRTH,CURRENT DATE OF HIRE,"
    "EMPLOYEE ELIGIBILITY DATE,CURRENT DATE OF TERM,PRIOR DATE OF HIRE,PRIOR DATE OF TERM,"
    "ESTIMATED ANNUAL COMPENSATION,EMPLOYMENT STATUS,HCE CODE,KEY EE CODE,ENROLLMENT ELIGIBILITY,UNION STATUS CODE,"
    "EMPLOYEE WORK EMAIL"
)


def _row(person: Person, pay: Row) -> str:
    """One employee's line: the three CLIENT SPECIFIC columns share a name, the first one holds after-tax money."""
    facts = pay | {
        "SOCIAL SECURITY": person.tax_id, "LAST NAME": person.family, "FIRST NAME": person.given,
        "ADDRESS 1": "12 Invented Ln", "CITY": "Eastham", "STATE": "MA", "ZIP": "02642",
        "DATE OF BIRTH": date.fromisoformat(person.born).strftime("%m/%d/%Y"), "CURRENT DATE OF HIRE": "03/04/2019",
        "ESTIMATED ANNUAL COMPENSATION": "240000",
    }  # fmt: skip
    cells, seen = [], 0
    for column in _HEADER.split(","):
        if column == "CLIENT SPECIFIC":
            seen += 1
            cells.append(facts.get(f"{column} {seen}", ""))
        else:
            cells.append(facts.get(column, ""))
    return ",".join(cells)


def ascensus_files(book: Book) -> dict[str, str]:
    """File name -> text."""
    lines = ["NWT401,11/27/2026,D,1", _HEADER, *(_row(person, pay) for person, pay in book.payroll)]
    text = "\n".join(lines) + "\n"
    return {
        "AP_NWT_1126_11272026.180501.csv": text,
        "TS_NWT_1126_11262026.180501.csv": text.replace("11/27/2026", "11/26/2026", 1),
    }
