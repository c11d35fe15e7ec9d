"""The IRA households: one short story per person, with the dollars to expect beside it (tax year 2026)."""

from __future__ import annotations

from flows.demo.book import Book, Person


def _couple(
    book: Book, household: str, family: str, first: tuple[str, str], second: tuple[str, str]
) -> tuple[Person, Person]:
    """A married couple with stated basis 0 each."""
    one = book.person(household, first[0], family, first[1])
    two = book.person(household, second[0], family, second[1])
    book.couple(one, two)
    return one, two


def pro_rata(book: Book) -> None:
    """Conversions that meet pre-tax money."""
    bram, ottoline = _couple(book, "H01", "Quillfeather", ("Bram", "1979-05-14"), ("Ottoline", "1981-08-02"))
    # 7,500 / (92,500 + 7,500) = 0.075: 562.50 tax-free, 6,937.50 taxable
    book.shows(bram, "conversion_taxed_pro_rata").tax("mfj", 320_000).backdoor("altruist", 7_500)
    bram.account("altruist", "rollover_ira", 92_500).value_2025 = 90_000
    book.shows(ottoline, "clean_backdoor_second_spouse").tax("mfj", 320_000).backdoor("altruist", 7_500)

    cosima, leander = _couple(book, "H02", "Vantongeren", ("Cosima", "1977-03-30"), ("Leander", "1974-11-09"))
    # clean in March; 1,000,000 arrives in September: 7,500^2 / 1,007,500 = 55.83 tax-free, 7,444.17 taxable
    book.shows(cosima, "year_end_trap").tax("mfj", 640_000).backdoor("altruist", 7_500, moved="03-16")
    trap = cosima.account("altruist", "rollover_ira", 1_000_000, opened_on="2026-09-01")
    trap.add("09-15", "plan_rollover_in", 1_000_000)
    # born 1974: room 8,600
    book.shows(leander, "backdoor_ready_age_50").tax("mfj", 640_000).account("altruist", "traditional_ira", 0)

    saskia = book.person("H03", "Saskia", "Windlebury", "1986-02-17")
    # income above 168,000, nothing in the pool: room 7,500
    book.shows(saskia, "backdoor_ready").tax("single", 210_000).account("altruist", "traditional_ira", 0)
    saskia.account("altruist", "roth_ira", 28_400)
    evander = book.person("H04", "Evander", "Puddlecote", "1983-10-21", basis=6_500)
    # the pool is all basis: room 7,500, 14,000 could be converted free of tax
    book.shows(evander, "backdoor_ready_all_basis").tax("single", 230_000).account("altruist", "traditional_ira", 6_500)


