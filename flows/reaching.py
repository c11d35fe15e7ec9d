"""The inbox as a network share: which failures are its own, so that waiting and trying again can help."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.errors import ShareUnreachable, scrub

#: A read or write of an open file names no path; these say that a server, not the disk of OUT, is the trouble.
_OF_A_NETWORK = frozenset(
    {
        errno.ECONNABORTED,
        errno.ECONNRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EIO,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENOTCONN,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)


@contextmanager
def reaching(inbox: Path) -> Iterator[None]:
    """Turn an `OSError` of the inbox into `ShareUnreachable`; any other, such as a full disk of OUT, stays itself."""
    try:
        yield
    except OSError as error:
        if not _is_of(inbox, error):
            raise
        raise ShareUnreachable(f"the inbox can't be read ({error.strerror or type(error).__name__})") from error


def reach(inbox: Path) -> None:
    """Look into the inbox; raises `StageFailed` (waiting helps) where it isn't there or can't be listed."""
    try:
        with reaching(inbox), os.scandir(inbox) as entries:
            next(entries, None)
    except (OSError, ShareUnreachable) as error:
        failure = scrub("reach the inbox", error)
    else:
        return
    raise failure


def _is_of(inbox: Path, error: OSError) -> bool:
    if isinstance(error.filename, (str, os.PathLike)):
        return Path(error.filename).is_relative_to(inbox)
    return error.filename is None and error.errno in _OF_A_NETWORK
