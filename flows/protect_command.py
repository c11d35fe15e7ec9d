"""`rothbook protect`: how a book's keys are kept and its files sealed; `rothbook unseal`: a file as it was."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeAlias

from flows.errors import UsageError
from transforms import keys
from transforms.keys import DEFAULT, ENVIRONMENT, KEYRING, NONE, Protection

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def add(commands: Commands) -> None:
    """Add both commands to the parser."""
    protect = commands.add_parser("protect", help="say, or change, how a book's keys are kept and its files sealed")
    protect.add_argument("--out", metavar="DIR", type=Path, required=True)
    protect.add_argument("--firm-key", metavar="SOURCE", help="keep the firm key there: default, keyring, or a file")
    protect.add_argument("--new-firm-key", action="store_true", help="rotate the firm key (or accept a changed one)")
    protect.add_argument("--at-rest-key", metavar="SOURCE", help="seal files: none, environment, keyring, or a file")
    protect.add_argument(
        "--workbook-passwords", metavar="SOURCE", help="lock workbooks: none, environment, keyring, or a TOML file"
    )
    protect.add_argument(
        "--require-signature",
        action=argparse.BooleanOptionalAction,
        help="read a PGP message only if a key of the key ring has signed it",
    )
    protect.set_defaults(command=_protect)
    unseal = commands.add_parser("unseal", help="write a sealed run, archived or quarantined file as it was")
    unseal.add_argument("path", metavar="PATH", type=Path, help="a run folder, or a file of archive or quarantine")
    unseal.add_argument("--out", metavar="DIR", type=Path, required=True)
    unseal.add_argument("--to", metavar="DIR", type=Path, required=True, help="a folder that isn't there yet")
    unseal.set_defaults(command=_unseal)


def _protect(asked: argparse.Namespace) -> int:
    from flows.run_folder import exclusive

    out: Path = asked.out.resolve()
    with exclusive(out):
        before = Protection.of(out)
        if asked.firm_key is not None:
            _move_firm_key(out, _source(asked.firm_key, {DEFAULT, KEYRING}, out))
        if asked.new_firm_key:
            _new_firm_key(out)
        if asked.at_rest_key is not None:
            _seal(out, _source(asked.at_rest_key, {NONE, ENVIRONMENT, KEYRING}, out))
        if asked.workbook_passwords is not None:
            source = _source(asked.workbook_passwords, {NONE, ENVIRONMENT, KEYRING}, out)
            replace(Protection.of(out), workbook_passwords=source).write(out)
            keys.Passwords.of(out)
        if asked.require_signature is not None:
            replace(Protection.of(out), require_signature=asked.require_signature).write(out)
        _note_change(out, before)
        print("\n".join(_told(out)))
    return 0


def _note_change(out: Path, before: Protection) -> None:
    """Tell the audit log what is protected otherwise than before: where keys are and their fingerprints."""
    from flows import audit

    then, now = asdict(before), asdict(Protection.of(out))
    changed = {name: {"before": then[name], "now": now[name]} for name in now if then[name] != now[name]}
    if changed:
        audit.append(out, audit.PROTECTED, **changed)


def _source(stated: str, words: set[str], out: Path) -> str:
    """A source as it is remembered: one of `words`, or the absolute path of a file outside the book."""
    if stated in words:
        return stated
    if stated in {DEFAULT, NONE, ENVIRONMENT, KEYRING}:
        raise UsageError(f"'{stated}' can't be chosen here; choose {', '.join(sorted(words))} or a file")
    path = Path(stated).resolve()
    if path.is_relative_to(out):
        raise UsageError("a key kept beside what it protects protects nothing: choose a file outside --out")
    return str(path)


def _told(out: Path) -> Iterator[str]:
    now = Protection.of(out)
    at_rest = "files are not sealed" if now.at_rest_key == NONE else f"fingerprint {now.at_rest_fingerprint}"
    yield f"firm key:           {now.firm_key}, fingerprint {now.firm_fingerprint or 'none yet: made by the first run'}"
    yield f"at-rest key:        {now.at_rest_key}, {at_rest}"
    yield f"workbook passwords: {now.workbook_passwords}"
    yield f"PGP signatures:     {'required' if now.require_signature else 'told, not required'}"


def _move_firm_key(out: Path, source: str) -> None:
    """Keep the same key elsewhere; a different one that is there already isn't touched."""
    key, before = keys.firm_key(out), Protection.of(out)
    path = str(out / "state" / "firm.key") if source == DEFAULT else source
    if not keys.there("firm key", path, keys.FIRM_VARIABLE):
        keys.make("firm key", path, key.decode())
    found = keys.named("firm key", path, keys.FIRM_VARIABLE, keys.SHORTEST_KEY)
    if found != key:
        raise UsageError(f"{source} holds another firm key than the book's; nothing is changed")
    replace(before, firm_key=source).write(out)
    if source != DEFAULT:
        (out / "state" / "firm.key").unlink(missing_ok=True)


def _new_firm_key(out: Path) -> None:
    """A new random key where the book keeps it, or the one the environment holds now; the next run hashes anew."""
    stated = Protection.of(out)
    source = str(out / "state" / "firm.key") if stated.firm_key == DEFAULT else stated.firm_key
    if stated.firm_key == DEFAULT and keys.FIRM_VARIABLE in os.environ:
        key = keys.named("firm key", ENVIRONMENT, keys.FIRM_VARIABLE, keys.SHORTEST_KEY)
    else:
        key = keys.make("firm key", source)
    replace(stated, firm_fingerprint=keys.fingerprint(key)).write(out)


def _seal(out: Path, source: str) -> None:
    """Seal everything that is there, or open it again; may be repeated where it was broken off."""
    from transforms.intake import forget
    from transforms.vault import Vault, seal_book, unseal_book

    before = Protection.of(out)
    if source == NONE:
        if before.at_rest_key != NONE:
            unseal_book(Vault.of(out))
        replace(before, at_rest_key=NONE, at_rest_fingerprint=None).write(out)
        return
    if source != ENVIRONMENT and not keys.there("at-rest key", source, keys.AT_REST_VARIABLE):
        keys.make("at-rest key", source)
    key = keys.named("at-rest key", source, keys.AT_REST_VARIABLE, keys.SHORTEST_AT_REST)
    mark = keys.fingerprint(key)
    if before.at_rest_fingerprint not in (None, mark):
        raise UsageError("the book is sealed with another key: say '--at-rest-key none' first, then seal it anew")
    seal_book(Vault(out, key))
    forget(out)
    replace(before, at_rest_key=source, at_rest_fingerprint=mark).write(out)


def _unseal(asked: argparse.Namespace) -> int:
    from flows import audit
    from schemas.accounts import mask_digits
    from transforms.vault import Vault

    out, path, to = asked.out.resolve(), asked.path.resolve(), asked.to
    if not path.is_relative_to(out) or not path.exists():
        raise UsageError(f"{asked.path} isn't a run folder or file in {asked.out}")
    if to.exists():
        raise UsageError(f"{to} is there already; name a folder to make")
    to.mkdir(mode=0o700, parents=True)
    vault = Vault.of(out)
    audit.append(out, audit.UNSEALED, what=mask_digits(path.relative_to(out).as_posix()))
    if path.is_dir():
        vault.open_run(path, to)
    else:
        (to / path.name).write_bytes(vault.read(path))
    print(f"opened into {to}: readable by you only; delete it when you are done")
    return 0
