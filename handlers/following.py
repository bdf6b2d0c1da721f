"""What «ai chủ trì?» or «còn năm 2030?» asks of what was just talked about."""

from dataclasses import dataclass, replace

from content.everything import Content
from content.knowledge import Target
from handlers.understand import Understood

_CELLS = frozenset({"lead", "cooperating", "time", "funding"})


@dataclass(frozen=True, slots=True)
class About:
    """What was talked about last, and what was asked of it: small enough to stand in a state."""

    item: str
    target: str | None = None
    asked: frozenset[str] = frozenset()

    def dump(self) -> tuple[tuple[str, str], ...]:
        """The values of a state's own data; those that are empty are left out."""
        told = (("about", self.item), ("target", self.target or ""), ("asked", " ".join(sorted(self.asked))))
        return tuple(pair for pair in told if pair[1])


def about(understood: Understood) -> About | None:
    """What an answer was about, None where it was about the plan as a whole or about nothing of it."""
    if understood.kind != "plan" or not understood.items or understood.heading:
        return None
    return About(understood.items[0][0], understood.target, understood.attributes & _CELLS)


class Following:
    """Built once from the content; puts what was talked about into a question that names no subject."""

    def __init__(self, content: Content) -> None:
        knowledge = content.knowledge
        self._tasks = {task.id for task in content.plan.tasks}
        self._task_of = {item.id: item.task for item in knowledge.items if item.task}
        self._targets = {target.id: target for target in knowledge.targets}
        self._by_item = {f.item: t for t in knowledge.targets for f in (t.by_2025, t.by_2030, t.total)}
        self._by_task = {target.task: target for target in knowledge.targets}

    def continued(self, understood: Understood, last: About) -> Understood | None:
        """The question with its subject, or asked as the last one was; None where it stands by itself."""
        if understood.follows:
            return self._of_the_same(understood, last)
        if understood.goes_on and last.asked and not understood.attributes & _CELLS:
            return self._the_same_of(understood, last)
        return None

    def _of_the_same(self, understood: Understood, last: About) -> Understood | None:
        task = self._task(last.item)
        if task and understood.attributes & _CELLS:
            items = ((task, 1.0),)
            return replace(understood, kind="plan", items=items, target=None, score=1.0, topic=None)
        target = self._target(last)
        if target is None:
            return None
        steps = tuple((name, 1.0) for name in _steps(target, understood.years))
        return replace(understood, kind="plan", items=steps, target=target.id, score=1.0, topic=None)

    def _the_same_of(self, understood: Understood, last: About) -> Understood | None:
        """«Còn hội thảo?» after «ai chủ trì khảo sát?» asks who leads the conferences."""
        task = self._task(understood.items[0][0]) if understood.kind == "plan" and understood.items else None
        if task is None:
            return None
        return replace(understood, items=((task, 1.0),), attributes=last.asked, target=None)

    def _task(self, item: str) -> str | None:
        return item if item in self._tasks else self._task_of.get(item)

    def _target(self, last: About) -> Target | None:
        if last.target:
            return self._targets.get(last.target)
        return self._by_item.get(last.item) or self._by_task.get(last.item)


def _steps(target: Target, years: frozenset[int]) -> tuple[str, ...]:
    steps = ((2025, target.by_2025.item), (2030, target.by_2030.item))
    asked = tuple(item for year, item in steps if year in years)
    return asked or (target.total.item, target.task)
