"""Which stage a run is in and for how long, on a terminal; nothing anywhere else, and nothing on the output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flows.run_log import Event, printed_by, watched

#: The stages of a run, in their order, as they are shown.
SHOWN = {
    "take in": "taking files in",
    "read": "reading the book",
    "compute": "computing",
    "report": "writing workbooks",
    "complete run.json": "publishing",
}


@contextmanager
def shown(console: Console | None = None) -> Iterator[None]:
    """Show the run's stages on the error output while the block runs, if that is a terminal."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # the output is left alone: whoever redirects it gets the summary and nothing else
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("starting", total=len(SHOWN))
        known: dict[str, int] = {}

        def show(event: Event) -> None:
            stage = event.get("stage", "")
            if event["event"] == "stage started" and stage in SHOWN:
                files = f" ({known['files']:,} files)" if stage != "take in" and "files" in known else ""
                bar.update(task, description=SHOWN[stage] + files, completed=list(SHOWN).index(stage))
            if "files" in event:
                known["files"] = event["files"]

        def above(line: str) -> None:
            console.print(line, soft_wrap=True, markup=False, highlight=False)

        with watched(show), printed_by(above):
            yield
