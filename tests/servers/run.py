"""Show the nightly deployment working against real Prefect servers: `make servers`.

For SQLite and for PostgreSQL: start a server on loopback, serve the nightly deployment on the demo book, and make
happen what happens to a night; then look for clients in everything the server kept. Prints a table of what was seen;
ends with 0 if all of it was, 1 if not, 2 if something it needs isn't installed. Installs nothing, and removes what it
made.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl

from tests.client_data import Secrets, found_in, read
from tests.servers import machines
from tests.servers.machines import PrefectServer, Process, Received, until

SERVERS = {"SQLite": machines.sqlite, "PostgreSQL": machines.postgres}
#: How long anything may take before it counts as not seen; the machine may be busy.
PATIENCE = 420.0
UNITS = ("flows/service/rothbook.service", "flows/service/rothbook-prefect.service")

CONFIG = """
[schedule]
cron = "{cron}"
timezone = "UTC"
late_after_minutes = 1
on_arrival = true
arrival_quiet_seconds = 4.0

[folders]
inbox = "{folder}/inbox"
out = "{folder}/out"

[intake]
settle_seconds = 0.5

[prefect]
artifacts = true
retries = 6
retry_delay_seconds = 2.0
when_running = "{when_running}"

[notifications]
on_failure = ["custom-webhook/operations", "slack-webhook/mail"]
on_crash = ["custom-webhook/operations"]
on_late = ["custom-webhook/operations"]
"""


@dataclass
class Table:
    """What was looked for, and whether it was seen."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def see(self, where: str, what: str, look: Callable[[], Any]) -> Any:
        """Note whether `look` gives something in time; what it gave, or None."""
        try:
            found = look()
        except (TimeoutError, subprocess.CalledProcessError, LookupError) as missing:
            return self._note(where, what, "NOT SEEN", type(missing).__name__)
        self._note(where, what, "seen" if found else "NOT SEEN", found if isinstance(found, str) else "")
        return found

    def _note(self, where: str, what: str, seen: str, told: str) -> None:
        self.rows.append((where, what, seen, told))
        print(f"{datetime.now(UTC):%H:%M:%S}  {where:<11}{seen:<9} {what}{': ' if told else ''}{told}", flush=True)

    @property
    def complete(self) -> bool:
        return all(seen == "seen" for _, _, seen, _ in self.rows)

    def text(self) -> str:
        lines = ["", "| server | what | | |", "| --- | --- | --- | --- |"]
        return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in self.rows)])


class Night:
    """One server, its service and its folder, and the questions asked of them."""

    def __init__(self, name: str, folder: Path, server: PrefectServer, received: Received, table: Table) -> None:
        self.name, self.folder, self.server, self.received, self.table = name, folder, server, received, table
        self.service: Process | None = None
        self.out, self.inbox = folder / "out", folder / "inbox"
        self.deployment_id = ""

    def serve(self, *, cron: str, when_running: str = "wait") -> None:
        config = self.folder / "rothbook.toml"
        text = CONFIG.format(cron=cron, folder=self.folder, when_running=when_running)
        config.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "flows", "schedule", "--config", str(config)]
        self.service = Process(command, self.server.env, self.folder / "service.log")

    def see(self, what: str, look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        return self.table.see(self.name, what, lambda: until(look, seconds))

    def state(self, run_id: str, *names: str) -> Callable[[], str | None]:
        """A look that gives the run's state once it is one of `names`."""

        def look() -> str | None:
            name = self.server.run(run_id)["state_name"]
            return str(name) if name in names else None

        return look

    def told(self, text: str) -> Callable[[], str | None]:
        """A look that gives how many webhook messages hold `text`, once there is a new one."""
        before = sum(text in message for message in self.received.webhook)

        def look() -> str | None:
            now = sum(text in message for message in self.received.webhook)
            return f"{now - before} message" if now > before else None

        return look

    def start(self, **parameters: Any) -> str:
        return self.server.start_run(self.deployment_id, **parameters)

    def kill_run(self, run_id: str) -> str | None:
        """Kill -9 the processes of a run, known by its id in their environment; gives how many there were."""
        wanted, killed = f"PREFECT__FLOW_RUN_ID={run_id}".encode(), 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if wanted in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), 9)
                    killed += 1
            except OSError:
                continue
        return f"{killed} processes" if killed else None


def scheduled_and_second(night: Night) -> None:
    """The run the schedule starts is joined by a second one, which waits."""
    due = datetime.now(UTC) + timedelta(seconds=100)
    night.serve(cron=f"{due.minute} {due.hour} {due.day} {due.month} *")
    deployment = night.see("the deployment is there, one run at a time", night.server.deployment)
    night.deployment_id = str(deployment["id"])
    first = night.see("the schedule starts a run", lambda: _of_schedule(night, "Pending", "Running"))
    second = night.start()
    night.see("a second run at the same time waits", night.state(second, "AwaitingConcurrencySlot"))
    night.see("the scheduled run completes", night.state(first, "Completed"))
    night.see(
        "its workbooks are published", lambda: f"{len(list((night.out / 'latest/workbooks').iterdir()))} workbooks"
    )
    night.see("the second run goes on and completes", night.state(second, "Completed"))
    night.see("artifacts show progress and counts", lambda: _artifacts(night))


