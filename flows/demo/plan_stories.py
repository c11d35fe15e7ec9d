"""The employer-plan households: section 402(g), 414(v) and 415(c), with the dollars to expect (tax year 2026)."""

from __future__ import annotations

from flows.demo.book import Book, Fact

_OPEN: dict[str, Fact] = {
    "after_tax_contributions": True,
    "in_plan_roth_conversion": True,
    "separate_after_tax_accounting": True,
}


def mega(book: Book) -> None:
    """Room for a mega backdoor: open, unknown, of no use."""
    plan = book.plan("PLAN-HALC", "Halcyon Rail Systems", "401k", _OPEN)
    one = book.person("H13", "Leopold", "Sandiway", "1981-04-08")
    # 72,000 - (24,500 + 12,000 + 8,000) = 27,500
    book.shows(one, "mega_room_open").tax("single", 260_000).backdoor("altruist", 7_500)
    one.works(plan, 260_000, pre_tax_deferrals=24_500, employer_match=12_000, after_tax_contributions=8_000,
              after_tax_balance=0, after_tax_basis=0)  # fmt: skip

    unknown: dict[str, Fact] = dict.fromkeys((*_OPEN, "in_service_distribution", "ira_roll_in", "verified_on"))
    plan = book.plan("PLAN-DRUM", "Drumlin Software", "401k", unknown)
    one = book.person("H14", "Marguerite", "Eversholt", "1984-08-24")
    # pay 400,000 and full deferrals, but the plan's features are blank -> UNKNOWN
    book.shows(one, "mega_unknown").tax("single", 400_000).backdoor("altruist", 7_500)
    one.works(plan, 400_000, pre_tax_deferrals=24_500, employer_match=10_000)

    plan = book.plan("PLAN-TARN", "Tarnbrook Foods", "401k", {"after_tax_contributions": True})
    one = book.person("H15", "Ottokar", "Blythe-Ames", "1980-12-03")
    # after-tax 6,000 paid, worth 6,200, no way to Roth
    book.shows(one, "mega_not_usable").tax("single", 250_000).backdoor("altruist", 7_500)
    one.works(plan, 250_000, pre_tax_deferrals=24_500, employer_match=9_000, after_tax_contributions=6_000,
              after_tax_balance=6_200, after_tax_basis=6_000)  # fmt: skip

    plan = book.plan("PLAN-VESP", "Vesper Aerostructures", "401k", _OPEN)
    one = book.person("H16", "Clementine", "Hathersage", "1982-05-30")
    # 24,500 + 20,000 + 15,000 + 15,000 = 74,500: 2,500 above 72,000
    book.shows(one, "annual_additions_excess").tax("single", 300_000).backdoor("altruist", 7_500)
    one.works(plan, 300_000, pre_tax_deferrals=24_500, employer_match=20_000, employer_nonelective=15_000,
              after_tax_contributions=15_000)  # fmt: skip


def deferrals(book: Book) -> None:
    """Deferrals over several employers, catch-up by age, 457(b)."""
    first = book.plan("PLAN-ALDR", "Alderney Print", "401k")
    second = book.plan("PLAN-BISC", "Biscay Marine", "401k")
    one = book.person("H17", "Hartley", "Quarrington", "1986-07-22")
    # 15,000 + 14,000 - 24,500 = 4,500 excess
    book.shows(one, "deferral_excess").tax("single", 230_000).backdoor("altruist", 7_500)
    one.works(first, 120_000, pre_tax_deferrals=15_000, currently_employed=False)
    one.works(second, 110_000, pre_tax_deferrals=14_000)

    other = book.plan("PLAN-CORM", "Cormorant Labs", "401k", _OPEN)
    one = book.person("H18", "Sybilla", "Trevanion", "1983-11-14")
    # each employer has its own 72,000: 72,000 - 24,500 - 10,000 = 37,500 at Cormorant; 30,000 at Alderney stays apart
    book.shows(one, "two_unrelated_employers").tax("single", 380_000).backdoor("altruist", 7_500)
    one.works(other, 220_000, pre_tax_deferrals=24_500, employer_match=10_000)
    one.works(first, 160_000, employer_nonelective=30_000)

    young = book.person("H19", "Benedick", "Summerscale", "1974-03-12")
    old = book.person("H19", "Rosamund", "Summerscale", "1965-09-17")
    book.couple(young, old)
    # age 52: 8,000 of catch-up left; age 61: 11,250 left
    book.shows(young, "catch_up_unused")
    book.shows(old, "super_catch_up")
    for who in (young, old):
        who.tax("mfj", 290_000).backdoor("altruist", 8_600)
        who.works(second, 145_000, pre_tax_deferrals=24_500, employer_match=5_000)

    school = book.plan("PLAN-SCHL", "Wexcombe School District", "457b")
    one = book.person("H20", "Juniper", "Hallowes", "1988-10-10")
    # a 457(b) alone: no mega backdoor, and not active participation
    book.shows(one, "plan_457b_only").tax("single", 90_000, active_participant=False, marginal_tax_rate=22)
    one.account("altruist", "roth_ira", 17_000)
    one.works(school, 90_000, pre_tax_deferrals=12_000)

    plan = book.plan("PLAN-KEST", "Kestrel Freight", "401k")
    high = book.person("H23", "Thaddeus", "Inglewhite", "1971-02-05")
    low = book.person("H23", "Cordelia", "Inglewhite", "1975-08-12")
    book.couple(high, low)
    # wages 210,000 last year: the 4,000 of catch-up paid pre-tax should have been Roth; 4,000 is left
    book.shows(high, "roth_catch_up_required").tax("mfj", 330_000, compensation=210_000).backdoor("altruist", 8_600)
    high.works(plan, 210_000, pre_tax_deferrals=28_500, employer_match=8_000)
    low.tax("mfj", 330_000, compensation=120_000).backdoor("altruist", 8_600)


