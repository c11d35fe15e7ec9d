"""The night that a configuration asks for, together with what was said on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from flows import pipeline
from flows.config import Settings


def night(
    settings: Settings,
    inbox: Path,
    out: Path,
    as_of: date | None,
    tax_years: Sequence[int] | None,
    *,
    shared: Path | None = None,
    from_file: bool,
) -> pipeline.Night:
    """The night of `settings`; raises what `pipeline.plan` does. A person who has no file doesn't wait for the default.

    `shared` goes before the configuration's own.
    """
    stated = from_file or "settle_seconds" in settings.intake.model_fields_set
    return pipeline.plan(
        inbox,
        out,
        as_of,
        tax_years,
        settings.intake.settle_seconds if stated else pipeline.SETTLE_SECONDS,
        pgp_home=settings.intake.pgp_home,
        shared=shared or settings.folders.shared,
        comes_back=settings.marks.comes_back(),
    )