def _of_schedule(night: Night, *states: str) -> str | None:
    for run in night.server.runs():
        if run["auto_scheduled"] and run["state_name"] in states:
            return str(run["id"])
    return None


def _artifacts(night: Night) -> str | None:
    found = night.server.post("/artifacts/latest/filter", {})
    keys = {artifact["key"] for artifact in found}
    return ", ".join(sorted(keys)) if keys == {"rothbook-nightly", "rothbook-progress"} else None


def arrival_and_kill(night: Night) -> None:
    """A file that settles starts a run; that run's process is killed."""
    _drop(night.inbox / "late_note.csv", "advisor_id,advisor_name,email,rep_codes\nADV9,Advisor Nine,,R9\n")
    arrival = night.see("a file settling in the inbox starts a run", lambda: _arrived(night, "Running"))
    night.see(
        "the run is under way", lambda: next((night.out / "runs").glob(".*.partial/canonical"), None) and "reading"
    )
    told = night.told("was killed")
    night.see("kill -9 of its processes", lambda: night.kill_run(arrival))
    night.see("the killed run is Crashed", night.state(arrival, "Crashed"))
    night.see("the webhook is told of the crash", told)


def _drop(target: Path, text: str) -> None:
    aside = target.with_suffix(".part")
    aside.write_text(text, encoding="utf-8")
    aside.rename(target)


def _arrived(night: Night, *states: str) -> str | None:
    for run in night.server.runs():
        if "arrival" in run["tags"] and run["state_name"] in states:
            return str(run["id"])
    return None


def share_away(night: Night) -> None:
    """The inbox isn't mounted when a run begins, and comes back; the run also clears up after the killed one."""
    away = night.inbox.with_name("away")
    night.inbox.rename(away)
    run = night.start()
    night.see("the share is away: reading it is tried again", lambda: _tries(night, run))
    away.rename(night.inbox)
    night.see("the share is back: the run completes", night.state(run, "Completed"))
    left = list((night.out / "runs").glob(".*.partial"))
    night.see("nothing is left of the killed run", lambda: not left and "no partial folder, lock free")


