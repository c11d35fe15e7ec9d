"""At 50 or older (but not 60 to 63) the regular deferral limit is reached, and catch-up is not.

The dollars are the catch-up room left after the deferrals still expected. Guard: only while the year is open and where the regular limit
is reached (who doesn't reach it has no use for catch-up yet), with a current employer's plan that takes catch-up and pay left for it;
at 60 to 63 it is `super_catch_up`, never both.
"""

from transforms.findings._catch_up import catch_up_left

FINDING = catch_up_left(
    "catch_up_unused",
    authority="IRC 414(v)(2)(B), 414(v)(7)",
    concerns="not is_super_catch_up",
    of_the_limit="",
)
