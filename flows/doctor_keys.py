"""What `rothbook doctor` says of keys: that each one the book is protected with is there, strong, and the book's own.

Two places say where keys are: `[security]` of the configuration, and `OUT/state/protection.json` for what was decided
with `rothbook protect`, which comes first. No key and no password is ever said; fingerprints are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flows import firm_key as configured
from flows.checkup import OTHERS, Check, Patient, mode
from flows.errors import UsageError
from flows.run_folder import latest
from transforms import keys, vault
from transforms.folders import matching
from transforms.keys import DEFAULT, ENVIRONMENT, KEYRING, NONE, KeyTrouble, Protection

if TYPE_CHECKING:
    import gnupg

_FIRM, _AT_REST, _PASSWORDS, _PGP = "firm key", "at-rest key", "passwords", "pgp"
_RESTORE = "restore it from the backup: under a new key no tax id of the book would match"


def firm_key(patient: Patient) -> Iterator[Check]:
    """The key tax ids are hashed under."""
    out, security = patient.settings.folders.out, patient.settings.security
    try:
        stated = _protection(patient)
    except KeyTrouble as damaged:
        yield Check("fail", _FIRM, str(damaged), "restore OUT/state/protection.json from the backup")
        return
    if out is not None and stated.firm_key != DEFAULT:
        yield _kept_with_the_book(stated)
        if security.firm_key_source != "automatic" or security.firm_key_file is not None:
            found = "[security] names a place too, which isn't looked at: 'rothbook protect' decided on another"
            yield Check("warn", _FIRM, found, "take firm_key_source and firm_key_file out of the configuration")
        return
    for check, key in _configured(patient):
        yield _is_the_books(check, key, stated)


def _protection(patient: Patient) -> Protection:
    out = patient.settings.folders.out
    return Protection.of(out) if out is not None else Protection()


def _kept_with_the_book(stated: Protection) -> Check:
    try:
        key = keys.named(_FIRM, stated.firm_key, keys.FIRM_VARIABLE, keys.SHORTEST_KEY)
    except KeyTrouble as missing:
        return Check("fail", _FIRM, str(missing), _RESTORE)
    return _is_the_books(Check("ok", _FIRM, f"found in {_place(stated.firm_key, keys.FIRM_VARIABLE)}"), key, stated)


def _place(source: str, variable: str) -> str:
    words = {ENVIRONMENT: f"the environment variable {variable}", KEYRING: "the system's key store"}
    return words.get(source, source)


def _is_the_books(check: Check, key: bytes | None, stated: Protection) -> Check:
    """The check, or that the key found isn't the one the book was computed with."""
    if key is None or check.level != "ok" or stated.firm_fingerprint in (None, keys.fingerprint(key)):
        return check
    found = (
        f"{check.found}, and it isn't the book's: fingerprint {keys.fingerprint(key)}, not {stated.firm_fingerprint}"
    )
    return Check("fail", _FIRM, found, "put the old one back, or rotate it: rothbook protect --new-firm-key")


def _configured(patient: Patient) -> Iterator[tuple[Check, bytes | None]]:
    """What was found where `[security]` says, and the key, if there is one."""
    security = patient.settings.security
    source = security.firm_key_source
    stated = os.environ.get(configured.VARIABLE)
    if source == "environment" or (source == "automatic" and stated):
        yield _strong(stated, f"the environment variable {configured.VARIABLE}")
    elif source == "keyring":
        try:
            yield _strong(configured.from_keyring(security), "the system's key store")
        except UsageError as missing:
            yield Check("fail", _FIRM, str(missing), "restore it from the backup, or set [security]"), None
    else:
        yield from _file(patient)


def _file(patient: Patient) -> Iterator[tuple[Check, bytes | None]]:
    named, out = patient.settings.security.firm_key_file, patient.settings.folders.out
    path = named or (out / "state" / "firm.key" if out else None)
    if path is None:
        return
    if not path.exists():
        book_is_there = out is not None and latest(out) is not None
        yield _no_file(path, needed=named is not None or book_is_there), None
        return
    if mode(path) & OTHERS:
        yield Check("fail", _FIRM, f"{path} can be read by others", f"chmod 600 {path}"), None
    try:
        key = configured.from_file(path)
    except UsageError as unreadable:
        yield Check("fail", _FIRM, str(unreadable), "restore it from the backup"), None
        return
    yield _strong(key, str(path))


def _no_file(path: Path, *, needed: bool) -> Check:
    if needed:
        return Check("fail", _FIRM, f"{path} isn't there", _RESTORE)
    return Check("ok", _FIRM, f"{path} is made by the first run; back it up then")


def _strong(key: str | None, where: str) -> tuple[Check, bytes | None]:
    if not key:
        return Check("fail", _FIRM, f"{where} isn't set", "set it for the user the run belongs to"), None
    if len(key.strip()) < keys.SHORTEST_KEY:
        found = f"{where} holds fewer than {keys.SHORTEST_KEY} characters"
        return Check("fail", _FIRM, found, "use a long random one"), None
    return Check("ok", _FIRM, f"found in {where}"), key.strip().encode()