def _tries(night: Night, run_id: str) -> str | None:
    tasks = night.server.post("/task_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}})
    for task in tasks:
        if task["name"].startswith("reach the inbox") and task["run_count"] > 1:
            return f"{task['run_count']} tries"
    return None


def failure_and_time_limit(night: Night) -> None:
    """A run fails with a client's name in its exception; a stage of another takes too long."""
    purged = night.out / "state" / "purged.json"
    person = pl.read_parquet(night.out / "latest/canonical/persons.parquet").row(0, named=True)
    purged.write_text(f'{{"x": "{person["given_name"]} {person["family_name"]}"}}', encoding="utf-8")
    told, mails = night.told("run failed"), len(night.received.mail)
    run = night.start()
    night.see("a run fails on a client's name: it is Failed", night.state(run, "Failed"))
    night.see("its state tells the kind of error and no name", lambda: _message(night, run))
    purged.unlink()
    night.see("the webhook is told of the failure", told)
    night.see("the e-mail is sent", lambda: len(night.received.mail) > mails and "1 message")
    slow = night.start(stage_timeout_minutes=0.02)
    night.see("a stage over its time limit: the run is TimedOut", night.state(slow, "TimedOut"))


def _message(night: Night, run_id: str) -> str | None:
    message = str(night.server.run(run_id)["state"]["message"])
    return message if message.endswith("StageFailed: failed to run the book: ValueError") else None


def service_dies(night: Night) -> None:
    """The service and the run it was doing are killed at once, and for a while nobody starts it again."""
    doomed = night.start()
    night.see("a run is under way", night.state(doomed, "Running"))
    time.sleep(5)  # its first heartbeat reaches the server
    killed, late = night.told("was killed"), night.told("hasn't started")
    assert night.service is not None
    night.service.kill()
    night.kill_run(doomed)
    missed, newest = night.start(), night.start()
    night.see("service killed: a due run is Late", night.state(missed, "Late"))
    night.see("the webhook is told that it is late", late)
    night.see("the server finds the silent run Crashed by itself", night.state(doomed, "Crashed"))
    night.see("the webhook is told of that crash", killed)
    overdue, long_ago = night.told("no good run for too long"), time.time() - 27 * 3600
    os.utime(night.out / "latest", (long_ago, long_ago), follow_symlinks=False)
    night.serve(cron="0 0 1 1 *", when_running="skip")
    night.see("service back: one missed run is done", night.state(newest, "Running", "Completed"))
    night.see("the older missed one is cancelled", night.state(missed, "Cancelled"))
    third = night.start()
    night.see("policy 'skip': a second run is cancelled", night.state(third, "Cancelled"))
    night.see("the missed run completes", night.state(newest, "Completed"))
    night.see("the webhook is told that the last good run was too old", overdue)


def scan(night: Night, dump: str, before: str) -> None:
    """Look for clients in the database, Prefect's folder, the logs and the messages sent; and, as a control, in OUT."""
    kept = [p for p in night.folder.rglob("*") if p.is_file() and not p.is_relative_to(night.out)]
    kept = [p for p in kept if p.is_relative_to(night.folder / "home") or p.suffix == ".log"]
    sent = [*night.received.webhook, *night.received.mail]
    told = "\n".join([dump, *map(read, kept), *sent])
    archive = "\n".join(map(read, sorted((night.out / "archive").iterdir())))
    night.see("what was run is in the database", lambda: "StageFailed" in dump and f"{len(dump) // 1024:,} KiB of text")
    every = Secrets.of(night.inbox, night.out / "latest/canonical")
    for kind, secrets in every.kinds().items():
        known = set(found_in(before, secrets))  # words of Prefect's own texts
        control, found = found_in(archive, secrets), found_in(told, secrets - known)
        result = f"{len(secrets - known)} looked for, {len(found)} found (in the archive: {len(control)})"
        night.see(f"no {kind} in database, logs, messages", lambda n=found, c=control, r=result: c and not n and r, 0)


STORY = (scheduled_and_second, arrival_and_kill, share_away, failure_and_time_limit, service_dies)


def show(name: str, table: Table, folder: Path) -> None:
    received = Received()
    with ExitStack() as stack:
        database = stack.enter_context(SERVERS[name](folder))
        hook, mail = stack.enter_context(machines.webhook(received)), stack.enter_context(machines.mailbox(received))
        server = stack.enter_context(machines.prefect_server(folder, database))
        night = Night(name, folder, server, received, table)
        night.see("the Prefect server answers", lambda: server.api.get("/admin/version").text.strip('"'))
        before = database.dump()
        message = {"subject": "{{subject}}", "body": "{{body}}"}
        data = {"name": "operations", "url": f"http://127.0.0.1:{hook}/", "json_data": message}
        server.make_block("custom-webhook", "operations", data)
        address = f"mailto://127.0.0.1:{mail}?from=rothbook@firm.example&to=operations@firm.example&mode=insecure"
        server.make_block("slack-webhook", "mail", {"url": address})
        subprocess.run(
            [sys.executable, "-m", "flows", "demo", str(night.inbox)],
            cwd=machines.ROOT,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        stack.callback(lambda: night.service and night.service.stop())
        for part in STORY:
            part(night)
        scan(night, database.dump(), before)


def units(table: Table) -> None:
    """What systemd says of the units, with the paths of this machine put in."""
    tool = shutil.which("systemd-analyze")
    assert tool is not None
    with tempfile.TemporaryDirectory(prefix="rothbook-units-") as folder:
        for unit in UNITS:
            target = Path(folder) / Path(unit).name
            text = (machines.ROOT / unit).read_text(encoding="utf-8")
            target.write_text(text.replace("/opt/rothbook", str(machines.ROOT)), encoding="utf-8")
        names = [str(Path(folder) / Path(unit).name) for unit in UNITS]
        done = subprocess.run([tool, "verify", *names], capture_output=True, text=True, timeout=120, check=False)
        said = [line for line in done.stderr.splitlines() if "rothbook" in line]
        table.see(
            "systemd", "systemd-analyze verify of both units", lambda: not said and done.returncode == 0 and "clean"
        )
        for line in said:
            print("   ", line)
        for name in names:
            score = _exposure(tool, name)
            table.see("systemd", f"exposure of {Path(name).name} is low", lambda s=score: s)


def _exposure(tool: str, unit: str) -> str | None:
    command = [tool, "security", "--offline=true", "--no-pager", unit]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    return found.group(1) if found and float(found.group(1)) < 3 else None


def missing(names: list[str]) -> Iterator[str]:
    if "PostgreSQL" in names and machines.pg_tools() is None:
        yield "PostgreSQL isn't installed: apt-get install postgresql (or --only SQLite)"
    if shutil.which("systemd-analyze") is None:
        yield "systemd-analyze isn't installed: apt-get install systemd"


@contextmanager
def own_folder(*, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rothbook-servers-"))
    try:
        yield folder
    finally:
        if keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="the nightly deployment against real Prefect servers")
    parser.add_argument("--only", choices=[*SERVERS, "systemd"], action="append")
    parser.add_argument("--keep", action="store_true", help="leave folders and logs for a look")
    asked = parser.parse_args()
    names = asked.only or [*SERVERS, "systemd"]
    wanting = list(missing(names))
    for line in wanting:
        print(f"make servers: {line}", file=sys.stderr)
    if wanting:
        return 2
    table = Table()
    if "systemd" in names:
        units(table)
    for name in (n for n in names if n in SERVERS):
        with own_folder(keep=asked.keep) as folder:
            try:
                show(name, table, folder)
            except (TimeoutError, TypeError, httpx.HTTPError, subprocess.SubprocessError) as broken:
                table.see(name, "the rest of the story", lambda b=broken: (_ for _ in ()).throw(LookupError(str(b))))
    print(table.text())
    return 0 if table.complete else 1


if __name__ == "__main__":
    sys.exit(main())
