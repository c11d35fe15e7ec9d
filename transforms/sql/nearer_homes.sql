-- One round of finding who hangs together: a unit's home is the least it, a neighbour, or its home's home has. Taking the home's
-- home too halves a chain in every round.
with
neighbours as (
    select one as unit, two as other from units_together
    union all
    select two, one from units_together
),
near as (
    select n.unit, min(h.home) as home
    from neighbours as n
    inner join homes as h on h.unit = n.other
    group by n.unit
)
select h.unit, least(h.home, near.home, far.home) as home
from homes as h
inner join near on near.unit = h.unit
inner join homes as far on far.unit = h.home
