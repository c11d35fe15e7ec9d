"""The command line.

Exit codes: 0 all accepted; 1 some rows or files set aside; 2 usage or configuration; 3 failed, nothing published.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from flows import (
    __version__,
    audit_command,
    brief_command,
    bureau_command,
    diff_command,
    doctor_command,
    history_command,
    overdue_command,
    profile_command,
    protect_command,
    purge_command,
    status_command,
)
from flows.errors import StageFailed, UsageError, scrub
from limits.load import UnknownTaxYear
from transforms.keys import KeyTrouble

if TYPE_CHECKING:
    from flows.config import Settings
    from flows.pipeline import Night

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name

OK, SET_ASIDE, USAGE, FAILED = 0, 1, 2, 3


def main(argv: Sequence[str]) -> int:
    """Do what `argv` asks; returns the exit code."""
    os.umask(0o077)
    asked = _parser().parse_args(argv)
    try:
        code: int = asked.command(asked)
    except (UsageError, UnknownTaxYear, KeyTrouble) as error:
        return _say(USAGE, str(error))
    except StageFailed as error:
        where = "; ".join(getattr(error, "__notes__", ()))
        return _say(FAILED, f"{error}\nnothing was published; the newest good run is still the newest\n{where}")
    except KeyboardInterrupt:
        return _say(FAILED, "interrupted; the newest good run is still the newest")
    except Exception as error:  # noqa: BLE001 - the text of an exception of a library may quote client data
        failure = scrub(f"do '{argv[0]}'", error)
        trace = () if isinstance(error, OSError) else failure.trace  # a disk or share is no fault of the code
        return _say(FAILED, "\n".join((str(failure), *trace)))
    return code


def _say(code: int, message: str) -> int:
    for line in message.splitlines():
        print(f"rothbook: {line}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rothbook",
        description="Nightly backdoor and mega backdoor Roth book: custodian files in, workbooks out.",
        epilog="exit codes: 0 all accepted; 1 finished, some rows or files set aside; 2 usage or configuration error; "
        "3 the run failed and nothing was published",
    )
    parser.add_argument("--version", action="version", version=f"rothbook {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_run(commands)
    _add_check(commands)
    _add_schedule(commands)
    _add_explain(commands)
    brief_command.add(commands, _year)
    profile_command.add(commands)
    protect_command.add(commands)
    status_command.add(commands)
    doctor_command.add(commands)
    overdue_command.add(commands)
    diff_command.add(commands)
    history_command.add(commands)
    audit_command.add(commands)
    purge_command.add(commands)
    bureau_command.add(commands, _day, _year)
    return parser


def _add_demo(commands: Commands) -> None:
    demo = commands.add_parser("demo", help="write a sample book into a folder")
    demo.add_argument("folder", metavar="DIR", type=Path)
    demo.set_defaults(command=_demo)


def _add_run(commands: Commands) -> None:
    run = commands.add_parser("run", help="run the book once and print a summary")
    run.add_argument("--inbox", metavar="DIR", type=Path, help="folder the files were dropped in")
    run.add_argument("--out", metavar="DIR", type=Path, help="folder of archive, quarantine and runs")
    run.add_argument("--as-of", metavar="DATE", type=_day, help="'today' of the run, YYYY-MM-DD (default: today)")
    run.add_argument("--tax-year", metavar="YYYY", type=_year, action="append", help="may be repeated")
    run.add_argument(
        "--shared", metavar="DIR", type=Path, help="folder the advisors find their workbook in, mark it and leave it"
    )
    run.add_argument("--direct", action="store_true", help="run the same stages without Prefect")
    run.add_argument("--config", metavar="FILE", type=Path, help="take folders and everything else from this file")
    run.add_argument("--verbose", action="store_true", help="tell each stage on the error output, terminal or not")
    run.add_argument("--log-json", action="store_true", help="the same, as JSON lines")
    run.set_defaults(command=_run)


def _add_check(commands: Commands) -> None:
    check = commands.add_parser("check", help="say what a file is and what is wrong with it; writes nothing")
    check.add_argument("files", metavar="FILE", type=Path, nargs="+")
    check.add_argument("--config", metavar="FILE", type=Path, help="take the PGP key ring from this file")
    check.add_argument("--lines", action="store_true", help="say of every line how it is understood")
    check.set_defaults(command=_check)


def _add_schedule(commands: Commands) -> None:
    schedule = commands.add_parser("schedule", help="serve the nightly run (needs a Prefect server)")
    schedule.add_argument("--config", metavar="FILE", type=Path, help="default: flows/rothbook.toml")
    schedule.set_defaults(command=_schedule)


def _add_explain(commands: Commands) -> None:
    explain = commands.add_parser("explain", help="how a person's numbers came about, down to file and line")
    explain.add_argument("person_id", metavar="PERSON_ID")
    explain.add_argument("--out", metavar="DIR", type=Path, required=True)
    explain.add_argument("--tax-year", metavar="YYYY", type=_year)
    explain.add_argument("--format", choices=("text", "json"), default="text")
    explain.set_defaults(command=_explain)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a date; write it as YYYY-MM-DD") from None


def _year(text: str) -> int:
    if len(text) != 4 or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a tax year; write it as YYYY")
    return int(text)


def _demo(asked: argparse.Namespace) -> int:
    from flows.demo import write_demo

    write_demo(asked.folder)
    print(f"a sample book is in {asked.folder}; next: rothbook run --inbox {asked.folder} --out out")
    return OK


def _run(asked: argparse.Namespace) -> int:
    from flows import asked as planned
    from flows import config, firm_key, pipeline, progress

    settings = config.load(asked.config) if asked.config else config.from_environment()
    inbox: Path | None = asked.inbox or settings.folders.inbox
    out: Path | None = asked.out or settings.folders.out
    if inbox is None or out is None:
        raise UsageError("run needs --inbox and --out, or --config with both")
    days = (asked.as_of, asked.tax_year)
    night = planned.night(settings, inbox, out, *days, shared=asked.shared, from_file=bool(asked.config))
    firm_key.provide(settings.security)
    as_json = _tell_stages(settings, verbose=asked.verbose, as_json=asked.log_json)
    with nullcontext() if as_json else progress.shown():
        run = pipeline.run_direct if asked.direct else partial(_run_flow, settings, patient=bool(asked.config))
        published = run(night)
    return _told(published)


def _told(published: Path) -> int:
    """Print the summary of a run; one that can't be read back leaves the run published, and says so."""
    from flows import summary

    code = summary.exit_code(published)
    try:
        print(summary.text(published), flush=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        _say(code, f"run {published.name} is published, but its summary can't be told ({reason})")
    return code


def _tell_stages(settings: Settings, *, verbose: bool, as_json: bool) -> bool:
    """Set up what is told of the stages: nothing where nobody looks, unless asked. True if it is told as JSON."""
    from flows import run_log

    as_json = as_json or settings.logging.format == "json"
    loud = verbose or as_json or sys.stderr.isatty()
    run_log.configure(settings.logging.level if loud else None, "json" if as_json else "text")
    return as_json


def _run_flow(settings: Settings, night: Night, *, patient: bool) -> Path:
    """Run the flow. A patient one (a timer's, which names a configuration) waits for a share; a person tries again."""
    from flows import left_servers, prefect_settings

    prefect_settings.prepare(night.out, logging_level="CRITICAL")  # a failure is told once, by this program
    if "PREFECT_API_URL" not in os.environ:
        left_servers.end(Path(os.environ["PREFECT_HOME"]))
    from flows.nightly import nightly

    asked = settings.prefect
    run = partial(
        nightly,
        night.inbox,
        night.out,
        night.as_of,
        list(night.tax_years),
        night.settle_seconds,
        artifacts=asked.artifacts,
        pgp_home=night.pgp_home,
        shared=night.shared,
        comes_back=night.comes_back.facts(),
        timeout_minutes=asked.timeout_minutes,
        stage_timeout_minutes=asked.stage_timeout_minutes,
        retries=asked.retries if patient else 0,
        retry_delay_seconds=asked.retry_delay_seconds,
    )
    try:
        return run()
    except RuntimeError as error:
        if "ephemeral" not in str(error):
            raise
    why = f"no answer in {os.environ[prefect_settings.PATIENCE]} seconds; try again, or say --direct"
    raise StageFailed("start Prefect's temporary server", why)


def _check(asked: argparse.Namespace) -> int:
    for path in asked.files:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; name its files: rothbook check {path}/*")
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
    import secrets

    from transforms.intake import Keyring, check_file, understood

    key = secrets.token_bytes(32)  # nothing is kept, so the firm's own key isn't needed
    keyring = Keyring(_pgp_home(asked.config))
    checks = [check_file(path, key, keyring) for path in asked.files]
    for path, check in zip(asked.files, checks, strict=True):
        print("\n".join([*check.lines(), *understood(path, key, every=asked.lines)]))
    return OK if all(check.ok for check in checks) else SET_ASIDE


def _pgp_home(stated: Path | None) -> Path | None:
    if stated is None:
        return None
    from flows import config

    return config.load(stated).intake.pgp_home


def _schedule(asked: argparse.Namespace) -> int:
    from flows import config, deployments, firm_key, operations, prefect_settings, run_log

    settings = config.load(asked.config or config.DEFAULT)
    service = operations.of(settings)
    firm_key.provide(settings.security)
    run_log.hand_on(settings.logging.level, settings.logging.format)
    prefect_settings.prepare(service.out, logging_level="WARNING")
    deployments.serve_nightly(service)
    return OK


def _explain(asked: argparse.Namespace) -> int:
    from flows import audit
    from flows.run_folder import newest
    from transforms import explain
    from transforms.vault import opened

    tell = explain.explain_json if asked.format == "json" else explain.explain
    try:
        with opened(newest(asked.out)) as run:
            told = tell(run, asked.person_id, asked.tax_year)
    except KeyError:
        raise UsageError("the newest run has no such person (and tax year)") from None
    audit.append(asked.out, "client exported", what="explain", person_id=asked.person_id, run_id=run.name)
    print(told)
    return OK
