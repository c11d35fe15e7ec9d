"""Pre-tax IRA money makes a conversion of the year taxable, and a plan of a current employer takes IRA money in.

The dollars are the pre-tax dollars that can move; the severity goes by what that saves. Guard: not where
`backdoor_blocked_by_pre_tax` fires (it names this way already), nor where IRA money has gone to a plan this year and nothing is converted
yet; only where it lowers what is taxed, and money of young or undated SIMPLE IRAs is left out.
"""

from transforms.findings._ways_out import way_out

FINDING = way_out(
    "reverse_rollover_available",
    way="reverse_rollover",
    authority="IRC 408(d)(3)(A)(ii), 408(d)(3)(H); Form 8606 line 6",
    topic="plan",
    amount_is="pre-tax money that can move",
    title="' of pre-tax IRA money can move into the plan of ' || coalesce(p.employer_name, 'the employer')",
    explanation="""'The plan takes rollovers from an IRA. With the ' || usd(w.amount) || ' out of the IRAs by '
        || long_date(w.deadline) || ', '""",
    action="""'Roll the ' || usd(w.amount) || ' over into the plan, so that it has left the IRAs by ' || long_date(w.deadline)
        || '; only pre-tax money may go, and no required minimum distribution.'""",
    guard="f.converted > 0 or coalesce(f.plan_rolled_out, 0) = 0",
)
