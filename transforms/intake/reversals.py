"""Which custodian rows take another row back: by their code, or by an amount that goes against their kind of event.

A contribution with a negative amount is a contribution reversed, not another one. Which row it takes back is found over
the whole book by `transforms/sql/cancellations.sql`; only then do the two net out.
"""

from __future__ import annotations

import polars as pl

from schemas.profile import Profile

#: Kinds of event that bring money into the account, whatever their name ends with.
_INTO = ("contribution", "employer_contribution", "qualified_disaster_repayment")
_OUT = (
    "distribution", "rmd", "qcd", "qhfd", "withholding", "return_of_excess", "return_of_excess_earnings",
    "qualified_disaster_distribution",
)  # fmt: skip


def reverses(profile: Profile) -> pl.Expr:
    """The code of the row a row takes back, else null; needs `transaction_type`, `signed`, `custodian_code`, `cancels`.

    Money in with a negative sign is a reversal in every layout; money out with a positive one only where the profile
    says that the layout signs its amounts.
    """
    kind, signed = pl.col("transaction_type"), pl.col("signed")
    into = kind.is_in(_INTO) | kind.str.ends_with("_in")
    out = kind.is_in(_OUT) | kind.str.ends_with("_out")
    against = into & (signed < 0)
    if profile.signed_amounts:
        against = against | (out & (signed > 0))
    return pl.when(against).then("custodian_code").otherwise(pl.when(pl.col("cancels") != "").then("cancels"))
