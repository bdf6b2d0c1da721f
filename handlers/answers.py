"""Says what was understood: the fact asked for first, then the words of the plan and their clause."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from content.everything import Content
from content.knowledge import (
    DOCUMENT_ITEMS,
    DOCUMENT_NUMBER,
    DOCUMENT_PERIOD,
    DOCUMENT_SIGNED,
    Figure,
    Target,
)
from content.knowledge import Listing as Listed
from content.model import Body, Chapter, Language, Section, Task
from handlers.faq import Entry
from handlers.understand import NO_SUCH_ITEM, Kind, Understood

CELLS = ("lead", "cooperating", "time", "funding")
_CLOSING = "V.yc"
_FEW = 3  # of what stands under a heading, so many are cited
_BRIEF = 400  # a longer task is quoted by its first line, unless its rhythm may stand in the others
_LIST_MARK = re.compile(r"^[-+]\s+")


@dataclass(frozen=True)
class Answer:
    """What the assistant says to one text, and what it rests on."""

    kind: Kind
    text: str
    citations: tuple[str, ...] = ()
    source: str | None = None
    service: str | None = None
    score: float = 0.0
    runner_up: tuple[str, float] | None = None
    suggestions: tuple[str, ...] = ()
    language: Language = "vi"
    topic: str | None = None
    whole: bool = False  # the text is all of the item cited: there is no more to open


def answer(content: Content, understood: Understood, language: Language, faq: Entry | None = None) -> Answer:
    """The answer to what was understood, in `language`; `faq` is the entry it names."""
    if understood.kind == "faq" and faq:
        return _sourced(content, understood, language, faq)
    speaker = _Speaker(content, language)
    text, citations, suggestions = speaker.say(understood)
    return Answer(
        kind=understood.kind,
        text=text,
        citations=citations,
        service=understood.service,
        score=understood.score,
        runner_up=understood.runner_up,
        suggestions=suggestions,
        language=language,
        topic=understood.topic,
        whole=speaker.says_all(understood),
    )


def item_text(content: Content, item: str, language: Language) -> str:
    """The whole item with its clause; raises KeyError for an item that is not in the plan."""
    return _Speaker(content, language).item(item)


def offer(content: Content, item: str, language: Language) -> str:
    """An item as a choice, in the words people use; raises KeyError for an item that is not in the plan."""
    entry = next((entry for entry in content.knowledge.items if entry.id == item), None)
    if entry is None:
        raise KeyError(item)
    return entry.offer.en if language == "en" else entry.offer.vi


def _sourced(content: Content, understood: Understood, language: Language, entry: Entry) -> Answer:
    """What stands beside the plan, with the document it rests on and that document's date."""
    year, *rest = entry.dated.split("-")
    key = ("answer_source_year", "answer_source_month", "answer_source")[len(rest)]
    date = "/".join((*reversed(rest), year))
    source = content.say(language, key, document=entry.document, date=date)
    told = entry.answer
    if language == "en":
        told = entry.answer_en or content.say("en", "answer_in_vietnamese", text=entry.answer)
    return Answer(
        kind="faq",
        text=content.say(language, "answer_sourced", text=told, source=source),
        source=source,
        score=understood.score,
        runner_up=understood.runner_up,
        language=language,
        topic=understood.faq,
        whole=True,
    )


Said = tuple[str, tuple[str, ...], tuple[str, ...]]  # text, citations, suggestions


