"""The law's figures, held against each other: complete years, authorities, rounding units, identities of the Code."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest

from limits import load

FIRST, LAST = 2018, 2026
YEARS = range(FIRST, LAST + 1)
FIGURES = {(v.tax_year, v.key, v.filing_status): v for y in YEARS for v in load.for_year(y).limits}

#: The unit each figure is rounded to by its section; a figure off its unit is a typing error.
UNITS = {
    "annual_additions_415c": 500,  # 415(d)(4)(B): 1,000; half of it would still be noticed
    "catch_up_414v_50": 500,  # 414(v)(2)(C)
    "catch_up_414v_60_63": 250,  # 414(v)(2)(E): 150% of a multiple of 500
    "compensation_limit_401a17": 5000,  # 401(a)(17)(B)
    "deferral_limit_457b": 500,  # 457(e)(15)(B)
    "elective_deferral_402g": 500,  # 402(g)(4)
    "hce_threshold_414q": 5000,  # 414(q)(1), 415(d)
    "hsa_family": 50,  # 223(g)
    "hsa_self_only": 50,  # 223(g)
    "ira_catch_up_50": 100,  # 219(b)(5)(C)(iii)
    "ira_contribution_limit": 500,  # 219(b)(5)(C)(i)
    "qcd_limit": 1000,  # 408(d)(8)(F)
    "simple_deferral_408p": 500,  # 408(p)(2)(E)(ii)
    "simple_catch_up_50": 500,  # 414(v)(2)(C)
}


def _value(year: int, key: str, status: str = "") -> int:
    return FIGURES[year, key, status].value


def test_the_years_are_2018_to_2026() -> None:
    assert load.years() == tuple(YEARS)


def test_every_figure_is_in_every_year_or_the_law_says_since_when() -> None:
    years = defaultdict(set)
    for year, key, status in FIGURES:
        years[key, status].add(year)
    for (key, status), found in years.items():
        assert found == set(range(load.FIRST_YEAR.get(key, FIRST), LAST + 1)), (key, status)


@pytest.mark.parametrize("year", YEARS)
def test_no_figure_is_there_twice(year: int) -> None:
    names = [(v.key, v.filing_status) for v in load.for_year(year).limits]
    assert len(names) == len(set(names))


def test_every_figure_names_its_authority_and_how_it_was_checked() -> None:
    for name, figure in FIGURES.items():
        assert len(figure.authority) > 3, name
        assert len(figure.how_verified) > 3, name


def test_figures_are_whole_positive_dollars() -> None:
    for (year, key, status), figure in FIGURES.items():
        assert isinstance(figure.value, int), (year, key)
        starts_at_nought = status == "mfs_lived_with_spouse" and key.endswith("_start")
        assert (figure.value == 0) if starts_at_nought else (figure.value > 0), (year, key, status)


@pytest.mark.parametrize("key", UNITS)
def test_rounding_unit(key: str) -> None:
    for year in YEARS:
        if (year, key, "") in FIGURES:
            assert _value(year, key) % UNITS[key] == 0, year


def test_phase_outs_are_in_whole_thousands() -> None:
    found = {name: figure.value for name, figure in FIGURES.items() if "phaseout" in name[1]}
    assert found
    assert {name: value for name, value in found.items() if value % 1000} == {}


@pytest.mark.parametrize("year", YEARS)
def test_widths_of_the_phase_outs(year: int) -> None:
    """408A(c)(3)(C)(ii), 219(g)(2)(A)(ii), 219(g)(7)(A)."""

    def width(key: str, status: str) -> int:
        return _value(year, f"{key}_end", status) - _value(year, f"{key}_start", status)

    roth, covered, spouse = (
        "roth_magi_phaseout",
        "ira_deduction_covered_phaseout",
        "ira_deduction_spouse_covered_phaseout",
    )
    widths = {status: width(roth, status) for status in ("single", "hoh", "mfj", "qss", "mfs_lived_with_spouse")}
    assert widths == {"single": 15_000, "hoh": 15_000, "mfj": 10_000, "qss": 10_000, "mfs_lived_with_spouse": 10_000}
    widths = {status: width(covered, status) for status in ("single", "hoh", "mfj", "qss", "mfs_lived_with_spouse")}
    assert widths == {"single": 10_000, "hoh": 10_000, "mfj": 20_000, "qss": 20_000, "mfs_lived_with_spouse": 10_000}
    assert width(spouse, "mfj") == width(spouse, "mfs_lived_with_spouse") == 10_000


@pytest.mark.parametrize("year", YEARS)
def test_statuses_that_share_a_range(year: int) -> None:
    for key in ("roth_magi_phaseout", "ira_deduction_covered_phaseout"):
        for edge in ("start", "end"):
            name = f"{key}_{edge}"
            assert _value(year, name, "qss") == _value(year, name, "mfj")
            assert _value(year, name, "mfs_lived_apart") == _value(year, name, "hoh") == _value(year, name, "single")


@pytest.mark.parametrize("year", YEARS)
def test_the_range_with_only_the_spouse_covered_is_the_roth_range(year: int) -> None:
    """219(g)(7) and 408A(c)(3) have moved together since 2007."""
    for edge in ("start", "end"):
        assert _value(year, f"ira_deduction_spouse_covered_phaseout_{edge}", "mfj") == _value(
            year, f"roth_magi_phaseout_{edge}", "mfj"
        )


@pytest.mark.parametrize("year", YEARS)
def test_identities_of_the_code(year: int) -> None:
    """457(e)(15) follows 402(g); 414(v)(2)(E) is 150%; 223(b)(3)(B) is 1,000; 401(a)(17) is five times 415(c)."""
    assert _value(year, "deferral_limit_457b") == _value(year, "elective_deferral_402g")
    assert _value(year, "hsa_catch_up_55") == 1000
    assert _value(year, "compensation_limit_401a17") == 5 * _value(year, "annual_additions_415c")
    # twice the self-only base figure of 1997, each rounded on its own: never more than one step of 50 above twice
    assert _value(year, "hsa_self_only") < _value(year, "hsa_family") <= 2 * _value(year, "hsa_self_only") + 50
    assert _value(year, "simple_deferral_408p") < _value(year, "elective_deferral_402g")


@pytest.mark.parametrize("year", range(load.FIRST_YEAR["catch_up_414v_60_63"], LAST + 1))
def test_the_catch_up_at_60_to_63(year: int) -> None:
    """414(v)(2)(E)(i): the greater of 10,000 and 150% of the 2024 catch-up, indexed from 2026 on: 11,250 so far."""
    in_2024 = _value(2024, "catch_up_414v_50")
    assert _value(year, "catch_up_414v_60_63") == max(10_000, in_2024 * 3 // 2)
    assert _value(year, "catch_up_414v_60_63") > _value(year, "catch_up_414v_50")


@pytest.mark.parametrize(
    "key",
    [k for k in UNITS if k not in load.FIRST_YEAR] + ["ira_deduction_covered_phaseout_end", "roth_magi_phaseout_end"],
)
def test_a_figure_never_falls(key: str) -> None:
    """Cost-of-living adjustments are floored at the year before (415(d)(4), 408A(c)(3)(D))."""
    status = "mfj" if "phaseout" in key else ""
    values = [_value(year, key, status) for year in YEARS]
    assert values == sorted(values)


@pytest.mark.parametrize("year", YEARS)
def test_due_dates(year: int) -> None:
    """219(f)(3), 7503; Notices 2020-23 and 2021-21 moved those of 2019 and 2020."""
    limits = load.for_year(year)
    moved = {2019: date(2020, 7, 15), 2020: date(2021, 5, 17)}
    due = limits.ira_contribution_due_date
    assert due.weekday() < 5
    assert due == moved[year] if year in moved else date(year + 1, 4, 15) <= due <= date(year + 1, 4, 18)
    weekend = {2021: date(2022, 10, 17), 2022: date(2023, 10, 16)}  # IRC 7503
    assert limits.extended_due_date == weekend.get(year, date(year + 1, 10, 15))


def test_required_minimum_distribution_ages_rise_with_the_year_of_birth() -> None:
    """401(a)(9)(C)(v): 73 for those born 1951-1959, 75 from 1960."""
    ages = load.rmd_ages()
    assert ages == tuple(sorted(ages))
    assert dict(ages)[1951] == 73
    assert dict(ages)[1960] == 75
