"""What people type, read as values: numbers, dates, tax codes, telephones, mail addresses, names."""

from handlers.values.contacts import email, person_name, phone, phone_or_email
from handlers.values.reader import Values
from handlers.values.refusal import Number, Refusal
from handlers.values.tax import tax_code

__all__ = [
    "Number",
    "Refusal",
    "Values",
    "email",
    "person_name",
    "phone",
    "phone_or_email",
    "tax_code",
]
