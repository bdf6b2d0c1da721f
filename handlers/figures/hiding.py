"""Which numbers must not be seen: no count of fewer than five enterprises may stand anywhere, or follow from others.

Fewer than five includes none: that nobody gave an answer says what each of the others did. What is protected is what
enterprises answered; how many did not answer may be told, as long as it is not told why.
Source of the method: cell suppression with complements, as in Hundepool et al., Statistical Disclosure Control (2012).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

FEWEST = 5  # enterprises behind a number that may be seen

Bound = Literal["", "under", "over", "unseen"]


class Count(NamedTuple):
    """How many enterprises: `value` exactly; with `under` fewer than that; with `over` that many or more.

    `unseen`: nothing may be said, for of so few either these or the others are fewer than five.
    """

    value: int
    bound: Bound = ""

    @property
    def exact(self) -> int | None:
        """The number, where it may be seen."""
        return None if self.bound else self.value


def hidden(parts: Sequence[int], *, least: int = FEWEST) -> frozenset[int]:
    """Which parts of a whole may not be seen by themselves, when the whole and all others are.

    Those below five; and, so that none follows as the whole minus the others, the smallest of the rest until at least
    two are hidden and together have `least`. Parts of one size are hidden or seen together: so it stays unknown even
    to who knows this rule. Where all that cannot be had, all are hidden.
    """
    gone = [count for count in parts if count < FEWEST]
    largest = FEWEST - 1
    for size in sorted({count for count in parts if count >= FEWEST}) if gone else ():
        # Where all are as large as the hidden can be, a seen five would tell that there is no larger one among them.
        tells = size == FEWEST and sum(gone) == (FEWEST - 1) * len(gone)
        if len(gone) > 1 and sum(gone) >= least and not tells:
            break
        largest = size
        gone += [count for count in parts if count == size]
    return frozenset(at for at, count in enumerate(parts) if gone and count <= largest)


def bounded(count: int, whole: int) -> Count:
    """How many of a whole did something, when others may have done it as well; neither they nor the rest are few."""
    if whole < 2 * FEWEST:
        return Count(0, "unseen")
    if count < FEWEST:
        return Count(FEWEST, "under")
    if whole - count < FEWEST:
        return Count(whole - FEWEST + 1, "over")
    return Count(count)
