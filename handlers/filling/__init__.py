"""Filling in a form: one question after another, ways around each, review, submitting, and coming back to it.

here      what every step has around it
asking    a prompt is put before the person
review    looking it over, sending it, what comes after
course    what comes next
keeping   an answer is kept, with all that follows
reading   what becomes of what was read out of somebody's words
leaving   later, stop, give up, hand over
dialogue  which of these a cue asks for
"""

from handlers.filling.dialogue import Filling
from handlers.filling.here import OWN_DATA, Elsewhere
from handlers.filling.keeping import evidence
from handlers.filling.review import XLSX

__all__ = ["OWN_DATA", "XLSX", "Elsewhere", "Filling", "evidence"]