def blocked(book: Book) -> None:
    """Backdoors blocked by pre-tax money."""
    plan = book.plan("PLAN-FERN", "Fernhollow Optics", "401k", {"ira_roll_in": True})
    tamsin = book.person("H05", "Tamsin", "Brackenridge", "1980-06-06")
    # 7,500 x 120,000 / 127,500 = 7,058.82 taxable if done now; 120,000 can move into the plan
    book.shows(tamsin, "backdoor_blocked_by_pre_tax", "reverse_rollover_available").tax("single", 230_000)
    tamsin.works(plan, 230_000, pre_tax_deferrals=20_000, employer_match=9_000)
    tamsin.account("pershing", "rollover_ira", 120_000)

    ignatius, perpetua = _couple(book, "H06", "Mossgrave", ("Ignatius", "1978-12-01"), ("Perpetua", "1980-01-19"))
    # 7,500 x 8,000 / 15,500 = 3,870.97 taxable; HSA family room 8,750 takes all 8,000
    book.shows(ignatius, "backdoor_blocked_without_plan", "qhfd_available").tax("mfj", 310_000, hsa_coverage="family")
    ignatius.account("altruist", "rollover_ira", 8_000)
    ignatius.account("altruist", "hsa", 3_300)
    perpetua.tax("mfj", 310_000).backdoor("vanguard", 7_500)

    rosalind = book.person("H07", "Rosalind", "Thackerby", "1985-09-12")
    # 7,500 paid in February, worth 7,810 now: growth 310
    book.shows(rosalind, "nondeductible_not_converted").tax("single", 205_000)
    rosalind.account("fidelity", "traditional_ira", 7_810).add("02-10", "contribution", 7_500, year=2026)
    rosalind.account("fidelity", "roth_ira", 14_000)

    alaric, sunniva = _couple(book, "H08", "Ketterwick", ("Alaric", "1971-07-07"), ("Sunniva", "1973-04-25"))
    book.situations["basis_unknown"] = alaric.person_id
    # basis not stated: 20,000 converted of 80,000 -> UNKNOWN
    book.rows["ira_basis"] = [r for r in book.rows["ira_basis"] if r["person_id"] != alaric.person_id]
    pool = alaric.tax("mfj", 270_000).account("vanguard", "traditional_ira", 60_000)
    roth = alaric.account("vanguard", "roth_ira", 22_150)
    pool.add("04-13", "roth_conversion_out", 20_000, counter=roth.number)
    roth.add("04-13", "roth_conversion_in", 20_000, counter=pool.number)
    sunniva.tax("mfj", 270_000).backdoor("vanguard", 8_600, paid="04-09", moved="04-13")


def excesses(book: Book) -> None:
    """Contributions above a limit."""
    barnaby = book.person("H09", "Barnaby", "Osterholt", "1982-02-28")
    # 5,000 + 4,000 - 7,500 = 1,500 excess
    book.shows(barnaby, "ira_contribution_excess").tax("single", 190_000)
    barnaby.account("fidelity", "traditional_ira", 5_000).add("01-20", "contribution", 5_000, year=2026)
    barnaby.account("vanguard", "traditional_ira", 4_000).add("02-20", "contribution", 4_000, year=2026)

    linnea = book.person("H10", "Linnea", "Farthingale", "2004-03-03")
    # paid 7,500, earned 4,000: 3,500 excess
    book.shows(linnea, "contribution_above_compensation").tax(
        "single", 30_000, compensation=4_000, active_participant=False, marginal_tax_rate=12
    )
    linnea.account("altruist", "traditional_ira", 7_500).add("05-04", "contribution", 7_500, year=2026)

    caspian, jessamy = _couple(book, "H11", "Dewhurst-Oake", ("Caspian", "1984-01-11"), ("Jessamy", "1985-05-05"))
    # MAGI 300,000 is above 252,000: the whole 7,500 is excess
    book.shows(caspian, "roth_contribution_above_income").tax("mfj", 300_000)
    caspian.account("altruist", "roth_ira", 41_200).add("03-09", "contribution", 7_500, year=2026)
    jessamy.tax("mfj", 300_000).backdoor("altruist", 7_500)

    wilfred = book.person("H12", "Wilfred", "Ashcombe-Lyle", "1988-08-30")
    # halfway through 153,000-168,000: limit 3,750, so 3,750 of 7,500 is excess
    book.shows(wilfred, "roth_contribution_partial_excess").tax("single", 160_500, marginal_tax_rate=24)
    wilfred.account("altruist", "roth_ira", 36_000).add("03-09", "contribution", 7_500, year=2026)


