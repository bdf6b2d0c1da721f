"""All content in one value, read and checked once at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from content.catalogue import Catalogue, load_catalogue
from content.forms import Form, load_form
from content.knowledge import Knowledge, load_knowledge
from content.load import HERE, ContentError, line_of, read, read_list, short
from content.model import Body, Chapter, Document, Menu, Notice, Office, Plan, Section, Task, ValueWords


@dataclass(frozen=True)
class Content:
    """Everything the assistant knows and says before anybody wrote to it."""

    plan: Plan
    bodies: tuple[Body, ...]
    office: Office
    say: Catalogue
    knowledge: Knowledge
    menu: Menu
    values: ValueWords
    notice: Notice
    forms: Mapping[str, Form]  # by id


def load_content(folder: Path = HERE) -> Content:
    """Read the whole content folder; raises ContentError for the first thing that is wrong."""
    plan = _load_plan(folder / "plan")
    return Content(
        plan=plan,
        bodies=read_list(folder / "bodies.yaml", Body),
        office=read(folder / "office.yaml", Office),
        say=load_catalogue(folder / "messages"),
        knowledge=load_knowledge(folder, plan),
        menu=read(folder / "menu.yaml", Menu),
        values=read(folder / "values.yaml", ValueWords),
        notice=read(folder / "notice.yaml", Notice),
        forms=_load_forms(folder / "forms"),
    )


def _load_forms(folder: Path) -> dict[str, Form]:
    forms: dict[str, Form] = {}
    for path in sorted(folder.glob("*.yaml")):
        form = load_form(path)
        if form.id in forms:
            raise ContentError(
                short(path),
                ("settings", "form_id"),
                line_of(path, ("settings", "form_id")),
                f"{form.id} stands twice",
            )
        forms[form.id] = form
    return forms


def _load_plan(folder: Path) -> Plan:
    plan = Plan(
        document=read(folder / "document.yaml", Document),
        chapters=read_list(folder / "chapters.yaml", Chapter),
        sections=read_list(folder / "sections.yaml", Section),
        groups=read_list(folder / "groups.yaml", Chapter),
        tasks=read_list(folder / "tasks.yaml", Task),
    )
    _check_ids_once(folder / "sections.yaml", [section.id for section in plan.sections])
    _check_ids_once(folder / "tasks.yaml", [task.id for task in plan.tasks])
    return plan


def _check_ids_once(path: Path, ids: list[str]) -> None:
    for index, name in enumerate(ids):
        if name in ids[:index]:
            raise ContentError(
                short(path), (index, "id"), line_of(path, (index, "id")), f"{name} stands twice"
            )
