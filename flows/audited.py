"""What a run tells the audit log: that it began, what it was published from, how it failed, and which runs died."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from pathlib import Path
from typing import Any

from flows import audit, nights
from flows.errors import StageFailed
from flows.firm_key import taken_from
from flows.run_folder import RunFolder, published
from transforms.vault import Vault, opened

#: Tables in which the firm overrides what its sources say, or advisors mark findings.
OVERRIDES = (
    "corrections", "row_fixes", "account_links", "link_decisions", "tax_id_changes", "renumbered_accounts",
    "finding_marks",
)  # fmt: skip
TAKEN_BACK = "run taken back"
#: What is told of the key beside the one before: another key, and the same or another from another place.
_KEY_FACTS = (("changed", "known_by"), ("moved", "source"))
_OF_A_RUN = (audit.STARTED, audit.PUBLISHED, audit.FAILED, audit.DIED, TAKEN_BACK)


def started(run: RunFolder) -> None:
    """Tell that a run begins."""
    facts = run.facts
    asked = {name: facts[name] for name in ("as_of", "tax_years", "looks_back", "version")}
    audit.append(run.out, audit.STARTED, run_id=run.run_id, **asked)


def failed(run: RunFolder, failure: StageFailed) -> None:
    """Tell that a run failed, in words that hold no client data."""
    audit.append(run.out, audit.FAILED, run_id=run.run_id, stage=failure.stage, reason=str(failure))


def finished(run: Path) -> None:
    """Tell what a published run was published from."""
    audit.append(run.parent.parent, audit.PUBLISHED, **_published(run))


def catch_up(out: Path) -> None:
    """Tell of runs that were killed: those published without a word, and those of which nothing more was heard."""
    heard = {line["run_id"]: line["event"] for line in audit.lines(out) if line["event"] in _OF_A_RUN}
    for run in published(out):
        if heard.get(run.name) != audit.PUBLISHED:
            audit.append(out, audit.PUBLISHED, **_published(run), told_by="the next run")
            heard[run.name] = audit.PUBLISHED
    for run_id, event in heard.items():
        if event == audit.STARTED:
            audit.append(out, audit.DIED, run_id=run_id, told_by="the next run")


def _published(run: Path) -> dict[str, Any]:
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    out = run.parent.parent
    told = {
        name: facts.get(name)
        for name in (
            "run_id",
            "as_of",
            "tax_years",
            "looks_back",
            "fingerprint",
            "version",
            "limits_digest",
            "previous",
        )
    }
    with opened(run) as readable:
        overrides = _overrides(readable, facts["as_of"])
    return {
        **told,
        "files": dict(sorted(Counter(file["state"] for file in facts["input_files"]).items())),
        "took_in": _took_in(out, run.name),
        "overrides": overrides,
        "exit_code": facts["exit_code"],
        **_key(out),
    }


def _took_in(out: Path, run_id: str) -> dict[str, Any]:
    """How many files were new, and one sha256 over theirs; which they were stands in state/nights/<run_id>."""
    night = out / "state" / nights.FOLDER / run_id / "night.json"
    new = json.loads(Vault.of(out).read(night))["took_in"] if night.exists() else []
    joined = "\n".join(sorted(sha256 for _, sha256 in new))
    return {"files": len(new), "sha256_of_their_sha256": hashlib.sha256(joined.encode()).hexdigest() if new else None}


def _overrides(run: Path, as_of: str) -> list[dict[str, Any]]:
    """Which file of tonight stated how many overrides or marks."""
    import polars as pl

    found = []
    for table in OVERRIDES:
        path = run / "canonical" / f"{table}.parquet"
        if path.exists():
            tonight = pl.scan_parquet(path).filter(pl.col("received_at").cast(pl.String) == as_of)
            rows = tonight.group_by("source_sha256").len().sort("source_sha256").collect().iter_rows()
            found += [{"table": table, "sha256": sha256, "rows": count} for sha256, count in rows]
    return found


def _key(out: Path) -> dict[str, Any]:
    """Where the firm key came from, by which fingerprint it is known, and whether that is another than before."""
    from transforms.intake import firm_key

    known_by = hmac.digest(firm_key(out), b"rothbook: audit log", "sha256").hex()[:16]
    before = [line["key"] for line in audit.lines(out) if "key" in line]
    now = {"source": taken_from(out), "known_by": known_by}
    changed = {f"key_{what}": True for what, name in _KEY_FACTS if before and before[-1][name] != now[name]}
    return {"key": now, **changed}