class _Speaker:
    """Composes one answer in one language."""

    def __init__(self, content: Content, language: Language) -> None:
        self._content = content
        self._language: Language = language
        self._tasks = {task.id: task for task in content.plan.tasks}
        self._sections = {section.id: section for section in content.plan.sections}

    def say(self, understood: Understood) -> Said:
        match understood.kind:
            case "plan" | "faq":
                return self._plan(understood)
            case "did_you_mean":
                return self._tell("answer_did_you_mean"), (), tuple(name for name, _ in understood.items)
            case "handoff":
                return self._handoff(understood.topic)
            case "service":
                wish = self._tell(f"answer_service_{understood.service}")
                return self._tell("answer_service", wish=wish), (), ()
            case "smalltalk":
                office = self._content.office
                name = office.name_en if self._language == "en" else office.name
                return self._tell(f"answer_smalltalk_{understood.topic}", office=name), (), ()
            case "ignored":
                return "", (), ()

    def says_all(self, understood: Understood) -> bool:
        """Whether the answer is the whole of one clause or task, word for word."""
        if understood.kind != "plan" or understood.heading or len(understood.items) != 1:
            return False
        name = understood.items[0][0]
        if name in self._sections and "-" not in name and not any(self._below(name)):
            return True
        return understood.named and "-" not in name and not self._cells_asked(understood)

    def item(self, name: str) -> str:
        if name in DOCUMENT_ITEMS:
            return self._about_document(name)
        task = self._tasks.get(name)
        told = self._in_full(self._sections[name]) if task is None else self._whole(task)
        return self._with_note(told, self._asked_cells(name, CELLS))

    def clause(self, name: str) -> str:
        if name in self._tasks:
            return self._tell("answer_clause_task", clause=name)
        if name == _CLOSING:
            return self._tell("answer_clause_closing")
        return self._tell("answer_clause_section", clause=name.split("-", maxsplit=1)[0])

    # Answers of the plan

    def _plan(self, understood: Understood) -> Said:
        names = tuple(name for name, _ in understood.items)
        if understood.listing:
            return self._listing(understood.listing)
        if understood.heading:
            return self._heading(understood.heading, names), names[:_FEW], ()
        if understood.target:
            return self._figures(self._target(understood.target), names), names, ()
        if names[0] in DOCUMENT_ITEMS:
            return self._about_document(names[0]), (), ()
        cells = self._cells_asked(understood)
        if understood.named and not cells:
            return self.item(names[0]), self._cited(names), ()
        rhythm = "rhythm" in understood.attributes
        told = [self._one(name, cells, rhythm=rhythm) for name in names if name not in DOCUMENT_ITEMS]
        about = [self._asked_cells(name, cells) for name in names]
        return self._with_note("\n\n".join(told), "\n".join(about)), self._cited(names), ()

    def _cells_asked(self, understood: Understood) -> tuple[str, ...]:
        if understood.items[0][0] not in self._tasks:
            return ()
        return tuple(cell for cell in CELLS if cell in understood.attributes)

    def _one(self, name: str, cells: tuple[str, ...], *, rhythm: bool) -> str:
        if name not in self._tasks:
            return self._section(self._sections[name])
        task = self._tasks[name]
        if cells:
            return self._task(task, cells, rhythm=rhythm)
        return self._with_clause(f"{self._quote(task.text)}\n{self._cells(task, ('lead', 'time'))}", name)

    def _heading(self, heading: Chapter, names: tuple[str, ...]) -> str:
        """A heading with what stands under it."""
        key = "answer_heading_tasks" if names[0] in self._tasks else "answer_heading"
        head = self._tell(key, id=heading.id, title=heading.title)
        lines = (self._tell("answer_list_line", text=self._listed(name)) for name in names)
        return "\n".join((head, *lines))

    def _listing(self, name: str) -> Said:
        """The tasks that have the same in one cell, or all targets with their steps and totals."""
        listing = next(one for one in self._content.knowledge.listings if one.id == name)
        title = listing.title.en if self._language == "en" else listing.title.vi
        if listing.cell == "targets":
            return self._all_targets(title)
        found = tasks_of(self._content, listing)
        head = self._tell("answer_listing", title=title, count=len(found), whole=len(self._tasks))
        lines = (self._tell("answer_list_line", text=self._titled(task)) for task in found)
        where = self._tell("answer_clause_appendix")
        text = self._tell("answer_with_clause", text="\n".join((head, *lines)), clause=where)
        return text, tuple(task.id for task in found), ()

    def _titled(self, task: Task) -> str:
        """A task as a line of a list: its number, and its title in few words."""
        return self._tell("answer_listed", id=task.id, title=offer(self._content, task.id, self._language))

    def _all_targets(self, title: str) -> Said:
        targets = self._content.knowledge.targets
        lines = [self._tell("answer_list", title=title)]
        for target in targets:
            numbers = {"first": target.by_2025.number, "second": target.by_2030.number}
            key = "answer_target_total" if target.adds_up else "answer_target_each"
            unit = target.unit.en if self._language == "en" else target.unit.vi
            lines.append(self._tell(key, unit=unit, total=target.total.number, **numbers))
        steps = (targets[0].by_2025.item.split("-")[0], targets[0].by_2030.item.split("-")[0])
        where = self._tell("answer_clauses", first=steps[0], second=steps[1])
        return self._tell("answer_with_clause", text="\n".join(lines), clause=where), steps, ()

    def _listed(self, name: str) -> str:
        if self._language == "en":
            title = offer(self._content, name, "en")
        elif name in self._tasks:
            title = self._first_words(self._tasks[name])
        else:
            title = self._sections[name].title
        return title if name == _CLOSING else self._tell("answer_listed", id=name, title=title)

    def _first_words(self, task: Task) -> str:
        """A task in a list of tasks: what it says before its list, or the list on one line."""
        first = task.text.split("\n")[0]
        return _told(self._right(_in_line(task.text) if _LIST_MARK.match(first) else first))

    def _whole(self, task: Task) -> str:
        """A row of the appendix word for word, its lists as lists."""
        cells = (self._cell(task, cell, in_full=True) for cell in CELLS)
        return self._with_clause("\n".join((self._quote(task.text), *cells)), task.id)

    def _in_full(self, section: Section) -> str:
        """A clause word for word: its heading, its text and its bullets with theirs."""
        lines = [self._tell("answer_in_full", title=section.title)]
        mark, deeper = ("- ", "+ ") if "-" in section.id else ("", "- ")
        lines += self._marked_lines(section, mark, deeper)
        return self._with_clause("\n".join(lines), section.id)

    def _marked_lines(self, section: Section, mark: str, deeper: str) -> Iterator[str]:
        if section.text:
            yield f"{mark}{self._right(section.correction or section.text)}"
        for child in self._below(section.id):
            yield from self._marked_lines(child, deeper, "+ ")

    def _task(self, task: Task, cells: tuple[str, ...], *, rhythm: bool) -> str:
        """The cells asked for, then the words of the task."""
        paired = _pairs(task) if "time" in cells else ()
        told = [*self._rhythms(task)] if rhythm and not paired else []
        told += [
            self._paired(paired) if cell == "time" and paired else self._cell(task, cell) for cell in cells
        ]
        if not paired:
            brief = task.text if "time" in cells or len(task.text) <= _BRIEF else task.text.split("\n")[0]
            told.append(self._tell("answer_task_text", text=_told(self._right(brief))))
        return self._with_clause("\n".join(told), task.id)

    def _paired(self, pairs: tuple[tuple[str, str], ...]) -> str:
        """The lines of a task, each with its own time."""
        head = self._tell("answer_times")
        lines = (self._tell("answer_pair", line=self._right(line), value=value) for line, value in pairs)
        return "\n".join((head, *lines))

    def _rhythms(self, task: Task) -> Iterator[str]:
        """What a task of several lines does once in so many years, the rhythm first."""
        pattern = re.compile(rf"(?:\d+ )?{re.escape(self._content.knowledge.words.rhythm)}")
        lines = task.text.split("\n")
        for line in lines if len(lines) > 1 else ():
            if found := pattern.search(line):
                yield self._tell("answer_rhythm", rhythm=found[0], line=_bare(self._right(line)))

    def _cells(self, task: Task, cells: Iterable[str]) -> str:
        return "\n".join(self._cell(task, cell) for cell in cells)

    def _cell(self, task: Task, cell: str, *, in_full: bool = False) -> str:
        value: str | None = getattr(task, cell)
        if value is None:
            return self._tell(f"answer_{cell}_empty")
        if in_full and "\n" in value:
            listed = self._tell(f"answer_{cell}", value=f"\n{_told(self._right(value))}")
            return listed.replace(" \n", "\n", 1)
        return self._tell(f"answer_{cell}", value=_in_line(self._right(value)))

    def _asked_cells(self, name: str, cells: tuple[str, ...]) -> str:
        """What may hold a body worth a note: the cells told, or the section."""
        if name not in self._tasks:
            return "" if name in DOCUMENT_ITEMS else self._named_in(self._sections[name])
        return " ".join(str(getattr(self._tasks[name], cell)) for cell in cells or ("lead",))

    def _named_in(self, section: Section) -> str:
        """The heading where it names a body, as in part V; else the text."""
        headed = any(form for body in self._content.bodies for form in _named(body, section.title))
        return section.title if headed else section.text

    def _section(self, section: Section) -> str:
        targets = self._steps_of(section.id)
        if targets:
            return self._with_clause(f"{self._list_title(section)}\n{targets}", section.id)
        text = self._right(section.correction or section.text)
        children = [self._right(child.text) for child in self._below(section.id)]
        if not children:
            return self._with_clause(self._quote(text), section.id)
        head = text or self._list_title(section)
        lines = [self._tell("answer_list_line", text=child) for child in children if child]
        return self._with_clause("\n".join((head, *lines)), section.id)

    def _list_title(self, section: Section) -> str:
        return self._tell("answer_list", title=offer(self._content, section.id, self._language))

    def _below(self, name: str) -> Iterator[Section]:
        """The bullets right under an item: `-3` of a clause, `.1` of a bullet."""
        pattern = re.compile(re.escape(name) + (r"\.\d" if "-" in name else r"-\d"))
        return (section for section in self._content.plan.sections if pattern.fullmatch(section.id))

    def _cited(self, names: tuple[str, ...]) -> tuple[str, ...]:
        below = (child.id for name in names if name in self._sections for child in self._below(name))
        return tuple(dict.fromkeys((*names, *below)))

    # Targets

    def _target(self, name: str) -> Target:
        return next(target for target in self._content.knowledge.targets if target.id == name)

    def _figures(self, target: Target, names: tuple[str, ...]) -> str:
        steps = (("answer_step_2025", target.by_2025), ("answer_step_2030", target.by_2030))
        told = [self._step(target, figure, key) for key, figure in steps if figure.item in names]
        if target.total.item in names:
            total = self._tell("answer_total", figure=self._figure(target, target.total))
            key = "answer_adds_up" if target.adds_up else "answer_each_step"
            parts = self._tell(key, first=target.by_2025.number, second=target.by_2030.number)
            return self._with_clause(f"{total} {parts}", target.total.item)
        if len(told) == 1:
            text = self._sections[names[0]].text
            return self._with_clause(f"{told[0]}\n{self._quote(text)}", names[0])
        return "\n".join(
            self._with_clause(line, name).replace("\n", " ") for line, name in zip(told, names, strict=True)
        )

    def _step(self, target: Target, figure: Figure, key: str) -> str:
        return self._tell(key, figure=self._figure(target, figure))

    def _figure(self, target: Target, figure: Figure) -> str:
        unit = target.unit.en if self._language == "en" else target.unit.vi
        key = "answer_at_least" if figure.at_least else "answer_exactly"
        return self._tell(key, number=figure.number, unit=unit)

    def _steps_of(self, name: str) -> str:
        """The targets of one year as a list, for the clause that holds them all."""
        return "\n".join(
            self._tell("answer_list_line", text=self._figure(target, figure))
            for target in self._content.knowledge.targets
            for figure in (target.by_2025, target.by_2030)
            if figure.item.split("-")[0] == name
        )

    # What the plan does not answer

    def _handoff(self, name: str | None) -> Said:
        if name == NO_SUCH_ITEM:
            return self._tell("answer_no_such_item"), (), ()
        topic = next((topic for topic in self._content.knowledge.topics if topic.id == name), None)
        if topic is None or topic.missing is None:
            return self._tell("answer_unknown"), (), ()
        missing = topic.missing.en if self._language == "en" else topic.missing.vi
        if topic.instead:
            instead = topic.instead.en if self._language == "en" else topic.instead.vi
            text = self._tell("answer_missing_instead", missing=missing, instead=instead)
            return text, (), (topic.nearest,) if topic.nearest else ()
        if topic.nearest is None:
            return self._tell("answer_missing", missing=missing), (), ()
        title, place = offer(self._content, topic.nearest, self._language), self.clause(topic.nearest)
        text = self._tell("answer_missing_nearest", missing=missing, title=title, clause=place)
        return text, (), (topic.nearest,)

    def _about_document(self, name: str) -> str:
        """The plan as a whole, or the one thing asked about it."""
        document = self._content.plan.document
        if name == DOCUMENT_NUMBER:
            return self._number()
        if name == DOCUMENT_SIGNED:
            return self._tell("answer_document_signed", signature=", ".join(document.signature))
        if name == DOCUMENT_PERIOD:
            return self._tell("answer_document_period", title=document.title)
        return self._document()

    def _document(self) -> str:
        document = self._content.plan.document
        told = self._tell("answer_document", title=document.title, issuer=document.issuer, year=document.year)
        basis = self._tell("answer_document_basis")
        return self._with_note(f"{told}\n{basis}\n{self._number()}\n{self._groups()}", document.issuer)

    def _number(self) -> str:
        """What the plan itself leaves blank, and what the press says of it."""
        reported = self._content.plan.document.reported
        day = f"{reported.date:%d/%m/%Y}"
        said = self._tell(
            "answer_document_reported", source=reported.source.name, number=reported.number, date=day
        )
        return f"{self._tell('answer_document_blank')}\n{said}"

    def _groups(self) -> str:
        plan = self._content.plan
        head = self._tell("answer_document_tasks", count=len(plan.tasks), groups=len(plan.groups))
        lines = (self._tell("answer_list_line", text=group.title) for group in plan.groups)
        return "\n".join((head, *lines))

    # Wording

    def _tell(self, key: str, **values: object) -> str:
        return self._content.say(self._language, key, **values)

    def _quote(self, text: str) -> str:
        return self._tell("answer_quote", text=_told(self._right(text)))

    def _with_clause(self, text: str, name: str) -> str:
        return self._tell("answer_with_clause", text=text, clause=self.clause(name))

    def _right(self, text: str) -> str:
        """The source's words without its slips."""
        for slip, right in self._content.knowledge.corrections.items():
            text = text.replace(slip, right)
        return text

    def _with_note(self, text: str, about: str) -> str:
        """One short note on what a named body is called today, the most precisely named one first."""
        about = self._right(about)
        named = [
            (len(form), body, form)
            for body in self._content.bodies
            if body.now != self._content.office.name  # whoever speaks has said who they are
            for form in _named(body, about)
        ]
        if not named:
            return text
        _, body, form = max(named, key=lambda found: found[0])
        if body.now:
            now = (body.now_en if self._language == "en" else None) or body.now
            return f"{text}\n{self._tell('answer_now', name=body.name, now=now)}"
        if body.note and body.source:
            return f"{text}\n{self._tell('answer_note', note=body.note, source=body.source.name)}"
        return f"{text}\n{self._tell('answer_now_unknown', name=form)}"


