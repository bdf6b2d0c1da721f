"""All content in one value, read and checked once at start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from content.catalogue import Catalogue, load_catalogue
from content.forms import Form, compile_form, load_form
from content.knowledge import Knowledge, load_knowledge
from content.load import HERE, ContentError, line_of, read, read_list, short
from content.model import (
    Body,
    Chapter,
    Document,
    Menu,
    Notice,
    Office,
    Plan,
    Published,
    Section,
    Task,
    ValueWords,
)
from content.register import RegisterWords


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
    register: RegisterWords
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
        register=read(folder / "register.yaml", RegisterWords),
        forms=_load_forms(folder / "forms", read_list(folder / "published.yaml", Published)),
    )


def _load_forms(folder: Path, published: Sequence[Published]) -> dict[str, Form]:
    """Every form of the folder, YAML or XLSForm workbook; a published version stays as it was."""
    forms: dict[str, Form] = {}
    hashes = {(one.form_id, one.version): one.sha256 for one in published}
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.xlsx"))):
        form = _load_form(path)
        if hashes.get((form.id, form.version), form.sha256) != form.sha256:
            key = ("settings", "version")
            problem = f"{form.version} was published with other content: give the form a new version"
            raise ContentError(short(path), key, line_of(path, key), problem)
        if form.id in forms:
            raise ContentError(
                short(path),
                ("settings", "form_id"),
                line_of(path, ("settings", "form_id")),
                f"{form.id} stands twice",
            )
        forms[form.id] = form
    return forms


def _load_form(path: Path) -> Form:
    if path.suffix == ".yaml":
        return load_form(path)
    from content.xlsform import read_workbook  # what reads workbooks is slow to import

    file = read_workbook(path)  # complains by sheet, row and column of its own
    return compile_form(
        file, lambda row, column, problem: ContentError(short(path), (row, column), 0, problem)
    )


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
