"""`python -m tests.questions [FILE…]`: the figures of each file, and what was answered wrongly."""

import sys

from content.everything import load_content
from handlers.hearing import Hearing
from tests.questions import HERE, questions, score, share

hearing = Hearing(load_content())
for name in sys.argv[1:] or sorted(path.stem for path in HERE.glob("*.yaml")):
    figures, missed = score(hearing, questions(name))
    for one in missed:
        told = one.told
        print(f"{one.question.kind}: {one.question.ask}")
        wanted = one.question.wants or " ".join(one.question.cites)
        got = told.service or told.topic or " ".join(told.citations)
        print(f"    wants {wanted}; got {told.kind} {got} {told.score:.2f}, then {told.runner_up}")
        print(f"    {told.text[:150]!r}")
    for kind, (right, whole) in sorted(figures.items()):
        print(f"{kind:16}{right:4}/{whole}")
    print(f"{name}: {100 * share(figures):.1f} % of {sum(whole for _, whole in figures.values())}\n")
