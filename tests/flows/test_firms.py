"""Each firm of a bureau has its night as its own configuration says, under its own key, whoever was there before."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows import firm_key, firms, partitioned, pipeline
from flows.config import Security
from flows.errors import StageFailed, UsageError
from flows.firms import Firm
from flows.partitioned import Work
from tests.flows.inbox import write_inbox
from transforms import keys
from transforms.partitions import Share
from transforms.places import Place

AS_OF, YEARS = date(2027, 5, 1), (2026,)
KEYS = {"north": "the firm key of the north", "south": "the firm key of the south"}


def a_firm(base: Path, name: str, configuration: str | None = None) -> Path:
    write_inbox(base / name / "inbox")
    if configuration is not None:
        (base / name / "rothbook.toml").write_text(configuration, encoding="utf-8")
    return base / name


def with_key_file(base: Path, name: str) -> Path:
    (base / f"{name}.key").write_text(KEYS[name], encoding="ascii")
    return a_firm(base, name, f'[security]\nfirm_key_source = "file"\nfirm_key_file = "../{name}.key"\n')


def one(folder: Path) -> Firm:
    (firm,) = firms.gathered([folder]).values()
    assert isinstance(firm, Firm)
    return firm


def _tax_ids(run: Path) -> list[str]:
    return pl.read_parquet(run / "canonical/persons.parquet")["tax_id"].to_list()


def _set() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("ROTHBOOK_")}


@pytest.mark.parametrize("everybodys", [None, "the firm key of a bureau"])
def test_on_one_worker_each_firm_has_its_own_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, everybodys: str | None
) -> None:
    monkeypatch.delenv(keys.FIRM_VARIABLE, raising=False)
    if everybodys:
        monkeypatch.setenv(keys.FIRM_VARIABLE, everybodys)
    before, found = _set(), {}
    with ExitStack() as held:
        works: dict[str, Work] = {}
        for firm in (with_key_file(tmp_path, "north"), with_key_file(tmp_path, "south"), a_firm(tmp_path, "west")):
            security = one(firm).settings.security
            with firm_key.of_firm(security):
                folder = held.enter_context(pipeline.open_run(one(firm).night(AS_OF, YEARS)))
            works[firm.name] = Work.of(folder, security, Share())
        for name, stage in {"take in": pipeline.take_in, "read": pipeline.read}.items():
            for work in works.values():  # as a worker is given them: one firm's stage after another's
                partitioned.anew(work, name, stage)
                assert _set() == before
                assert keys.handed_on() is None
        found = {name: _tax_ids(work.folder) for name, work in works.items()}
    assert len({*map(tuple, found.values())}) == 3
    own = everybodys or (tmp_path / "west/out/state/firm.key").read_text(encoding="utf-8").strip()
    for name, key in {**KEYS, "west": own}.items():
        monkeypatch.setenv(keys.FIRM_VARIABLE, key)
        alone = pipeline.plan(tmp_path / name / "inbox", tmp_path / f"alone-{name}", AS_OF, YEARS)
        with pipeline.open_run(alone) as folder:
            pipeline.take_in(folder)
            pipeline.read(folder)
            assert found[name] == _tax_ids(folder), name


def test_a_key_that_is_gone_stops_that_firm_and_is_not_made_anew(tmp_path: Path) -> None:
    security = one(with_key_file(tmp_path, "north")).settings.security
    (tmp_path / "north.key").unlink()
    with pytest.raises(UsageError, match="firm_key_file"):
        partitioned.anew(Work.of(tmp_path, security, Share()), "split", lambda _: None)
    assert keys.handed_on() is None


def test_a_books_place_on_a_storage_is_its_own_and_is_cleared_alone(tmp_path: Path) -> None:
    works = [Work.of(tmp_path / f"{name}/out/runs/.x", Security(), Share(), "memory://night/") for name in KEYS]
    places = [Place.at(work.parts) for work in works]
    assert [place.url.rpartition("/")[2].rpartition("-")[0] for place in places] == list(KEYS)
    for place in places:
        (place / "in-1/persons.parquet").put(b"a name")
    works[0].clear()
    assert places[0].below() == []
    assert places[1].below() == ["in-1/persons.parquet"]
    works[1].clear()
    assert Place.at("memory://night").below() == []


def test_a_sealed_books_partitions_are_put_onto_no_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "an at-rest key of more than 32 letters"
    monkeypatch.setenv(keys.AT_REST_VARIABLE, key)
    sealed = keys.Protection(at_rest_key=keys.ENVIRONMENT, at_rest_fingerprint=keys.fingerprint(key.encode()))
    sealed.write(tmp_path / "out")
    assert Work.of(tmp_path / "out/runs/.x", Security(), Share()).parts == tmp_path / "out/runs/.x/.parts"
    with pytest.raises(StageFailed, match="sealed"):
        Work.of(tmp_path / "out/runs/.x", Security(), Share(), "memory://night")


def test_a_firm_is_run_as_its_configuration_says(tmp_path: Path) -> None:
    text = '[folders]\nout = "elsewhere"\nshared = "office"\n[marks]\npercent = 3\n[intake]\nsettle_seconds = 0.25\n'
    own = one(a_firm(tmp_path, "north", text)).night(AS_OF, YEARS)
    assert (own.inbox, own.out) == (tmp_path / "north/inbox", tmp_path / "north/elsewhere")
    assert (own.shared, own.comes_back.percent, own.settle_seconds) == (tmp_path / "north/office", 3, 0.25)
    other = one(a_firm(tmp_path, "south")).night(AS_OF, YEARS)
    assert (other.inbox, other.out) == (tmp_path / "south/inbox", tmp_path / "south/out")
    assert (other.shared, other.comes_back.percent) == (None, 20)
    assert other.settle_seconds == pipeline.SETTLE_SECONDS


def test_firms_that_would_meet_in_a_folder_are_refused_and_the_others_go_on(tmp_path: Path) -> None:
    north = a_firm(tmp_path, "north", f'[folders]\nshared = "{tmp_path}/office"\n')
    south = a_firm(tmp_path, "south", f'[folders]\nshared = "{tmp_path}/office/south"\n')
    west = a_firm(tmp_path, "west", '[folders]\nshared = "office"\n')
    broken = a_firm(tmp_path, "broken", "[marks]\npercentage = 3\n")
    found = firms.gathered(firms.firms_in(tmp_path))
    assert list(found) == [broken, north, south, west]
    assert isinstance(found[west], Firm)
    assert "another firm's" in str(found[north])
    assert "another firm's" in str(found[south])
    assert "[marks] has no key 'percentage'" in str(found[broken])


def test_a_folder_of_the_environment_would_be_every_firms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTHBOOK_FOLDERS__OUT", str(tmp_path / "out"))
    found = firms.gathered([a_firm(tmp_path, "north"), a_firm(tmp_path, "south")])
    assert all(isinstance(firm, UsageError) for firm in found.values())


def test_a_firm_without_an_inbox_of_its_own_is_one_by_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "north").mkdir()
    (tmp_path / "north/rothbook.toml").write_text('[folders]\ninbox = "../drop/north"\n', encoding="utf-8")
    (tmp_path / "drop/north").mkdir(parents=True)
    assert firms.firms_in(tmp_path) == [tmp_path / "north"]
    assert one(tmp_path / "north").inbox == tmp_path / "drop/north"
    assert one(tmp_path / "north").settings.security == Security()
