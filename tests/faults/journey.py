"""Nights of one book with faults in them: each fault is followed by checks, each night by an undisturbed run."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from tests.faults import checks
from tests.faults.book import drop, empty, lying
from tests.faults.command import Outcome, Place
from tests.faults.fault import Fault
from tests.faults.reference import Reached, Reference, Step


@dataclass(frozen=True)
class Told:
    """What came of one fault: whether the run got as far, how it ended, and what wasn't as it has to be."""

    fault: Fault
    injected: str | None
    code: int
    problems: tuple[str, ...]
    total: int | None = None


@dataclass
class Journey:
    """A book on its way; `steps` are the nights published so far."""

    place: Place
    reference: Reference
    rng: random.Random
    steps: tuple[Step, ...] = ()
    delivered: dict[str, bytes] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def arrive(self, files: dict[str, bytes]) -> None:
        """Files come into the inbox."""
        drop(self.place.inbox, files)
        self.delivered |= {f"{name} ({len(self.steps)})": data for name, data in files.items()}

    def spoil(
        self, as_of: str, fault: Fault, *, run: Callable[[], Outcome] | None = None, unseen: tuple[str, ...] = ()
    ) -> Outcome:
        """A run with a fault, and the checks of what it left; `unseen` are files it can't have taken in."""
        before = set(checks.runs(self.place.out))
        inbox = {name: data for name, data in lying(self.place.inbox).items() if name not in unseen}
        outcome = run() if run else self.place.run(as_of, fault, self.rng)
        new = set(checks.runs(self.place.out)) - before
        if new:
            self._published(Step.of(as_of, inbox))
        injected = outcome.injected if run is None and fault.file_size is None else "fault by the outside"
        self.told.append(Told(fault, injected, outcome.code, tuple(self._after_fault(outcome, new)), outcome.total))
        return outcome

    def heard(self, fault: Fault, outcome: Outcome) -> None:
        """A fault in another command than a run, after which only what it said is looked at."""
        self.told.append(Told(fault, outcome.injected, outcome.code, tuple(checks.said(outcome)), outcome.total))

    def recover(self, as_of: str) -> Outcome:
        """The run that isn't disturbed: all has to be as if nothing ever had been. The firm then empties the inbox."""
        inbox = lying(self.place.inbox)
        outcome = self.place.run(as_of)
        self._published(Step.of(as_of, inbox))
        expected = self.reference.of(self.steps)
        if outcome.code in (0, 1):
            empty(self.place.inbox)
        self.told.append(Told(Fault("recovery"), None, outcome.code, tuple(self._after_recovery(outcome, expected))))
        return outcome

    def blame(self, problem: str) -> None:
        """Something a check of its own found wrong after the fault told last, or in the one under way."""
        last = self.told.pop()
        self.told.append(replace(last, problems=(*last.problems, problem)))

    @property
    def done(self) -> bool:
        """True if the newest run was published from what lies in the inbox."""
        return bool(self.steps) and self.steps[-1].files == Step.of("", lying(self.place.inbox)).files

    def _published(self, step: Step) -> None:
        """A night run again on the same files is the same night."""
        if self.steps[-1:] != (step,):
            self.steps += (step,)

    def _after_fault(self, outcome: Outcome, new: set[str]) -> Iterator[str]:
        out = self.place.out
        yield from checks.said(outcome)
        if outcome.code in (0, 1) and (len(new) != 1 or checks.newest(out) != checks.runs(out)[next(iter(new))]):
            yield f"exit code {outcome.code}, but latest isn't the new run ({sorted(new)})"
        if outcome.code in (2, 3) and new:
            yield f"exit code {outcome.code}, but {sorted(new)} is published: {outcome.errors}"
        yield from checks.points_at_a_whole_run(out)
        expected = self.reference.of(self.steps).run if new else None
        if expected:
            yield from checks.same(checks.runs(out)[next(iter(new))], expected)
        yield from checks.status_tells(out, outcome, new)
        yield from checks.audit_is_whole(out, after_recovery=False)
        if self.rng.random() < 0.05 and (out / "state" / "audit.jsonl").exists() and (out / "runs").exists():
            yield from checks.commands_work(out)
        yield from checks.private(out)
        yield from checks.whole_archive(out)
        yield from checks.sealed(out)

    def _after_recovery(self, outcome: Outcome, expected: Reached) -> Iterator[str]:
        run = checks.newest(self.place.out)
        yield from checks.said(outcome)
        if expected.outcome and outcome.code != expected.outcome.code:
            yield f"the run after ends with {outcome.code}, not {expected.outcome.code}: {outcome.errors}"
        if run is None or expected.run is None:
            yield "there is no run after the undisturbed one"
            return
        yield from checks.points_at_a_whole_run(self.place.out)
        yield from checks.same(run, expected.run)
        yield from checks.warehouse(run)
        yield from checks.tidy(self.place, expected)
        yield from checks.each_in_one_place(self.place, self.delivered)
        yield from checks.audit_is_whole(self.place.out, after_recovery=True)
        yield from checks.private(self.place.out)
        yield from checks.whole_archive(self.place.out)
        yield from checks.sealed(self.place.out)
