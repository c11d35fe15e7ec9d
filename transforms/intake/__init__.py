"""Intake: take settled files into the archive, read the whole book from it, say what is wrong with a single file."""

from transforms.intake.book import BookCounts, read_book
from transforms.intake.cache import forget
from transforms.intake.check import FileCheck, check_file
from transforms.intake.marks import is_advisor_workbook
from transforms.intake.pgp import Keyring
from transforms.intake.register import Delivery, Entry, Register, deliver, firm_fingerprint
from transforms.intake.understood import understood
from transforms.keys import firm_key
from transforms.private import private_folder, write_private

__all__ = [
    "BookCounts",
    "Delivery",
    "Entry",
    "FileCheck",
    "Keyring",
    "Register",
    "check_file",
    "deliver",
    "firm_fingerprint",
    "firm_key",
    "forget",
    "is_advisor_workbook",
    "private_folder",
    "read_book",
    "understood",
    "write_private",
]  # fmt: skip