def owners(book: Book) -> None:
    """People with a business of their own."""
    solo = book.plan("PLAN-SOLO", "Ellery Vane Design (own business)", "solo_401k", _OPEN, group="G-VANE")
    sep = book.plan("PLAN-VSEP", "Ellery Vane Design (own business)", "sep", group="G-VANE")
    one = book.person("H21", "Ellery", "Vane", "1980-04-29")
    # one group: 72,000 - (24,500 + 20,000 + 15,000) = 12,500
    book.shows(one, "sep_and_solo_401k").tax("single", 240_000).account("altruist", "sep_ira", 15_000, plan_id=sep)
    one.works(solo, 240_000, pre_tax_deferrals=24_500, employer_nonelective=20_000, controls_employer=True,
              prior_year_fica_wages=0)  # fmt: skip
    one.works(sep, 240_000, employer_nonelective=15_000, controls_employer=True, prior_year_fica_wages=0)

    hospital = book.plan("PLAN-MERC", "Mercy Point Hospital", "403b")
    practice = book.plan("PLAN-PRAC", "Sorrel Night Clinics (own business)", "solo_401k", _OPEN)
    one = book.person("H22", "Sorrel", "Nightshade-Ruiz", "1981-01-31")
    # the 403(b) is added to the own business: 72,000 - (24,500 + 9,000 + 30,000) = 8,500
    book.shows(one, "plan_403b_and_own_business").tax("single", 420_000).backdoor("altruist", 7_500)
    one.works(hospital, 220_000, pre_tax_deferrals=24_500, employer_match=9_000)
    one.works(practice, 200_000, employer_nonelective=30_000, controls_employer=True, prior_year_fica_wages=0)


def payroll(book: Book) -> None:
    """Two people whose latest payroll comes from a recordkeeper's file."""
    plan = book.plan("PLAN-NWT", "Northwind Traders", "401k", {**_OPEN, "ira_roll_in": True})
    book.rows["plan_sources"].append({
        "recordkeeper": "ascensus", "recordkeeper_plan": "NWT401", "plan_id": plan,
        "source_column": "CLIENT SPECIFIC 1", "money_source": "after_tax_contributions",
    })  # fmt: skip
    one = book.person("H53", "Calliope", "Thornbury", "1982-07-13")
    # October 31 plus the payroll of November 27: 23,500 + 10,500 + 6,000 = 40,000; still expected 1,500 + 1,000:
    # room 29,500
    book.shows(one, "mega_room_from_payroll").tax("single", 240_000).backdoor("altruist", 7_500)
    one.works(plan, 240_000, as_of="2026-10-31", pre_tax_deferrals=22_000, employer_match=10_000,
              after_tax_contributions=5_000, expected_employer_contributions=2_000,
              expected_deferrals=2_500)  # fmt: skip
    book.payroll.append((one, {
        "TOTAL COMPENSATION": "9230.77", "EMPLOYEE 401(K)": "1500.00", "ROTH 401(K)": "0.00",
        "LOAN PAYMENT AMOUNT": "0.00",
        "MATCH": "500.00", "CLIENT SPECIFIC 1": "1000.00", "HOURS": "80", "HCE CODE": "Y",
    }))  # fmt: skip
    one = book.person("H53", "Bertram", "Dunmallard", "1990-03-08")
    # a Roth deferral and a correction of the match: 18,000 + 750 deferred, 6,000 - 125 matched
    book.shows(one, "payroll_correction").tax("single", 149_000, marginal_tax_rate=24)
    one.account("altruist", "roth_ira", 21_000).add("01-15", "contribution", 7_500, year=2026)
    one.works(plan, 149_000, as_of="2026-10-31", roth_deferrals=18_000, employer_match=6_000,
              expected_employer_contributions=500, expected_deferrals=1_500)  # fmt: skip
    book.payroll.append((one, {
        "TOTAL COMPENSATION": "5730.77", "EMPLOYEE 401(K)": "0.00", "ROTH 401(K)": "750.00",
        "LOAN PAYMENT AMOUNT": "112.40",
        "MATCH": "-125.00", "CLIENT SPECIFIC 1": "0.00", "HOURS": "80", "HCE CODE": "",
    }))  # fmt: skip
