"""What a custodian's file says of itself beside its rows: its name, the version of its layout, rows nobody's client."""

from __future__ import annotations

import re

import polars as pl

from schemas.profile import KeepOut, Profile
from transforms.intake.lines import Scan
from transforms.intake.register import Entry

_FIRST_BYTES = 4_096


def by_name(profile: Profile, entry: Entry, named: re.Match[str] | None) -> dict[str, str]:
    """What the file name says (account, label, date); where nothing names the account, an account of the file's own."""
    said = {name: text for name, text in (named.groupdict() if named else {}).items() if text}
    if "label" in said:
        said["label"] = said["label"].replace("_", " ")
    if profile.account_not_stated:
        said.setdefault("account", _own_account(entry))
    return said


def layout(profile: Profile, data: bytes, scan: Scan) -> str:
    """The versions of the layout the headers of the file are of; the profile's layout where it names no versions."""
    first = re.split(r"[\r\n]", data[:_FIRST_BYTES].decode(profile.encoding, errors="replace"), maxsplit=1)[0]
    found = [_version(profile, first, header) for header in scan.headers]
    return "; ".join(dict.fromkeys(v for v in found if v)) or profile.layout


def _version(profile: Profile, first: str, header: str) -> str | None:
    fitting = (
        v.layout
        for v in profile.versions
        if v.header.search(header) and (v.first_line is None or v.first_line.search(first))
    )
    return next(fitting, None)


def without_kept_out(profile: Profile, frames: dict[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], list[str]]:
    """The rows that are clients', and why which number of others was kept out."""
    told = []
    for rule in profile.keep_out:
        before = sum(f.height for f in frames.values())
        frames = {name: _clients(rule, frame) for name, frame in frames.items()}
        if count := before - sum(f.height for f in frames.values()):
            told.append(f"{count} row{'s' if count > 1 else ''} kept out: {rule.why}")
    return frames, told


def _clients(rule: KeepOut, frame: pl.DataFrame) -> pl.DataFrame:
    if not set(rule.where) <= set(frame.columns):
        return frame
    fits = [pl.col(name).fill_null("").str.contains(f"(?i){p.pattern}") for name, p in rule.where.items()]
    return frame.filter(~pl.all_horizontal(fits))


def note(profile: Profile, entry: Entry, context: dict[str, str], kept_out: list[str]) -> str | None:
    """What the file's row in `files` tells beside counts: rows kept out, sent again, an account nothing names."""
    told = list(kept_out)
    if profile.resend_name is not None and profile.resend_name.search(entry.file_name):
        told.append("the name says the sender sent it again (R)")
    if profile.account_not_stated and context["account"] == _own_account(entry):
        told.append("no account is named: put its number and _ before the file name, or its rows belong to nobody")
    return "; ".join(told) or None


def _own_account(entry: Entry) -> str:
    """An account number of the file's own: it fits no known account, and two people's equal files stay two."""
    return f"*file{entry.sha256[:12]}"
