"""An IRA registered as the client's own may be inherited: the flags or the registration's words say so.

The dollars are the swing of line 18 (tax at the stated rate), where money was converted and all else is known; else the account's
value. Guard: silent once treated_as_own is stated without contradiction; of a name, only words that no person is called.
"""

from transforms.findings._inheritance import inheritance

FINDING = inheritance(
    "own_looks_inherited",
    concerns="not d.registered_inherited",
    title="shown_account(d.account_key) || ' is registered as own, but may be inherited'",
    action="""'Ask whose it was, and whether the client, if a surviving spouse, chose to treat it as own. Operations states it in the '
        || 'accounts file (whom it was inherited from, whether from the spouse, whether treated as own).'""",
)
