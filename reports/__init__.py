"""Workbooks of a run: one per advisor with their own clients only, and one for the firm's operations.

The only package that knows openpyxl. Everything shown was computed before: a workbook holds values, never formulas.
"""

from reports.reuse import Earlier
from reports.workbooks import write_workbooks

__all__ = ["Earlier", "write_workbooks"]
