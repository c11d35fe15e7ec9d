"""A once-in-a-lifetime HSA funding distribution would take most of what makes a conversion of the year taxable.

The dollars are what the HSA limit leaves room for. Guard: not where `backdoor_blocked_by_pre_tax` fires (it names this way already),
only for a small pool (at least half of what is taxed goes away), never from an active SEP or SIMPLE IRA, and only where coverage,
HSA contributions and earlier use are all stated.
"""

from transforms.findings._ways_out import way_out

FINDING = way_out(
    "qhfd_available",
    way="qhfd",
    authority="IRC 408(d)(9); Notice 2008-51",
    topic="tax_profile",
    amount_is="HSA room for pre-tax money",
    title="' of pre-tax IRA money can go to the HSA, once in a lifetime'",
    explanation="""'Coverage is ' || py.hsa_coverage || ', ' || usd(py.hsa_contributions) || ' was contributed to the HSA, and no HSA '
        || 'funding distribution was ever made. With ' || usd(w.amount) || ' moved, '""",
    action="""'Have the custodian send ' || usd(w.amount) || ' from the IRA straight to the HSA by ' || long_date(w.deadline)
        || '. Testing period: stay covered by a high-deductible plan through the twelfth month after the month of the transfer, or '
        || 'the amount is taxed with 10% on top.'""",
    guard="2 * w.taxable_then <= w.taxable_now",
)