def at_rest_key(patient: Patient) -> Iterator[Check]:
    """The key files are sealed with: there, and the one they were sealed with."""
    stated = _known(patient)
    out = patient.settings.folders.out
    if stated is None or out is None:
        return
    if stated.at_rest_key == NONE:
        yield Check("ok", _AT_REST, "files aren't sealed: OUT belongs on an encrypted disk")
        return
    try:
        keys.at_rest_key(out)
    except KeyTrouble as missing:
        fix = "put it back from its copy: without it neither a run nor any command opens this book"
        yield Check("fail", _AT_REST, str(missing), fix)
        return
    where = _place(stated.at_rest_key, keys.AT_REST_VARIABLE)
    yield Check("ok", _AT_REST, f"found in {where}, and it is the one the book is sealed with")
    if not os.access(vault.MEMORY, os.W_OK):
        found = f"{vault.MEMORY} can't be written to: sealed runs are opened into the folder for temporary files"
        yield Check("warn", _AT_REST, found, "put TMPDIR on an encrypted disk, or into memory")


def _known(patient: Patient) -> Protection | None:
    """How the book is protected; None where that can't be read, which `firm_key` tells."""
    try:
        return _protection(patient)
    except KeyTrouble:
        return None


def passwords(patient: Patient) -> Iterator[Check]:
    """A password for every workbook the newest run wrote, where workbooks are to be locked."""
    stated, out = _known(patient), patient.settings.folders.out
    if stated is None or out is None:
        return
    if stated.workbook_passwords == NONE:
        yield Check("ok", _PASSWORDS, "workbooks have none")
        return
    run = latest(out)
    stems = [path.stem for path in matching(run / "workbooks", "*.xlsx")] if run else []
    where = _place(stated.workbook_passwords, keys.PASSWORD_VARIABLE)
    try:
        asked = keys.Passwords.of(out)
        for stem in ("_firm", *stems):
            asked.of_workbook(stem)
    except KeyTrouble as missing:
        yield Check("fail", _PASSWORDS, str(missing), f"state it in {where}: without it the next run fails")
        return
    yield Check("ok", _PASSWORDS, f"one for every workbook, from {where}")


def pgp(patient: Patient) -> Iterator[Check]:
    """gpg, the firm's key ring, that its passphrase opens it, and senders' keys where signatures are required."""
    home, stated = patient.settings.intake.pgp_home, _known(patient)
    signed = stated is not None and stated.require_signature
    if home is None:
        if signed:
            found = "signatures are required, and no key ring is configured: every PGP message would be set aside"
            yield Check("fail", _PGP, found, "set [intake] pgp_home")
        else:
            yield Check("ok", _PGP, "no key ring configured; PGP-encrypted files would be set aside")
    elif shutil.which("gpg") is None:
        yield Check("fail", _PGP, "gpg isn't installed", "install gnupg")
    elif not home.is_dir():
        yield Check("fail", _PGP, f"pgp_home {home} is no folder", "correct [intake] pgp_home")
    elif mode(home) & OTHERS:
        yield Check("fail", _PGP, f"{home} can be read by others", f"chmod -R go= {home}")
    else:
        yield from _ring(home, signed=signed)


def _ring(home: Path, *, signed: bool) -> Iterator[Check]:
    import gnupg

    ring = gnupg.GPG(gnupghome=str(home))
    own = {key["fingerprint"] for key in ring.list_keys(secret=True)}
    if not own:
        yield Check("fail", _PGP, f"{home} holds no secret key", "import the firm's key: gpg --homedir ... --import")
        return
    if not any(_opens(ring, key) for key in sorted(own)):
        found = f"the secret key in {home} isn't opened by the passphrase in {_variable()}"
        yield Check("fail", _PGP, found, f"set {_variable()} for the user the run belongs to, or renew an expired key")
        return
    told = "messages must be signed" if signed else "signatures are told, not required"
    yield Check("ok", _PGP, f"gpg opens what is encrypted to the key in {home}; {told}")
    if signed and not {key["fingerprint"] for key in ring.list_keys()} - own:
        found = (
            "signatures are required, and the key ring holds no sender's public key: every message would be set aside"
        )
        yield Check("warn", _PGP, found, f"import the senders' keys: gpg --homedir {home} --import")


def _variable() -> str:
    from transforms.intake.pgp import PASSPHRASE

    return PASSPHRASE


def _opens(ring: gnupg.GPG, key: str) -> bool:
    """True if gpg can read what is encrypted to this key, as it has to tonight."""
    from transforms.intake.pgp import try_to_open

    secret = ring.encrypt(b"a trial", key, always_trust=True, extra_args=["--no-random-seed-file"])
    return bool(secret.ok and try_to_open(ring, bytes(secret.data)).ok)