def unreadable(book: Book) -> None:
    """Custodian rows and labels nobody can read, and the cure."""
    petra = book.person("H24", "Petra", "Hollowmere", "1976-01-23")
    # a Journal of 6,000 in the rollover IRA that nobody has explained -> UNKNOWN
    book.shows(petra, "ambiguous_transaction").tax("single", 220_000)
    petra.account("schwab", "rollover_ira", "51225.29").add_raw("10-14", "Journal", "-6000")
    auberon = book.person("H24", "Auberon", "Hollowmere", "1981-10-10")
    # the same kind of Journal, stated by the firm in a transactions row: a clean backdoor of 7,500
    book.shows(auberon, "ambiguous_transaction_cured").tax("single", 220_000)
    auberon.backdoor("schwab", 7_500, paid="03-05", moved="03-06")

    ludmila = book.person("H25", "Ludmila", "Craythorne", "1979-11-18")
    # 2,345.67 under an action no profile maps, on her IRA -> UNKNOWN
    book.shows(ludmila, "unmapped_code_transaction").tax("single", 215_000)
    odd = ludmila.backdoor("fidelity", 7_500, left="2345.67")
    odd.add_raw("08-11", "REGISTRATION CREDIT ZQ REF 0042 (Cash)", "2345.67")

    gideon = book.person("H26", "Gideon", "Plumtree", "1975-06-16")
    # a Pershing registration nobody maps; linked by tax id only -> UNKNOWN
    book.shows(gideon, "unmapped_code_account").tax("single", 240_000).backdoor("altruist", 7_500)
    odd_kind = gideon.account("pershing", "other", 44_000)
    odd_kind.label, odd_kind.listed = "PREMIER SELECT KEYSTONE", False
    isaura = book.person("H26", "Isaura", "Plumtree", "1977-09-29")
    # the firm itself wrote `other` -> UNKNOWN
    book.shows(isaura, "account_type_other").tax("single", 200_000).backdoor("altruist", 7_500)
    isaura.account("altruist", "other", 12_000)

    stray = book.account("altruist", "traditional_ira", None, 33_000)
    book.situations["unmatched_account"] = f"altruist:{stray.number}"
    stray.add("06-01", "contribution", 3_000, year=2026)


def inherited(book: Book) -> None:
    """Trump account, inherited IRAs, spousal IRA."""
    child = book.person("H27", "Wren", "Nightingale-Poe", "2021-04-04", basis=None)
    # no published rule says whether a Trump account is in the pool -> UNKNOWN
    book.shows(child, "trump_account").tax("single", 0, active_participant=False, marginal_tax_rate=10)
    child.account("altruist", "trump_account", 1_250, opened_on="2026-07-06")
    parent = book.person("H27", "Thessaly", "Nightingale-Poe", "1989-12-15")
    parent.tax("hoh", 190_000, marginal_tax_rate=32).backdoor("altruist", 7_500)

    rufus = book.person("H28", "Rufus", "Grimsditch", "1980-03-21")
    # the inherited 250,000 is out of the pool: 7,500 tax-free, 0 taxable
    book.shows(rufus, "inherited_non_spouse").tax("single", 235_000).backdoor("fidelity", 7_500)
    kept = rufus.account("fidelity", "inherited_traditional_ira", 250_000, inherited_from="Mother (invented)",
                         beneficiary_is_spouse=False, treated_as_own=False)  # fmt: skip
    kept.add("2025-11-12", "distribution", 9_000).value_2025 = 245_000

    magdalen = book.person("H29", "Magdalen", "Stavenhagen", "1968-08-08")
    # election unstated, 8,600 converted -> UNKNOWN
    book.shows(magdalen, "inherited_election_unstated").tax("qss", 290_000).backdoor("altruist", 8_600)
    magdalen.account("pershing", "inherited_traditional_ira", 140_000, inherited_from="Husband (invented)",
                     beneficiary_is_spouse=True)  # fmt: skip
    hyacinth = book.person("H30", "Hyacinth", "Lovelock-Brand", "1979-02-02")
    # treated as own, 67,500 in the pool: 7,500^2 / 75,000 = 750 tax-free, 6,750 taxable
    book.shows(hyacinth, "inherited_treated_as_own").tax("single", 225_000).backdoor("altruist", 7_500)
    hyacinth.account("altruist", "inherited_traditional_ira", 67_500, inherited_from="Husband (invented)",
                     beneficiary_is_spouse=True, treated_as_own=True)  # fmt: skip

    osric, verity = _couple(book, "H31", "Pennywhistle", ("Osric", "1987-07-19"), ("Verity", "1988-04-01"))
    # own compensation 0, but the joint 180,000 covers both: 7,500 each, no excess
    osric.tax("mfj", 180_000, marginal_tax_rate=22)
    book.shows(verity, "spousal_ira").tax(
        "mfj", 180_000, compensation=0, active_participant=False, marginal_tax_rate=22
    )
    for one in (osric, verity):
        one.account("altruist", "roth_ira", 19_000).add("02-02", "contribution", 7_500, year=2026)


