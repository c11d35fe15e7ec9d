"""The one visual language of every workbook: looks, kinds of column, words that are shaded, names of things.

Severity and status are always written in words; the shading only helps, so a black-and-white print loses nothing.
Every look sets its own font, because LibreOffice falls back to a serif face for a named style without one, and header
cells are styled themselves, because LibreOffice paints no table styles.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Protection, Side

from reports.page import PagedWorkbook

FACE = "Arial"
INK = "1F2933"
NAVY = "1F3A5F"
GREY = "5F6B7A"
RULE = "D5DBE3"
HEADER_FILL = "E4EAF2"
#: What the reader fills in, and nothing else, has this ground.
ENTRY_FILL = "FFFBE6"
LINK = "1B4F8A"

MONEY = '"$"#,##0.00;-"$"#,##0.00'
WHOLE_DOLLARS = '"$"#,##0;-"$"#,##0'
SIGNED_MONEY = '+"$"#,##0.00;-"$"#,##0.00;"–"'
SIGNED_RATIO = '+0.000000;-0.000000;"–"'
DATE = "mmm d, yyyy"
DAYS = '0;"past "0;"today"'

Kind = Literal[
    "text",
    "wrap",
    "clip",
    "word",
    "money",
    "key_money",
    "dollars",
    "ratio",
    "date",
    "days",
    "int",
    "year",
    "id",
    "entry",
    "entry_date",
]
Horizontal = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Look:
    """How a cell looks. One named style of the workbook each."""

    name: str
    size: float = 9
    bold: bool = False
    italic: bool = False
    colour: str = INK
    fill: str = ""
    number_format: str = "General"
    horizontal: Horizontal = "left"
    vertical: Literal["top", "center", "bottom"] = "top"
    wrap: bool = False
    rule: Literal["", "hair", "firm", "box"] = "hair"
    underlined: bool = False
    #: Space on the side it is aligned to, so that a number doesn't run into the text beside it.
    indent: int | None = None
    #: True for a text that may be long where it has one line: its letters get smaller.
    shrunk: bool = False
    #: False for a cell the reader types into on a protected sheet.
    locked: bool = True


#: Shading of the words of the closed vocabularies; a word that isn't here is not shaded.
WORD_FILLS = {
    "critical": "F6C9C9",
    "high": "FBE0C4",
    "medium": "FFF3C9",
    "low": "E3EEF8",
    "info": "EFEFEF",
    "UNKNOWN": "F6C9C9",
    "REVIEW": "FFF3C9",
    "INELIGIBLE": "EFEFEF",
    "COMPUTED": "E2F1E4",
    "rejected": "F6C9C9",
    "partial": "FFF3C9",
    "duplicate": "EFEFEF",
    "accepted": "E2F1E4",
    "missing": "F6C9C9",
    "stale": "F6C9C9",
    "late": "FFF3C9",
    "unpaired": "F6C9C9",
    "waiting": "FFF3C9",
    "differs": "F6C9C9",
    "form missing": "FFF3C9",
    "book missing": "F6C9C9",
    "arrived": "E2F1E4",
    "new": "E3EEF8",
    "changed": "FFF3C9",
    "yes": "E2F1E4",
    "undecided": "F6C9C9",
    "resolved": "E2F1E4",
    "ready": "E2F1E4",
    "convert next": "FFF3C9",
    "blocked": "FBE0C4",
    "unknown": "F6C9C9",
    "done": "E3EEF8",
}
STRONG_WORDS = {"critical", "high", "UNKNOWN", "rejected", "undecided", "missing", "stale", "unknown", "blocked"}

KIND_LOOKS: dict[Kind, Look] = {
    "text": Look("text"),
    "wrap": Look("wrap", wrap=True),
    "clip": Look("clip", wrap=True, colour=GREY, size=8),
    "word": Look("word"),
    "money": Look("money", number_format=MONEY, horizontal="right"),
    "key_money": Look("key money", number_format=MONEY, horizontal="right", bold=True),
    "dollars": Look("dollars", number_format=WHOLE_DOLLARS, horizontal="right"),
    "ratio": Look("ratio", number_format="0.000000", horizontal="right"),
    "date": Look("date", number_format=DATE, horizontal="right"),
    "days": Look("days", number_format=DAYS, horizontal="center"),
    "int": Look("int", number_format="#,##0", horizontal="right"),
    "year": Look("year", number_format="0", horizontal="center", wrap=True),
    "id": Look("id", colour=GREY, size=8),
    "entry": Look("entry", fill=ENTRY_FILL, wrap=True),
    "entry_date": Look("entry date", fill=ENTRY_FILL, number_format=DATE, horizontal="right"),
}

PAGE_LOOKS = (
    Look("title", size=18, bold=True, colour=NAVY, vertical="center", rule=""),
    # over merged cells, for a name of any length
    Look("page title", size=18, bold=True, colour=NAVY, vertical="center", rule="", wrap=True),
    Look("lead", size=10, colour=GREY, vertical="center", rule=""),
    Look("headline", size=12, bold=True, vertical="center", rule=""),
    Look("section", size=12, bold=True, colour=NAVY, vertical="bottom", rule="firm"),
    Look("column header", bold=True, colour=NAVY, fill=HEADER_FILL, vertical="center", wrap=True, rule="firm"),
    Look(
        "number header",
        bold=True,
        colour=NAVY,
        fill=HEADER_FILL,
        horizontal="right",
        vertical="center",
        wrap=True,
        rule="firm",
        indent=2,  # room for the filter button
    ),
    Look("label", size=10, wrap=True),
    Look("count", size=10, number_format="#,##0", horizontal="right"),
    Look("count change", size=10, number_format='"+"#,##0;"-"#,##0;0', horizontal="right"),
    Look("amount", size=10, bold=True, number_format=WHOLE_DOLLARS, horizontal="right"),
    Look("key dollars", bold=True, number_format=WHOLE_DOLLARS, horizontal="right"),
    Look("strong", bold=True, wrap=True),
    # stays text as it is typed: no date or rounded number is made of it
    Look("entry text", fill=ENTRY_FILL, number_format="@", wrap=True),
    Look("quiet", italic=True, colour=GREY, wrap=True, rule=""),
    # cells the reader types into: shaded, and boxed so that a black-and-white print shows them too
    Look("typed", size=10, bold=True, fill=ENTRY_FILL, rule="box", locked=False, shrunk=True),
    Look(
        "typed money",
        size=10,
        bold=True,
        fill=ENTRY_FILL,
        number_format=MONEY,
        horizontal="right",
        rule="box",
        locked=False,
    ),
    Look("number note", size=8, colour=GREY, horizontal="right"),
    Look("change", number_format=SIGNED_MONEY, horizontal="right"),
    Look("key change", number_format=SIGNED_MONEY, horizontal="right", bold=True),
    Look("ratio change", number_format=SIGNED_RATIO, horizontal="right"),
)

#: A tile is a big number over its name; the fill is that of the word it counts.
TILE_WORDS = ("critical", "high", "medium", "low", "info", "accepted", "new", "changed", "resolved", "")


def word_look(word: str) -> str:
    """Name of the look for a word in a word column."""
    return f"word {word}" if word in WORD_FILLS else "word"


def linked_look(look: str) -> str:
    """Name of the look of a cell of `look` that leads somewhere; one without such a look keeps its own."""
    return f"{look} link" if look in LINKED else look


def header_look(look: str) -> str:
    """Name of the look of the header over cells of `look`."""
    return "number header" if _RIGHT[look] else "column header"


def tile_looks(word: str) -> tuple[str, str]:
    """Names of the looks of a tile's number and of its name."""
    return f"tile {word}".strip(), f"tile name {word}".strip()


