"""`rothbook profile new` and `rothbook check --lines` on the command line."""

from __future__ import annotations

from pathlib import Path

from schemas.profile import PROFILES, load_profile
from tests.flows.inbox import SECRETS, rothbook, write_inbox
from tests.intake.nights import GOLDEN

SAMPLE = GOLDEN / "schwab-transactions" / "Contributory_XXX101_Transactions_20260309-071502.csv"


def test_a_draft_is_printed_and_what_to_decide_is_told_apart_from_it(tmp_path: Path) -> None:
    path = tmp_path / "draft.toml"
    done = rothbook("profile", "new", SAMPLE, "--name", "mine")
    assert done.returncode == 0, done.stderr
    path.write_text(done.stdout, encoding="utf-8")
    assert load_profile(path).name == "mine"
    assert "to decide before it is a profile:" in done.stderr
    assert "what each code means" in done.stderr


def test_a_draft_goes_where_it_is_asked_to_but_never_among_the_profiles(tmp_path: Path) -> None:
    out, before = tmp_path / "draft.toml", sorted(PROFILES.iterdir())
    done = rothbook("profile", "new", SAMPLE, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "to decide" in done.stdout
    assert load_profile(out).kind == "transactions"
    again = rothbook("profile", "new", SAMPLE, "--out", out)
    assert (again.returncode, "overwrites nothing" in again.stderr) == (2, True)
    among = rothbook("profile", "new", SAMPLE, "--out", PROFILES / "draft.toml")
    assert (among.returncode, "isn't a profile" in among.stderr) == (2, True)
    assert sorted(PROFILES.iterdir()) == before
    assert rothbook("profile", "new", tmp_path / "nothing.csv").returncode == 2
    (tmp_path / "empty.csv").touch()
    assert rothbook("profile", "new", tmp_path / "empty.csv").returncode == 2


def test_check_tells_the_lines_and_all_of_them_if_asked(tmp_path: Path) -> None:
    inbox = write_inbox(tmp_path / "inbox", bad_row=True)
    done = rothbook("check", inbox / "transactions.csv")
    assert "  data, transactions contribution: line 2" in done.stdout.splitlines()
    whole = rothbook("check", "--lines", inbox / "transactions.csv")
    assert [line for line in whole.stdout.splitlines() if line.startswith("  line ")][-4:] == [
        "  line 2: data, transactions contribution",
        "  line 3: data, transactions roth_conversion_out",
        "  line 4: data, transactions roth_conversion_in",
        "  line 5: data, set aside: not_a_date in column trade_date",
    ]
    assert [secret for secret in SECRETS if secret in done.stdout + whole.stdout] == []


def test_check_and_run_say_of_an_unknown_source_what_it_lacks(tmp_path: Path) -> None:
    inbox = write_inbox(tmp_path / "inbox")
    (inbox / "strange.csv").write_text("alpha,beta\n1,2\n", encoding="utf-8")
    checked = rothbook("check", inbox / "strange.csv")
    ran = rothbook("run", "--direct", "--inbox", inbox, "--out", tmp_path / "out", "--as-of", "2027-05-01",
                   "--tax-year", "2026")  # fmt: skip
    for done in (checked, ran):
        assert done.returncode == 1
        assert "kind_not_known: the header fits no house kind and no custodian profile" in done.stdout
        assert "not a source this book knows" in done.stdout