def moves(book: Book) -> None:
    """RMD, QCD, recharacterization, return of excess, withholding, rollovers."""
    cornelius = book.person("H32", "Cornelius", "Aldergate", "1951-05-20", basis=9_840)
    # (480,000 + 12,000) x 2% = 9,840 basis: 240 tax-free, 11,760 taxable; the QCD of 15,000 stays off line 7
    book.shows(cornelius, "rmd_and_qcd").tax(
        "single", 96_000, compensation=0, active_participant=False, marginal_tax_rate=22
    )
    ira = cornelius.account("altruist", "traditional_ira", 480_000)
    ira.value_2025 = 470_000
    ira.add("2025-12-10", "rmd", 11_000).add("03-18", "qcd", 15_000).add("04-22", "rmd", 12_000)

    beatrix = book.person("H33", "Beatrix", "Holmfirth", "1983-06-13")
    # Roth 7,500 moved back with 200 of earnings, then 7,700 converted: 7,500 tax-free, 200 taxable
    book.shows(beatrix, "recharacterization").tax("single", 215_000)
    roth = beatrix.account("altruist", "roth_ira", 52_700)
    pool = beatrix.account("altruist", "traditional_ira", 0)
    roth.add("02-04", "contribution", 7_500, year=2026)
    roth.add("10-06", "recharacterization_out", 7_700, year=2026, counter=pool.number)
    pool.add("10-06", "recharacterization_in", 7_700, year=2026, counter=roth.number)
    pool.add("11-03", "roth_conversion_out", 7_700, counter=roth.number)
    roth.add("11-03", "roth_conversion_in", 7_700, counter=pool.number)

    dunstan = book.person("H34", "Dunstan", "Merriweather-Pye", "1984-09-09")
    # 9,000 paid, 1,500 returned with 60 of earnings: 7,500 counts; converted clean
    book.shows(dunstan, "return_of_excess").tax("single", 218_000)
    pool = dunstan.backdoor("altruist", 7_500, paid="02-12", moved="08-05")
    pool.add("02-13", "contribution", 1_500, year=2026)
    pool.add("07-08", "return_of_excess", 1_500, year=2026).add("07-08", "return_of_excess_earnings", 60, year=2026)

    fenella = book.person("H35", "Fenella", "Rookwood", "1978-01-30")
    # 50,000 asked for, 10,000 withheld: line 8 is 40,000, line 7 is 10,000, all 50,000 taxable
    book.shows(fenella, "withholding_on_conversion").tax("single", 260_000)
    pool = fenella.account("fidelity", "rollover_ira", 150_000)
    roth = fenella.account("fidelity", "roth_ira", 40_900)
    pool.add("06-03", "roth_conversion_out", 40_000, counter=roth.number).add("06-03", "withholding", 10_000)
    roth.add("06-03", "roth_conversion_in", 40_000, counter=pool.number)

    lorcan = book.person("H36", "Lorcan", "Tidewell", "1982-12-24")
    # 50,000 out on November 20 and not back: line 6 is 90,000;
    # 7,500^2 / 97,500 = 576.92 tax-free, 6,923.08 taxable
    book.shows(lorcan, "outstanding_rollover").tax("single", 245_000).backdoor("altruist", 7_500)
    lorcan.account("altruist", "rollover_ira", 40_000).add("11-20", "rollover_out", 50_000)