def _word_looks() -> tuple[Look, ...]:
    return tuple(Look(f"word {w}", fill=f, bold=w in STRONG_WORDS, wrap=True) for w, f in WORD_FILLS.items())


def _tiles() -> tuple[Look, ...]:
    looks = []
    for word in TILE_WORDS:
        number, name = tile_looks(word)
        fill = WORD_FILLS.get(word, HEADER_FILL)
        looks.append(
            Look(
                number,
                size=22,
                bold=True,
                fill=fill,
                horizontal="center",
                vertical="bottom",
                rule="",
                number_format="#,##0",
            )
        )
        looks.append(Look(name, size=9, fill=fill, horizontal="center", vertical="top", rule=""))
    return tuple(looks)


#: Looks whose cells may lead to another place.
LINKED = ("text", "wrap", "int", "strong", "count", "key money", "money")


def _linked() -> tuple[Look, ...]:
    plain = {look.name: look for look in (*KIND_LOOKS.values(), *PAGE_LOOKS)}
    return tuple(replace(plain[n], name=f"{n} link", colour=LINK, underlined=True) for n in LINKED)


LOOKS: tuple[Look, ...] = (*KIND_LOOKS.values(), *_word_looks(), *PAGE_LOOKS, *_tiles(), *_linked())

_RIGHT = {look.name: look.horizontal == "right" for look in LOOKS}


