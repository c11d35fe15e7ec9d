-- Scalar macros. `mul_div` is the only place money is divided: exact 128-bit integers in cents, half up.
-- DuckDB's least() and greatest() ignore nulls; here a null must stay unknown.
create macro lesser(a, b) as case when a is null or b is null then null when a < b then a else b end;
create macro larger(a, b) as case when a is null or b is null then null when a > b then a else b end;
-- Money that can't be below nought: if it is, something taken back isn't in the book, and the sum isn't known.
create macro if_not_negative(x) as case when x >= 0 then x end;
create macro cents(x) as cast(x * 100 as hugeint);
create macro dollars(c) as cast(cast(c as decimal(36, 0)) * 0.01 as decimal(18, 2));
-- a * b / c for non-negative a, b and positive c, rounded half up to the cent. A share of nothing isn't known: null, not the
-- error with which one empty pool would end the night of a whole book.
create macro mul_div(a, b, c) as dollars((2 * cents(a) * cents(b) + cents(c)) // nullif(2 * cents(c), 0));
-- `percent` (6 or 6.0000 means 6%) of a non-negative amount, half up to the cent.
create macro percent_of(amount, percent) as
    dollars((2 * cents(amount) * cast(percent * 10000 as hugeint) + 1000000) // 2000000);
-- a / c as a ratio of at most 1, ten places, rounded down (shown only; nothing is computed from it).
create macro ratio_at_most_one(a, c) as
    case when a >= c then cast(1 as decimal(18, 10))
    else cast(cast(cents(a) * 10000000000 // cents(c) as decimal(36, 0)) * 0.0000000001 as decimal(18, 10)) end;
-- IRC 408A(c)(3)(B), 219(g)(2): the limit inside a phase-out range. The reduction is rounded down to $10 and
-- the limit is never below $200 (nor above the unreduced limit) until the range ends.
create macro phased_limit(base, magi, range_start, range_end) as
    case
        when magi <= range_start then base
        when magi >= range_end then 0
        else lesser(base, larger(200, base - cast(
            (cents(base) * cents(magi - range_start)) // (cents(range_end - range_start) * 1000) as decimal(15, 0)) * 10))
    end;
-- Pub 590-A Worksheet 2-2: the same, with the ratio rounded to three places first.
create macro three_place_roth_limit(base, magi, range_start, range_end) as
    case
        when magi <= range_start then base
        when magi >= range_end then 0
        else lesser(base, larger(200, base - cast(
            (cents(base) * ((2000 * cents(magi - range_start) + cents(range_end - range_start))
                // (2 * cents(range_end - range_start)))) // 1000000 as decimal(15, 0)) * 10))
    end;
create macro age_at_year_end(birth_date, tax_year) as tax_year - year(birth_date);
create macro usd(x) as
    case when x < 0 then '-' else '' end || '$' || format('{:,}', cast(floor(cast(abs(x) as decimal(18, 2))) as bigint))
    || replace(right(cast(cast(abs(x) as decimal(18, 2)) as varchar), 3), '.00', '');
create macro long_date(d) as strftime(d, '%B ') || cast(day(d) as varchar) || strftime(d, ', %Y');
create macro shown_account(account_key) as
    split_part(account_key, ':', 1) || ' ...' || right(split_part(account_key, ':', 2), 4);
-- Codes of the tables in the words of a sentence.
create macro account_words(account_type) as
    replace(replace(replace(replace(replace(account_type, '_ira', ' IRA'), '_', ' '), 'sep', 'SEP'), 'simple', 'SIMPLE'), 'roth', 'Roth');
create macro filing_words(filing_status) as
    case filing_status
        when 'mfj' then 'married filing jointly'
        when 'mfs_lived_with_spouse' then 'married filing separately, lived with spouse'
        when 'mfs_lived_apart' then 'married filing separately, lived apart'
        when 'hoh' then 'head of household'
        when 'qss' then 'surviving spouse'
        else filing_status
    end;
-- A rate stated as a fraction (0.35) or a percent (35): 35%.
create macro percent_words(rate) as
    rtrim(rtrim(cast(cast(case when rate > 1 then rate else rate * 100 end as decimal(9, 4)) as varchar), '0'), '.') || '%';
create macro said(parts) as list_filter(parts, lambda part: part is not null);
create macro is_traditional_kind(account_type) as
    account_type in ('traditional_ira', 'rollover_ira', 'sep_ira', 'simple_ira');
create macro is_roth_kind(account_type) as account_type in ('roth_ira', 'roth_sep_ira', 'roth_simple_ira');
create macro is_ira_or_unknown(account_type) as
    account_type is null or account_type in (
        'traditional_ira', 'rollover_ira', 'sep_ira', 'simple_ira', 'roth_ira', 'roth_sep_ira', 'roth_simple_ira',
        'inherited_traditional_ira', 'trump_account', 'other');
-- +1 brings money into an account, -1 takes it out, 0 has no direction of its own.
create macro flow_sign(transaction_type) as
    case
        when transaction_type in (
            'contribution', 'employer_contribution', 'roth_conversion_in', 'rollover_in', 'plan_rollover_in',
            'trustee_transfer_in', 'recharacterization_in', 'divorce_transfer_in', 'after_tax_rollover_in',
            'qualified_disaster_repayment') then 1
        when transaction_type in (
            'roth_conversion_out', 'rollover_out', 'plan_rollover_out', 'trustee_transfer_out', 'distribution', 'rmd',
            'qcd', 'qhfd', 'withholding', 'recharacterization_out', 'return_of_excess', 'return_of_excess_earnings',
            'divorce_transfer_out', 'qualified_disaster_distribution') then -1
        else 0
    end;
-- Tax on an amount at a marginal rate stated as a fraction (0.35) or a percent (35), half up; the amount itself if the
-- rate is not stated. `dollars_are` says which of the two it is.
create macro tax_or_income(amount, rate) as
    case
        when rate is null then amount
        else dollars((2 * cents(amount) * cast(rate * 10000 as hugeint) + case when rate > 1 then 1000000 else 10000 end)
            // (2 * case when rate > 1 then 1000000 else 10000 end))
    end;
create macro dollars_are(rate) as case when rate is null then 'taxable income' else 'tax' end;
-- critical: money is being lost and the deadline is within 30 days; high: over $1,000, or over $100 with its deadline still to
-- come in this calendar year; else medium or low by size
create macro severity_of(amount, deadline, as_of) as
    case
        when amount > 1000 and deadline between as_of and as_of + interval 30 day then 'critical'
        when amount > 1000 then 'high'
        when amount > 100 and deadline >= as_of and year(deadline) = year(as_of) then 'high'
        when amount > 100 then 'medium'
        else 'low'
    end;
-- The same where no day can save the money any more, or where it is an opportunity: never critical.
create macro severity_at_most_high(amount, deadline, as_of) as
    case severity_of(amount, deadline, as_of) when 'critical' then 'high' else severity_of(amount, deadline, as_of) end;
-- What a year costs: with December 31 as its deadline while the year runs; once it has ended no day saves it.
create macro severity_in_year(amount, year_end, as_of) as
    case when as_of <= year_end then severity_of(amount, year_end, as_of) else severity_at_most_high(amount, null::date, as_of) end;
-- The day a return is filed by: the due date, and once that has passed the extended one.
create macro filing_date(due, extended, as_of) as case when as_of <= due then due else extended end;
-- What can be mended until December 31, and is on the return after that.
create macro year_end_or_filing(year_end, due, extended, as_of) as
    case when as_of <= year_end then year_end else filing_date(due, extended, as_of) end;
-- Line 17 of Form 8606 as it would be had `money` not been in line 9.
create macro tax_free_without(money, line_5, line_8, line_9) as
    lesser(line_8, mul_div(line_8, lesser(line_5, larger(line_8, line_9 - money)), larger(line_8, line_9 - money)));
-- What is free of tax of what is converted and paid out in a year: lines 11 and 12 of Form 8606, before line 3 bounds them.
create macro free_share(line_5, converted, paid_out, total) as
    mul_div(converted, lesser(line_5, total), total) + mul_div(paid_out, lesser(line_5, total), total);
-- Reasons as a sentence for people: without their leading codes.
create macro in_words(reasons) as
    array_to_string(list_transform(reasons, lambda r: substr(r, strpos(r, ': ') + 2)), '; ');
-- The halves of a suggestion's id: a record by a hash of what names it, so that an answer finds it whatever else changes.
-- In letters only: what masks account numbers would cut the digits of an id.
create macro link_half(kind, record) as
    translate(left(sha256(kind || ':' || record), 16), '0123456789', 'ghijklmnop');
create macro is_generation(word) as word in ('jr', 'sr', 'ii', 'iii', 'iv');
-- A name in plain lower-case words, without titles and what custodians add to a registration.
create macro name_words(name) as
    list_filter(
        string_split(trim(regexp_replace(lower(strip_accents(coalesce(replace(name, '''', ''), ''))), '[^a-z0-9]+', ' ', 'g')), ' '),
        lambda w: w not in ('', 'mr', 'mrs', 'ms', 'dr', 'ira', 'roth', 'rollover', 'sep', 'simple', 'fbo', 'cust', 'custodian'));
-- Two dates as text that are one, or one with a slip of the pen: one digit, two digits swapped, day and month swapped.
create macro birth_agrees(a, b) as
    a = b or damerau_levenshtein(a, b) <= 1
    or (left(a, 4) = left(b, 4) and a[6:7] = b[9:10] and a[9:10] = b[6:7]);
-- Two given names that may be one: the same first word, an initial of the other, one cut short, or but for a slip of the pen.
create macro given_agrees(a, b) as
    split_part(a, ' ', 1) = split_part(b, ' ', 1)
    or (least(length(split_part(a, ' ', 1)), length(split_part(b, ' ', 1))) = 1 and left(a, 1) = left(b, 1))
    or starts_with(a, b) or starts_with(b, a)
    or (not regexp_matches(a || b, '[0-9]') and (jaro_winkler_similarity(a, b) >= 0.9 or damerau_levenshtein(a, b) <= 1));
-- Money a plan type cannot hold is nought where it isn't stated, not unknown.
create macro deferrals_in(plan_type, amount) as
    case when plan_type in ('sep', '401a', 'pension') then coalesce(amount, 0) else amount end;
create macro after_tax_in(plan_type, allowed, amount) as
    case when plan_type in ('sep', 'simple', '457b') or allowed is false then coalesce(amount, 0) else amount end;
create macro match_in(plan_type, amount) as case when plan_type = 'sep' then coalesce(amount, 0) else amount end;
create macro forfeitures_in(plan_type, amount) as
    case when plan_type in ('sep', 'simple') then coalesce(amount, 0) else amount end;
-- The day a limitation year ends in a calendar year, from its day in the leap year 2024 (February 28 and 29: the month's end).
create macro end_of_limitation_year(day_of_2024, calendar_year) as
    case
        when month(day_of_2024) = 2 and day(day_of_2024) >= 28 then last_day(make_date(calendar_year, 2, 1))
        else make_date(calendar_year, month(day_of_2024), day(day_of_2024))
    end;
-- A mark in one line: what an advisor answered to a finding.
create macro answer_said(status, owner, note, snooze_until) as
    concat_ws(', ', coalesce(status, 'no status'), 'until ' || snooze_until, 'owner ' || owner, '"' || note || '"');
