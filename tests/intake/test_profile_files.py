"""Profiles are data that can be wrong: every typo is an error naming the file and the key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from schemas.profile import PROFILES, ProfileError, load_profile, parse, profiles


def table(name: str = "schwab-transactions") -> dict[str, Any]:
    return tomllib.loads((PROFILES / f"{name}.toml").read_text())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("delimeter", ";", "delimeter: is not a key"),
        ("format", "columns", "format: expected one of"),
        ("number", "roman", "number: expected one of"),
        ("first_line", "(", "first_line: not a regular expression"),
        ("encoding", 8, "encoding: expected str"),
        ("action", [{"match": ["x"], "type": "gift"}], r"action\[1\].type: expected one of"),
        ("action", [{"match": ["x"]}], r"action\[1\].type: give type"),
        ("account_type", [{"labels": ["x"], "type": "ira"}], r"account_type\[1\].type: expected one of"),
        ("line", [{"class": "footer", "match": "x"}], r"line\[1\].class: expected one of"),
        ("section", [{"name": "a", "shape": "transactions", "data_field": "day"}], "data_field: names no entry"),
        ("money_sources", {"MATCH": "matching"}, "money_sources.MATCH: is not a money source"),
    ],
    ids=range(11),
)
def test_a_typo_names_file_and_key(key: str, value: object, message: str) -> None:
    with pytest.raises(ProfileError, match=r"^mine\.toml: .*" + message):
        parse("mine.toml", {**table(), key: value})


def test_a_missing_key_and_broken_toml_are_named(tmp_path: Path) -> None:
    broken = table()
    del broken["kind"]
    with pytest.raises(ProfileError, match=r"mine\.toml: kind: is missing"):
        parse("mine.toml", broken)
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(ProfileError, match=r"bad\.toml: not TOML"):
        load_profile(tmp_path / "bad.toml")


def test_every_profile_loads_under_the_name_of_its_file() -> None:
    assert [p.name for p in profiles()] == [p.stem for p in sorted(PROFILES.glob("*.toml"))]


@pytest.mark.parametrize(
    ("code", "out", "into"),
    [
        ("ROLLOVER CASH DIRECT ROLLOVER", "plan_rollover_in", "plan_rollover_in"),
        ("ROLLOVER CASH CHECK MOBILE DEPOSIT", "unclassified", "unclassified"),
        ("ROLLOVER SHARES", "unclassified", "unclassified"),
        ("CO CONTR CURRENT YR EMPLOYER CUR YR", "employer_contribution", "employer_contribution"),
        ("PARTIC CONTR CURRENT PARTICIPANT CUR YR", "unclassified", "unclassified"),
        ("DISTRIBUTION", "market", "market"),
        ("NORMAL DISTR PARTIAL", "distribution", "distribution"),
        ("TRANSFER OF ASSETS ACAT DELIVER", "trustee_transfer_out", "trustee_transfer_in"),
        ("TRANSFERRED FROM VS X", "unclassified", "unclassified"),
        ("PARTIAL CY RECHAR", "recharacterization_out", "recharacterization_in"),
        ("RET FED WTH", "withholding", "withholding"),
    ],
)
def test_fidelity_words(code: str, out: str, into: str) -> None:
    for name in ("fidelity-history", "fidelity-history-2019", "fidelity-history-single"):
        action = next(p for p in profiles() if p.name == name).action(code)
        assert action is not None
        assert (action.type or action.out, action.type or action.into) == (out, into)


def test_a_longer_distribution_text_is_not_the_share_distribution() -> None:
    fidelity = next(p for p in profiles() if p.name == "fidelity-history")
    assert fidelity.action("DISTRIBUTION TO A CHARITY") is None


@pytest.mark.parametrize(
    ("profile", "label", "account", "kind"),
    [
        ("fidelity-positions", "NORTHWIND TRADERS 401K", "44121", "401k"),
        ("fidelity-positions", "NORTHWIND TRADERS 401K", "211000101", "other"),
        ("fidelity-positions", "NORTHWIND TRADERS PLAN", "44121", "other"),
        ("schwab-positions", "Roth Contributory IRA", "*1", "roth_ira"),
        ("schwab-positions", "Vacation fund", "*1", "other"),
        ("pershing-acct", "IOLA MARCHBANKS INHERITED IRA", None, "inherited_traditional_ira"),
        ("pershing-acct", "FBO A INHERITED ROTH IRA", None, "inherited_roth_ira"),
        ("pershing-acct", "IRA", None, "traditional_ira"),
        ("pershing-acct", "ROTH IRA", None, "roth_ira"),
        ("pershing-acct", "SEP IRA", None, "sep_ira"),
        ("pershing-acct", "FBO THEO OAKHURST", None, "other"),
        ("pershing-acct", "FBO MIRA", None, "other"),
    ],
)
def test_registration_labels(profile: str, label: str, account: str | None, kind: str) -> None:
    assert next(p for p in profiles() if p.name == profile).account_type(label, account) == kind
