"""Small native bar charts with a text for those who can't see them, and their values kept for previews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from openpyxl.chart import BarChart
from openpyxl.chart.data_source import AxDataSource, NumData, NumDataSource, NumRef, NumVal, StrData, StrRef, StrVal
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.series import Series
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.drawing.text import CharacterProperties, Font, Paragraph, ParagraphProperties

from reports.page import Page
from reports.style import FACE, INK, NAVY


@dataclass(frozen=True)
class Bars:
    """What a chart shows: names and values, the cells they stand in, and the text said instead of it."""

    names: Sequence[str]
    values: Sequence[int | Decimal]
    names_at: str
    values_at: str
    number_format: str
    instead: str


def put_bars(page: Page, bars: Bars, *, first: tuple[int, int], last: tuple[int, int]) -> None:
    """Put a bar chart over the cells from `first` to `last` (row, column), both included."""
    chart = BarChart()
    chart.type, chart.grouping, chart.gapWidth = "bar", "clustered", 45
    chart.anchor = TwoCellAnchor(
        _from=AnchorMarker(row=first[0] - 1, col=first[1] - 1), to=AnchorMarker(row=last[0], col=last[1])
    )
    chart.legend = None
    chart.append(_series(bars))
    for axis in (chart.x_axis, chart.y_axis):
        axis.delete, axis.majorGridlines, axis.txPr = False, None, _rich(900)
        axis.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill="D5DBE3"))
    chart.x_axis.scaling.orientation = "maxMin"  # the first name on top
    chart.y_axis.delete = True  # every bar carries its value
    chart.y_axis.scaling.min = 0
    chart.layout = Layout(ManualLayout(x=0.2, y=0.04, w=0.7, h=0.92, xMode="edge", yMode="edge", layoutTarget="inner"))
    page.add_chart(chart)
    page.said_of_charts.append(bars.instead)


def _series(bars: Bars) -> Series:
    count = len(bars.names)
    series = Series(
        cat=AxDataSource(
            strRef=StrRef(
                f=bars.names_at,
                strCache=StrData(ptCount=count, pt=[StrVal(idx=n, v=name) for n, name in enumerate(bars.names)]),
            )
        ),
        val=NumDataSource(
            numRef=NumRef(
                f=bars.values_at,
                numCache=NumData(
                    formatCode=bars.number_format,
                    ptCount=count,
                    pt=[NumVal(idx=n, v=f"{value}") for n, value in enumerate(bars.values)],
                ),
            )
        ),
    )
    series.graphicalProperties = GraphicalProperties(solidFill=NAVY)
    labels = DataLabelList(numFmt=bars.number_format, showVal=True, txPr=_rich(900))
    labels.showSerName = labels.showCatName = labels.showLegendKey = labels.showPercent = False
    series.dLbls = labels
    return series


def _letters(size: int, *, bold: bool = False, colour: str = INK) -> CharacterProperties:
    return CharacterProperties(sz=size, b=bold, latin=Font(typeface=FACE), solidFill=colour)


def _rich(size: int) -> RichText:
    return RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=_letters(size)), endParaRPr=_letters(size))])