def tasks_of(content: Content, listing: Listed) -> tuple[Task, ...]:
    """The tasks a listing holds, in the order of the appendix."""
    return tuple(task for task in content.plan.tasks if _belongs(getattr(task, listing.cell), listing))


def _belongs(value: str | None, listing: Listed) -> bool:
    if not listing.holds or value is None:
        return not listing.holds and value is None
    holds = any(words in value for words in listing.holds)
    return holds and not any(words in value for words in listing.lacks)


def _named(body: Body, text: str) -> Iterator[str]:
    return (form for form in (body.name, *body.also) if form in text)


def _pairs(task: Task) -> tuple[tuple[str, str], ...]:
    """The lines of a task with those of its time, where they belong together one by one."""
    lines, times = task.text.split("\n"), task.time.split("\n")
    if len(times) < 2 or len(lines) != len(times):
        return ()
    return tuple((_bare(line), _bare(time)) for line, time in zip(lines, times, strict=True))


def _bare(line: str) -> str:
    """A line of a list without its mark and its closing sign."""
    return _told(_LIST_MARK.sub("", line.strip()))


def _told(text: str) -> str:
    """A quotation needs no full stop of its own before its closing mark."""
    return text.removesuffix("/.").rstrip(" .;:")


def _in_line(value: str) -> str:
    """A cell as part of a sentence: its list on one line, without a second full stop."""
    lines = [_LIST_MARK.sub("", line.strip()) for line in value.split("\n")]
    return " ".join(lines).rstrip(" .;")