def converters(book: Book) -> None:
    """More conversions: SEP, market loss, prior-year money, open ends."""
    plan = book.plan("PLAN-PETTIFER", "Pettifer Glassworks (own business)", "sep")
    octavia = book.person("H37", "Octavia", "Pettifer", "1979-07-27")
    # SEP IRA 60,000 in the pool: 7,500^2 / 67,500 = 833.33 tax-free, 6,666.67 taxable
    book.shows(octavia, "sep_simple_in_conversion_year").tax("single", 240_000).backdoor("altruist", 7_500)
    sep = octavia.account("altruist", "sep_ira", 60_000, plan_id=plan)
    sep.add("05-11", "employer_contribution", 20_000, year=2026)
    octavia.works(plan, 240_000, employer_nonelective=20_000, controls_employer=True)

    jolyon = book.person("H38", "Jolyon", "Marchpane", "1986-11-11")
    # 7,500 in, 7,200 out, nothing left: line 10 is 1, taxable 0, 300 of basis goes on
    book.shows(jolyon, "market_loss").tax("single", 202_000).backdoor("altruist", 7_500, converted=7_200)

    minerva, absalom = _couple(book, "H39", "Copperfield-Ng", ("Minerva", "1980-10-02"), ("Absalom", "1979-01-15"))
    # 7,000 paid on April 9 for 2025 (line 14 of 2025: 7,000) and 7,500 for 2026; 14,500 converted, all tax-free
    book.rows["ira_basis"] = [r for r in book.rows["ira_basis"] if r["person_id"] != minerva.person_id]
    book.shows(minerva, "prior_year_contribution").tax("mfj", 410_000).basis(7_000)
    pool = minerva.backdoor("fidelity", 7_500, paid="04-09", moved="04-20", converted=14_500)
    pool.add("04-09", "contribution", 7_000, year=2025)
    book.shows(absalom, "clean_backdoor").tax("mfj", 410_000).backdoor("vanguard", 7_500, paid="04-09", moved="04-13")

    felicity, tobiah = _couple(book, "H40", "Larkspur", ("Felicity", "1997-02-11"), ("Tobiah", "1996-06-29"))
    # MAGI 140,000: Roth contributions of 7,500 each, nothing to find
    book.shows(felicity, "roth_only_couple")
    for one in (felicity, tobiah):
        one.tax("mfj", 140_000, marginal_tax_rate=22)
        one.account("altruist", "roth_ira", 24_500).add("01-12", "contribution", 7_500, year=2026)

    zebedee = book.person("H41", "Zebedee", "Wolstencroft", "1972-08-19")
    # there are IRAs outside the book -> UNKNOWN
    book.shows(zebedee, "all_iras_reported_false").tax("single", 275_000, all_iras_reported=False)
    zebedee.backdoor("altruist", 8_600)

    araminta = book.person("H42", "Araminta", "Goldsworthy", "1974-04-17")
    # 25,000 left on October 5 as a conversion and is not seen arriving
    book.shows(araminta, "conversion_leg_missing").tax("single", 195_000)
    araminta.account("altruist", "rollover_ira", 100_000).add("10-05", "roth_conversion_out", 25_000)

    lysander = book.person("H43", "Lysander", "Broadmead", "1985-03-14")
    # no tax profile for 2026 -> limits UNKNOWN
    book.shows(lysander, "tax_profile_missing")
    lysander.account("altruist", "traditional_ira", 7_650).add("02-27", "contribution", 7_500, year=2026)


def plain(book: Book) -> None:
    """Clients with nothing to find, one with a family name that is a spreadsheet formula."""
    gwendolen, percival = _couple(book, "H44", "Meadowcroft", ("Gwendolen", "1990-09-05"), ("Percival", "1991-05-23"))
    book.shows(gwendolen, "nothing_to_find")
    for one in (gwendolen, percival):
        one.tax("mfj", 125_000, marginal_tax_rate=22)
        one.account("vanguard", "roth_ira", 33_000).add("03-03", "contribution", 7_500, year=2026)
    mallory = book.person("H45", "Mallory", '=HYPERLINK("http://x")', "1987-01-27")
    book.shows(mallory, "formula_in_name").tax("single", 206_000).backdoor("altruist", 7_500)
    idris = book.person("H45", "Idris", "Samphire", "1992-02-14")
    idris.tax("single", 98_000, marginal_tax_rate=24)
    idris.account("altruist", "roth_ira", 12_000).add("04-01", "contribution", 7_500, year=2026)


