"""One file of settings: every key documented and checked, the nearest name given, the environment over it."""

import tomllib
from pathlib import Path

import pytest

from flows import config, firm_key
from flows.errors import UsageError


def loaded(folder: Path, text: str) -> config.Settings:
    target = folder / "my.toml"
    target.write_text(text, encoding="utf-8")
    return config.load(target)


def test_the_file_that_comes_with_rothbook_states_every_key_with_its_default() -> None:
    text = config.DEFAULT.read_text(encoding="utf-8")
    stated = tomllib.loads(text)
    assert set(stated) == set(config.SECTIONS)
    nothing = config.Settings()
    for section, model in config.SECTIONS.items():
        for key in model.model_fields:
            default = getattr(getattr(nothing, section), key)
            if default is not None:
                assert stated[section][key] == (list(default) if isinstance(default, tuple) else default), key
            assert any(line.startswith((f"{key} =", f"# {key} =")) and "# " in line[2:] for line in text.splitlines())


def test_a_key_left_out_has_its_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, '[folders]\ninbox = "in"\n')
    assert settings.intake.settle_seconds == 10.0
    assert settings.retention.years == 6
    assert settings.folders.out is None
    with pytest.raises(UsageError, match="no folder 'out'"):
        settings.out_folder()


def test_relative_folders_start_at_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "etc").mkdir()
    keys = '[folders]\ninbox = "../in"\nout = "/srv/out"\nshared = "~/book"\n[intake]\npgp_home = "gnupg"\n'
    settings = loaded(tmp_path / "etc", keys)
    assert settings.folders.inbox == tmp_path / "in"
    assert settings.folders.out == Path("/srv/out")
    assert settings.folders.shared == tmp_path / "home" / "book"
    assert settings.intake.pgp_home == tmp_path / "etc" / "gnupg"


def test_the_file_that_comes_with_rothbook_lies_in_no_firm_s_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert config.load().folders.inbox == tmp_path / "inbox"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("[schedule]\n\ncron = 1\n", "my.toml:3: [schedule] cron needs text in quotes", id="text"),
        pytest.param("[prefect]\nartifacts = 'x'\n", "my.toml:2: [prefect] artifacts needs true or false", id="flag"),
        pytest.param(
            "[prefect]\nretries = 1.5", "my.toml:2: [prefect] retries needs a whole number", id="whole number"
        ),
        pytest.param("[prefect]\nretries = -1", "retries needs a number greater than or equal to 0", id="range"),
        pytest.param("[retention]\nyears = 0", "years needs a number greater than or equal to 1", id="no retention"),
        pytest.param("[intake]\nsettle_seconds = inf", "settle_seconds needs a finite number", id="no number"),
        pytest.param("[logging]\nformat = 'xml'", "format needs one of 'text' or 'json'", id="closed list"),
        pytest.param("[schedule]\ntimezone = 'Mars/Olympus'", "timezone needs the name of a time zone", id="zone"),
        pytest.param("[schedule]\ncron = 'nightly'", "cron needs five fields", id="cron"),
        pytest.param("[notifications]\non_late = 'x'", "on_late needs a list such as", id="list"),
        pytest.param("[notifications]\non_late = ['our slack']", "the slug of a Prefect block", id="block"),
        pytest.param("[intake]\nsettle = 1", "[intake] has no key 'settle'; did you mean 'settle_seconds'?", id="key"),
        pytest.param("[folders]\ncron = 'x'", "'cron' is a key of [schedule]", id="a key of another section"),
        pytest.param(
            "cron = 'x'", "my.toml:1: there is no section [cron]; 'cron' is a key of [schedule]", id="no head"
        ),
        pytest.param("[sched]\n", "my.toml:1: there is no section [sched]; did you mean 'schedule'?", id="section"),
        pytest.param("folders = 1", "[folders] needs a section of keys", id="a section that is none"),
        pytest.param("schedule]", "is not valid TOML", id="not TOML"),
    ],
)
def test_what_is_wrong_is_told_by_line_key_and_what_was_expected(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        loaded(tmp_path, text)
    assert told in str(refused.value)


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        loaded(tmp_path, "[schedule]\ncron = 1\n[sched]\n[intake]\nsettle = 2\n")
    assert [line.split(": ")[0][-1] for line in str(refused.value).splitlines()] == ["2", "3", "5"]


def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        loaded(tmp_path, "[security]\nfirm_key = '0123456789abcdef0123'\nfirm_key_source = 'fedcba9876543210'\n")
    said = str(refused.value)
    assert "firm_key_source" in said
    assert "0123456789" not in said
    assert "fedcba98" not in said


def test_the_environment_goes_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTHBOOK_INTAKE__SETTLE_SECONDS", "30")
    monkeypatch.setenv("ROTHBOOK_NOTIFICATIONS__ON_LATE", '["slack-webhook/ops"]')
    monkeypatch.setenv("ROTHBOOK_LOGGING__LEVEL", "")
    settings = loaded(tmp_path, '[intake]\nsettle_seconds = 1.0\npgp_home = "keys"\n[logging]\nlevel = "debug"\n')
    assert settings.intake.settle_seconds == 30.0
    assert settings.intake.pgp_home == tmp_path / "keys"
    assert settings.notifications.on_late == ("slack-webhook/ops",)
    assert settings.logging.level == "debug"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        pytest.param("ROTHBOOK_INTAKE__SETTLE", "1", "did you mean 'settle_seconds'?", id="unknown key"),
        pytest.param("ROTHBOOK_INTAK__X", "1", "did you mean 'intake'?", id="unknown section"),
        pytest.param("ROTHBOOK_PREFECT__RETRIES", "many", "ROTHBOOK_PREFECT__RETRIES: [prefect] retries", id="type"),
        pytest.param("ROTHBOOK_NOTIFICATIONS__ON_LATE", "x", "write a list as", id="a list that is none"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as refused:
        config.from_environment()
    assert told in str(refused.value)


def test_the_firm_key_comes_from_where_the_configuration_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROTHBOOK_FIRM_KEY", raising=False)
    monkeypatch.setattr("keyring.get_password", lambda service, user: f"{service} {user} of the test")
    (tmp_path / "firm.key").write_text("the key of the file\n", encoding="ascii")
    stated = config.Security(firm_key_source="file", firm_key_file=tmp_path / "firm.key")
    firm_key.provide(stated)
    assert firm_key.os.environ["ROTHBOOK_FIRM_KEY"] == "the key of the file"
    firm_key.provide(config.Security(firm_key_source="keyring"))
    assert firm_key.os.environ["ROTHBOOK_FIRM_KEY"] == "rothbook firm-key of the test"
    firm_key.provide(config.Security(firm_key_source="file"))
    assert "ROTHBOOK_FIRM_KEY" not in firm_key.os.environ


@pytest.mark.parametrize("source", ["environment", "file", "keyring"])
def test_a_named_key_that_is_gone_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.delenv("ROTHBOOK_FIRM_KEY", raising=False)
    monkeypatch.setattr("keyring.get_password", lambda *_: None)
    stated = config.Security(firm_key_source=source, firm_key_file=tmp_path / "gone.key")  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        firm_key.provide(stated)
    assert not (tmp_path / "gone.key").exists()
