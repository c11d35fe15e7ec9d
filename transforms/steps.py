"""Steps that don't need each other are done side by side, in any order the tables they rest on allow.

A small table keeps one core busy whatever DuckDB may use (it hands out rows by the 122,880), and planning a statement
never takes two. So steps are put to as many cursors of one database as it has threads. Which step needs which is read
from their text: whoever names a table waits for it. What a step makes doesn't depend on when it is done, so neither do
results: every statement is the same one, over the same tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import duckdb

SQL = Path(__file__).parent / "sql"
_COMMENT, _WORD = re.compile(r"--[^\n]*"), re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Step:
    """What makes (or changes) the tables `makes`. `reads` is text that names every other table `work` reads.

    A word of it that happens to be a table's name costs some waiting, never a wrong result.
    """

    makes: tuple[str, ...]
    work: Callable[[duckdb.DuckDBPyConnection], object]
    reads: str = ""


def text(name: str) -> str:
    """The SELECT in the file of that name."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def table(name: str) -> Step:
    """The step that makes a table by the SELECT in the file of its name."""
    select = text(name)
    return Step((name,), lambda con: con.execute(f"create table {name} as {select}"), select)


def run(con: duckdb.DuckDBPyConnection, steps: Iterable[Step]) -> None:
    """Do every step, each after those before it that made what it reads, or read what it makes anew.

    The first error of a step is raised, and what still runs is stopped.
    """
    every = list(steps)
    lanes = int(con.execute("select current_setting('threads')").fetchall()[0][0])
    if lanes == 1:
        for step in every:
            step.work(con)
        return
    _side_by_side([con.cursor() for _ in range(min(lanes, len(every)))], every)


def _side_by_side(idle: list[duckdb.DuckDBPyConnection], every: Sequence[Step]) -> None:
    """Do the steps on those cursors, the first of those that can be done first; closes the cursors."""
    cursors, waiting, running = list(idle), needs(every), dict[Future[object], tuple[int, duckdb.DuckDBPyConnection]]()
    with ThreadPoolExecutor(len(cursors)) as pool:
        try:
            while waiting or running:
                for place in [place for place, on in waiting.items() if not on][: len(idle)]:
                    del waiting[place]
                    cursor = idle.pop()
                    running[pool.submit(every[place].work, cursor)] = place, cursor
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    place, cursor = running.pop(done)
                    done.result()
                    idle.append(cursor)
                    for on in waiting.values():
                        on.discard(place)
        except BaseException:
            for cursor in cursors:  # nobody waits for what is of no use any more
                cursor.interrupt()
            raise
    for cursor in cursors:
        cursor.close()


def needs(every: Sequence[Step]) -> dict[int, set[int]]:
    """The places of the steps each step waits for: always earlier ones, so there is an order."""
    made: dict[str, int] = {}
    readers: dict[str, set[int]] = {}
    found: dict[int, set[int]] = {}
    for place, step in enumerate(every):
        read = made.keys() & set(_WORD.findall(_COMMENT.sub("", step.reads)))
        found[place] = {made[name] for name in (*read, *step.makes) if name in made}
        found[place] |= {reader for name in step.makes for reader in readers.pop(name, ())}
        for name in read:
            readers.setdefault(name, set()).add(place)
        made |= dict.fromkeys(step.makes, place)
        found[place].discard(place)
    return found