def victims(book: Book) -> None:
    """Seven clients with a clean backdoor of 7,500 each, about whom `faults.py` then writes one bad row."""
    for number, (fault, given, family, born) in enumerate((
        ("non_numeric_amount", "Hester", "Clovelly", "1983-03-19"),
        ("unknown_transaction_type", "Ambrose", "Fairweather-Uy", "1981-07-04"),
        ("broken_date", "Delphine", "Oakapple", "1985-10-31"),
        ("missing_required_value", "Magnus", "Ravenscar", "1980-05-09"),
        ("unknown_account_type", "Winifred", "Bellwether", "1979-12-12"),
        ("duplicate_row", "Cuthbert", "Yarrow", "1984-06-18"),
        ("non_numeric_balance", "Philippa", "Underhay", "1978-02-22"),
    )):  # fmt: skip
        one = book.person(f"H{46 + number}", given, family, born)
        one.tax("single", 212_000).backdoor("altruist", 7_500)
        book.shows(one, f"fault_{fault}")


def backdrop(book: Book) -> None:
    """Accounts outside every question, five advisors, and last year's tax forms in house format."""
    names = ("Wren Ashgrove", "Felix Pemberly", "Imogen Starling", "Tobias Hartnell", "Naveen Oldcastle")
    for number, name in enumerate(names, start=1):
        mail = f"{name.split()[0].lower()}@demo.invalid"
        book.rows["advisors"].append({
            "advisor_id": f"ADV{number}", "advisor_name": name, "email": mail,
            "rep_codes": f"{number:03d};A{number:02d}",
        })  # fmt: skip
    for number, one in enumerate(book.people):
        if number % 3 == 0:
            one.account("altruist", "taxable", 40_000 + 1_500 * number)
        elif number % 5 == 0:
            one.account("harborline", "529", 9_000 + 250 * number)
    for worked in {row["person_id"]: row for row in book.rows["plan_contributions"]}.values():
        owner = next(one for one in book.people if one.person_id == worked["person_id"])
        owner.account("harborline", "401k", plan_id=worked["plan_id"])
    _forms(book)


def _forms(book: Book) -> None:
    """House-format 5498 and 1099-R for 2025: last year's clean conversion of 7,000 of one client."""
    person_id = book.situations["year_end_trap"]
    own = {a.kind: a for a in book.accounts if a.owner and a.owner.person_id == person_id}
    traditional, roth = own["traditional_ira"], own["roth_ira"]
    traditional.add("2025-02-11", "contribution", 7_000, year=2025)
    traditional.add("2025-03-04", "roth_conversion_out", 7_000, counter=roth.number)
    roth.add("2025-03-04", "roth_conversion_in", 7_000, counter=traditional.number)
    traditional.value_2025, roth.value_2025 = 0, 30_200
    head = {"custodian": "altruist", "tax_year": "2025"}
    book.rows["form_5498"] += [
        head | {"account_number": traditional.number, "box_1_ira_contributions": "7000",
                "box_5_fair_market_value": "0", "box_7_type": "IRA"},
        head | {"account_number": roth.number, "box_3_roth_conversion": "7000", "box_5_fair_market_value": "30200",
                "box_7_type": "Roth IRA"},
    ]  # fmt: skip
    book.rows["form_1099r"].append(head | {
        "account_number": traditional.number, "box_1_gross": "7000", "box_2a_taxable": "7000",
        "box_2b_not_determined": "true", "box_7_codes": "2", "box_7_ira": "true",
    })  # fmt: skip
