"""What every table is: columns, types, keys and vocabularies, and the checks that prove it.

`tables` names the tables, `models` turns them into Pandera schemas, `validate` runs those checks and
splits good rows from failures, `profile` loads the declarative custodian profiles in `profiles/`.
"""
