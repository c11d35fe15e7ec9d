"""Faults put into the real command, and what has to be true after each; `campaign` runs hundreds of them."""