class Looks:
    """The looks of one workbook as numbers of its cell styles: made once, then handed to every cell.

    `numbers[look, quoted]` is the style number of a look; `quoted` marks text that a re-typed cell would take for a
    formula.
    """

    def __init__(self, book: PagedWorkbook) -> None:
        self.numbers: dict[tuple[str, bool], int] = {}
        # column widths count digits of the Normal font: one that Excel and LibreOffice both have
        book._named_styles["Normal"].font = Font(name=FACE, size=10)  # noqa: SLF001
        for style in _named_styles():
            book.add_named_style(style)
            look = style.name.removeprefix("rothbook ")
            plain = copy(style.as_tuple())
            quoted = copy(plain)
            quoted.quotePrefix = 1
            self.numbers[look, False] = book.style_number(plain)
            self.numbers[look, True] = book.style_number(quoted)


@cache
def _named_styles() -> tuple[NamedStyle, ...]:
    """One named style for each look, the same for every workbook: each binds them anew."""
    return tuple(_named_style(look) for look in LOOKS)


def _named_style(look: Look) -> NamedStyle:
    firm = Side(style="medium", color=NAVY)
    box = Side(style="thin", color=NAVY)
    side = {"": Side(), "hair": Side(style="thin", color=RULE), "firm": firm, "box": box}[look.rule]
    indent = int(look.horizontal == "right") if look.indent is None else look.indent
    return NamedStyle(
        name=f"rothbook {look.name}",
        font=Font(
            name=FACE,
            size=look.size,
            bold=look.bold,
            italic=look.italic,
            color=look.colour,
            underline="single" if look.underlined else None,
        ),
        fill=PatternFill("solid", fgColor=look.fill) if look.fill else PatternFill(),
        border=Border(left=box, right=box, top=box, bottom=box) if look.rule == "box" else Border(bottom=side),
        alignment=Alignment(
            horizontal=look.horizontal,
            vertical=look.vertical,
            wrap_text=look.wrap,
            shrink_to_fit=look.shrunk or None,
            indent=indent,
        ),
        number_format=look.number_format,
        protection=Protection(locked=look.locked),
    )


#: How the account types and other words of the tables are said to people.
WORDS = {
    "traditional_ira": "Traditional IRA",
    "rollover_ira": "Rollover IRA",
    "sep_ira": "SEP IRA",
    "simple_ira": "SIMPLE IRA",
    "roth_ira": "Roth IRA",
    "roth_sep_ira": "Roth SEP IRA",
    "roth_simple_ira": "Roth SIMPLE IRA",
    "inherited_traditional_ira": "Inherited traditional IRA",
    "inherited_roth_ira": "Inherited Roth IRA",
    "trump_account": "Trump account",
    "401k": "401(k)",
    "roth_401k": "Roth 401(k)",
    "403b": "403(b)",
    "457b": "457(b)",
    "401a": "401(a)",
    "tsp": "TSP",
    "hsa": "HSA",
    "529": "529",
    "taxable": "Taxable",
    "trust": "Trust",
    "annuity_nonqualified": "Nonqualified annuity",
    "other": "Other (type not in the profile)",
    "december_31": "December 31",
    "projected": "projected",
    "mfj": "married filing jointly",
    "mfs_lived_with_spouse": "married separately, lived with spouse",
    "mfs_lived_apart": "married separately, lived apart",
    "hoh": "head of household",
    "qss": "surviving spouse",
}


def said(word: str | None) -> str | None:
    """`word` of a closed vocabulary as people say it; other words with their underscores opened."""
    if word is None:
        return None
    return WORDS.get(word, word.replace("_", " "))
