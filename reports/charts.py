"""Small native charts with a text for those who cannot see them; their values are kept for previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.chart import BarChart, LineChart
from openpyxl.chart.data_source import (
    AxDataSource,
    NumData,
    NumDataSource,
    NumFmt,
    NumRef,
    NumVal,
    StrData,
    StrRef,
    StrVal,
)
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.drawing.text import CharacterProperties, Font, Paragraph, ParagraphProperties

from reports.page import Page
from reports.style import FACE, INK, NAVY, RULE

COUNTS = "#,##0"


@dataclass(frozen=True)
class Bars:
    """What a chart shows: names and values, the cells they stand in, and the text said instead of it."""

    names: Sequence[str]
    values: Sequence[int]
    names_at: str
    values_at: str
    instead: str


@dataclass(frozen=True)
class Line:
    """One line of a chart over time: what it counts, the cells its values stand in, and how it is drawn."""

    name: str
    values: Sequence[int]
    values_at: str
    colour: str
    dash: str


@dataclass(frozen=True)
class Lines:
    """A chart over days, newest first as they stand on their sheet, and the text said instead of it."""

    days: Sequence[str]
    days_at: str
    lines: Sequence[Line]
    instead: str


def put_bars(page: Page, bars: Bars, *, first: tuple[int, int], last: tuple[int, int]) -> None:
    """Put a bar chart over the cells from `first` to `last` (row, column), both included."""
    chart = BarChart()
    chart.type, chart.grouping, chart.gapWidth = "bar", "clustered", 45
    chart.legend = None
    series = _series(bars.names, bars.names_at, bars.values, bars.values_at)
    series.graphicalProperties = GraphicalProperties(solidFill=NAVY)
    series.dLbls = DataLabelList(numFmt=COUNTS, showVal=True, txPr=_rich(900))
    series.dLbls.showSerName = series.dLbls.showCatName = series.dLbls.showLegendKey = series.dLbls.showPercent = False
    chart.append(series)
    _quiet_axes(chart)
    chart.x_axis.scaling.orientation = "maxMin"  # the first name on top
    chart.y_axis.delete = True  # every bar carries its value
    chart.layout = Layout(ManualLayout(x=0.2, y=0.04, w=0.7, h=0.92, xMode="edge", yMode="edge", layoutTarget="inner"))
    _place(page, chart, first, last, bars.instead)


def put_lines(page: Page, over: Lines, *, first: tuple[int, int], last: tuple[int, int]) -> None:
    """Put a line chart over the cells from `first` to `last` (row, column), both included; oldest day on the left."""
    chart = LineChart()
    chart.legend.position, chart.legend.txPr = "r", _rich(900)
    for line in over.lines:
        series = _series(over.days, over.days_at, line.values, line.values_at)
        series.tx = SeriesLabel(v=line.name)
        series.smooth = False
        series.graphicalProperties = GraphicalProperties(
            ln=LineProperties(solidFill=line.colour, prstDash=line.dash, w=28_575)
        )
        chart.append(series)
    _quiet_axes(chart)
    chart.x_axis.scaling.orientation = "maxMin"  # the sheet has the newest day first
    chart.y_axis.crosses = "max"
    chart.y_axis.numFmt = NumFmt(formatCode=COUNTS)
    _place(page, chart, first, last, over.instead)


def _quiet_axes(chart: BarChart | LineChart) -> None:
    for axis in (chart.x_axis, chart.y_axis):
        axis.delete, axis.majorGridlines, axis.txPr = False, None, _rich(900)
        axis.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=RULE))
    chart.y_axis.scaling.min = 0


def _place(
    page: Page, chart: BarChart | LineChart, first: tuple[int, int], last: tuple[int, int], instead: str
) -> None:
    chart.anchor = TwoCellAnchor(
        _from=AnchorMarker(row=first[0] - 1, col=first[1] - 1), to=AnchorMarker(row=last[0], col=last[1])
    )
    page.add_chart(chart)
    page.said_of_charts.append(instead)


def _series(names: Sequence[str], names_at: str, values: Sequence[int], values_at: str) -> Series:
    """Names and values by the cells they stand in, with what those hold now, for previews that compute nothing."""
    known_names = StrData(ptCount=len(names), pt=[StrVal(idx=n, v=name) for n, name in enumerate(names)])
    known_values = NumData(
        formatCode=COUNTS, ptCount=len(values), pt=[NumVal(idx=n, v=f"{value}") for n, value in enumerate(values)]
    )
    return Series(
        cat=AxDataSource(strRef=StrRef(f=names_at, strCache=known_names)),
        val=NumDataSource(numRef=NumRef(f=values_at, numCache=known_values)),
    )


def _letters(size: int, *, bold: bool = False, colour: str = INK) -> CharacterProperties:
    return CharacterProperties(sz=size, b=bold, latin=Font(typeface=FACE), solidFill=colour)


def _rich(size: int) -> RichText:
    return RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=_letters(size)), endParaRPr=_letters(size))])
