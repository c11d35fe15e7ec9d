"""At 60 to 63 the catch-up limit is higher, and not all of it is used.

The dollars are the catch-up room left after the deferrals still expected. Guard: only while the year is open and where the regular limit
is reached (who doesn't reach it has no use for catch-up yet), with a current employer's plan that takes catch-up and pay left for it;
at other ages it is `catch_up_unused`, never both.
"""

from transforms.findings._catch_up import catch_up_left

FINDING = catch_up_left(
    "super_catch_up",
    authority="IRC 414(v)(2)(E), 414(v)(7)",
    concerns="is_super_catch_up",
    of_the_limit=" From 60 to 63 it is the higher limit, where the plan provides for it.",
)
