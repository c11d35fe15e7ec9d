"""An IRA registered as inherited may be the client's own: a surviving spouse's election isn't stated, or the flags contradict it.

The dollars are the swing of line 18 (tax at the stated rate), where money was converted and all else is known; else the account's
value. Guard: silent once the firm has stated the election and nothing in the account contradicts it.
"""

from transforms.findings._inheritance import inheritance

FINDING = inheritance(
    "inherited_looks_like_own",
    concerns="d.registered_inherited",
    title="'Whether the inherited ' || shown_account(d.account_key) || ' counts as own is not settled'",
    action="""'Ask whose it was, and whether the client, as surviving spouse, treats it as own. Operations states it in the accounts file '
        || '(whom it was inherited from, whether from the spouse, whether treated as own).'""",
)
