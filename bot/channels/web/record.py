"""The talk as the page shows it first: which question is still open, and what was answered to the others.

page.js does the same for what arrives later.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Shown = Mapping[str, Any]

_NUMBERS = re.compile(r"\d+(?:[\s,;+&/]+\d+)*")
_COUNT = r"(?:\?|~?\d[\d.,]*)"


def recorded(talk: Sequence[Shown]) -> list[dict[str, Any]]:
    """The messages as page.html takes them: each that asks with `open`, `chosen` (places of choices) and `values`.

    Only the newest that asks is open, and only until the person has said something.
    """
    record: list[dict[str, Any]] = []
    answer: str | None = None  # what the person said next; "" when something else was asked first
    for said in reversed(talk):
        record.append(dict(said))
        if said["who"] == "person":
            answer = said["text"]
        elif said.get("choices") or said.get("control"):
            record[-1] |= _answered(said, answer)
            answer = ""
    return record[::-1]


def _answered(said: Shown, answer: str | None) -> dict[str, Any]:
    control = said.get("control") or {}
    values = _values(control.get("labels", ()), answer or "")
    return {"open": answer is None, "chosen": _chosen(said, answer or ""), "values": values}


def _chosen(said: Shown, answer: str) -> list[int]:
    """The places of the choices an answer names, as far as the page can tell by itself."""
    choices = said.get("choices") or ()
    labels = [_plain(choice["label"]) for choice in choices]
    words = _plain(answer)
    if words in labels:
        return [place for place, label in enumerate(labels) if label == words]
    several = (said.get("control") or {}).get("kind") == "several"
    if _NUMBERS.fullmatch(words):
        numbers = [int(found) for found in re.findall(r"\d+", words)]
        numbered = [place for place, choice in enumerate(choices) if not choice.get("aside")]
        known = all(1 <= number <= len(numbered) for number in numbers)
        return (
            [numbered[number - 1] for number in numbers] if known and (several or len(numbers) == 1) else []
        )
    return _joined(labels, words) if several else []


def _joined(labels: Sequence[str], words: str) -> list[int]:
    """The places of the labels that, joined by semicolons in their order, make up the words."""
    places, rest = [], f"{words}; "
    for place, label in enumerate(labels):
        if rest.startswith(f"{label}; "):
            places.append(place)
            rest = rest[len(label) + 2 :]
    return [] if rest else places


def _values(labels: Sequence[str], answer: str) -> list[str]:
    """The number for each label: sent by the page with the labels, or typed without; [] for any other answer."""
    if not labels:
        return []
    sent = "; ".join(f"{re.escape(_plain(label))}: (.+?)" for label in labels)
    typed = r"\s+".join([f"({_COUNT})"] * len(labels))
    found = re.fullmatch(sent, _plain(answer)) or re.fullmatch(typed, _plain(answer))
    return list(found.groups()) if found else []


def _plain(text: str) -> str:
    return text.strip().lower()
