"""What the law says: every tax figure by year, each with its authority.

One TOML file a year (`limits/2026.toml`). Adding a tax year is adding a file; nothing is ever carried
forward or projected: a year without a file is refused by name.
"""
