"""The one configuration file: a copy of `flows/rothbook.toml`, checked key by key, with the environment over it.

`ROTHBOOK_<SECTION>__<KEY>` overrides a key of the file (`ROTHBOOK_INTAKE__SETTLE_SECONDS=30`); lists are written as
JSON, an empty variable says nothing. Messages name file, line, section and key and what was expected; they never repeat
a value, for somebody may have put a secret where none belongs.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from flows.errors import UsageError
from schemas.marks import COMES_BACK, ComesBack

DEFAULT = Path(__file__).with_name("rothbook.toml")
PREFIX, NESTED = "ROTHBOOK_", "__"
_BLOCK = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
_EXPECTED = {
    "string_type": "text in quotes",
    "path_type": "text in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "tuple_type": "a list such as [\"slack-webhook/operations\"]",
    "model_type": "a section of keys",
}  # fmt: skip


def _five_fields(cron: str) -> str:
    if len(cron.split()) != 5:
        raise ValueError("five fields: minute, hour, day of month, month, day of week")
    return cron


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError("the name of a time zone, such as America/New_York") from None
    return name


def _block(name: str) -> str:
    if not _BLOCK.fullmatch(name):
        raise ValueError("the slug of a Prefect block, such as slack-webhook/operations")
    return name


Block = Annotated[str, AfterValidator(_block)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Schedule(_Section):
    """When the nightly run starts, and when it or its result counts as late."""

    cron: Annotated[str, AfterValidator(_five_fields)] = "30 2 * * *"
    timezone: Annotated[str, AfterValidator(_zone)] = "America/New_York"
    late_after_minutes: Annotated[int, Field(ge=1)] = 60
    overdue_after_hours: Annotated[int, Field(ge=1)] = 26
    on_arrival: bool = False
    arrival_quiet_seconds: Seconds = 60.0


class Folders(_Section):
    """Where files are dropped, where everything Rothbook makes goes, and where advisors find their workbooks."""

    inbox: Path | None = None
    out: Path | None = None
    shared: Path | None = None


class Intake(_Section):
    """How long a file must have been still to count as arrived, and where gpg's key ring is."""

    settle_seconds: Seconds = 10.0
    pgp_home: Path | None = None


class Prefect(_Section):
    """What Prefect keeps of a run, how it retries reading a share, and how long a run may take."""

    artifacts: bool = True
    retries: Annotated[int, Field(ge=0, le=20)] = 5
    retry_delay_seconds: Seconds = 30.0
    timeout_minutes: Annotated[int, Field(ge=1)] = 240
    stage_timeout_minutes: Annotated[int, Field(ge=1)] = 120
    when_running: Literal["wait", "skip"] = "wait"


class Security(_Section):
    """Where the firm key comes from. The key itself is never in a configuration file."""

    firm_key_source: Literal["automatic", "environment", "file", "keyring"] = "automatic"
    firm_key_file: Path | None = None
    keyring_service: str = "rothbook"
    keyring_user: str = "firm-key"


class Marks(_Section):
    """What brings a finding back that an advisor put aside, beside a graver severity and a snooze that is over."""

    percent: Annotated[int, Field(ge=0)] = COMES_BACK.percent
    dollars: Annotated[int, Field(ge=0)] = int(COMES_BACK.dollars)
    days: Annotated[int, Field(ge=0)] = COMES_BACK.days

    def comes_back(self) -> ComesBack:
        """As the engine takes it."""
        return ComesBack.of(self.model_dump())


class Retention(_Section):
    """How many years of runs and files are kept."""

    years: Annotated[int, Field(ge=1, le=100)] = 6


class Notifications(_Section):
    """Names of the Prefect blocks that are told."""

    on_failure: tuple[Block, ...] = ()
    on_crash: tuple[Block, ...] | None = None
    on_late: tuple[Block, ...] = ()


class Logging(_Section):
    """How much is logged to the terminal or the service's log, and how it is written."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Settings(BaseSettings):
    """The whole configuration; every section is optional, every key has a default. Paths are absolute once loaded."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter=NESTED, env_ignore_empty=True
    )  # fmt: skip

    schedule: Schedule = Schedule()
    folders: Folders = Folders()
    intake: Intake = Intake()
    prefect: Prefect = Prefect()
    security: Security = Security()
    marks: Marks = Marks()
    retention: Retention = Retention()
    notifications: Notifications = Notifications()
    logging: Logging = Logging()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env file is read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - nor a folder of secrets
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file, which comes as arguments."""
        return env_settings, init_settings

    def out_folder(self) -> Path:
        """`folders.out`; raises `UsageError` where the configuration doesn't name it."""
        return _stated(self.folders.out, "out")

    def inbox_folder(self) -> Path:
        """`folders.inbox`; raises `UsageError` where the configuration doesn't name it."""
        return _stated(self.folders.inbox, "inbox")


SECTIONS: dict[str, type[BaseModel]] = {
    name: field.annotation for name, field in Settings.model_fields.items() if isinstance(field.annotation, type)
}


def load(path: Path = DEFAULT) -> Settings:
    """The configuration in `path`, with the environment over it; whatever is wrong with either is a `UsageError`.

    A relative folder starts at the folder of the file. The file that comes with Rothbook lies in no firm's folder:
    there, as without any file, it starts at the folder Rothbook is started in.
    """
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"can't read the configuration file {path}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None
    base = Path() if path.resolve() == DEFAULT.resolve() else path.parent
    return _settings(raw, text, path, base)


def from_environment() -> Settings:
    """The configuration without a file: defaults, and what the environment says."""
    return _settings({}, "", None, Path())


def _stated(folder: Path | None, key: str) -> Path:
    if folder is None:
        raise UsageError(f"the configuration names no folder '{key}' in [folders]")
    return folder


def _settings(raw: dict[str, Any], text: str, path: Path | None, base: Path) -> Settings:
    _check_sections_of_environment()
    try:
        settings = Settings(**raw)
    except ValidationError as wrong:
        problems = [_problem(error, text, path) for error in wrong.errors(include_url=False, include_input=False)]
        raise UsageError("\n".join(said for _, said in sorted(problems))) from None
    except SettingsError:
        raise UsageError(
            "an environment variable ROTHBOOK_<SECTION>__<KEY> isn't valid JSON; write a list as [\"one\", \"two\"]"
        ) from None  # fmt: skip
    return settings.model_copy(update={name: _anchored(getattr(settings, name), base) for name in SECTIONS})


SectionT = TypeVar("SectionT", bound=BaseModel)


def _anchored(section: SectionT, base: Path) -> SectionT:
    """The section with every path absolute."""
    found = {name: (base / value.expanduser()).resolve() for name, value in section if isinstance(value, Path)}
    return section.model_copy(update=found)


def _check_sections_of_environment() -> None:
    """Pydantic passes over a variable of a section it doesn't know; it would look set, and do nothing."""
    for name in sorted(os.environ):
        if not name.startswith(PREFIX) or NESTED not in name:
            continue
        section = name.removeprefix(PREFIX).partition(NESTED)[0].lower()
        if section not in SECTIONS:
            raise UsageError(
                f"the environment variable {name}: there is no section [{section}]{_nearest(section, SECTIONS)}"
            )


def _problem(error: ErrorDetails, text: str, path: Path | None) -> tuple[int, str]:
    """The line it is on (0: not in the file, or not found there), and what to say."""
    section, *key = [str(part) for part in error["loc"]]
    name = key[0] if key else None
    line = _line(section, name, text)
    variable = f"{PREFIX}{section}{NESTED}{name}".upper()
    stated = next((known for known in os.environ if known.upper() == variable), None)
    where = f"the environment variable {stated}" if stated else f"{path}:{line}" if line else str(path or "environment")
    if error["type"] == "extra_forbidden":
        return line, f"{where}: {_unknown(section, name)}"
    at = f"[{section}] {name}" if name else f"[{section}]"
    return line, f"{where}: {at} needs {_expected(error)}"


def _unknown(section: str, key: str | None) -> str:
    if section not in SECTIONS:
        return f"there is no section [{section}]{_nearest(section, SECTIONS)}"
    return f"[{section}] has no key '{key}'{_nearest(str(key), SECTIONS[section].model_fields)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    at_home = [section for section, model in SECTIONS.items() if name in model.model_fields]
    if at_home:
        return f"; '{name}' is a key of [{at_home[0]}]"
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    listed = ", ".join(known)
    return f"; did you mean '{near[0]}'? There are {listed}" if near else f"; there are {listed}"


def _expected(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] == "literal_error":
        return f"one of {context['expected']}"
    if error["type"] in ("greater_than_equal", "less_than_equal"):
        return f"a number {error['msg'].removeprefix('Input should be ')}"
    return _EXPECTED.get(error["type"], "another kind of value")


def _line(section: str, key: str | None, text: str) -> int:
    """The line a key or the head of a section stands on, where written as `[section]` and `key = ...`; else 0."""
    return next((number for number, here, name in _keys(text) if here == section and name == key), 0)


def _keys(text: str) -> Iterator[tuple[int, str, str | None]]:
    """Line, section and key of every key; line, section and None of every head of a section."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[\s*([\w-]+)\s*\]", line)
        key = re.match(r"\s*([\w-]+)\s*=", line)
        if head:
            section = head.group(1)
            yield number, section, None
        elif key:
            # a key above every section is taken for a section by TOML and by the checks
            yield (number, section, key.group(1)) if section else (number, key.group(1), None)
