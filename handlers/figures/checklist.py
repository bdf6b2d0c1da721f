"""What a survey still lacks before it opens: each with why it matters and where it is filled in. Pure facts in, words out."""

from collections.abc import Iterator
from dataclasses import dataclass

from content.catalogue import Catalogue
from content.everything import Content
from content.model import Language

# 110 communes and 25 wards, by Nghị quyết 1664/NQ-UBTVQH15.
COMMUNES = 135
_COMMUNES_LIST = "communes"
_NOT_FACTS = {"other", "elsewhere", "none"}  # choices that are no commune

_OFFICE = ("unit", "address", "hours", "official_page", "retention", "use_limit")  # fields that may be empty
_MUST = {"contact", "retention", "demo", "public_url", "letter", "deadline", "invited"}


@dataclass(frozen=True, slots=True)
class Setup:
    """What is known of this installation and of the campaign; whoever asks fills it in."""

    demo: bool
    public_url: bool
    instance: bool
    mail: bool
    letter: bool  # number and date of the official letter are known
    deadline: bool
    invited: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing; `must`: the survey should not open without it."""

    id: str
    what: str
    why: str
    where: str
    must: bool


def checklist(
    content: Content, form_id: str, setup: Setup, say: Catalogue, language: Language
) -> tuple[Gap, ...]:
    """Everything that is still missing, what must be there first."""
    found = [*_office(content), *_known(content, form_id, language), *_installation(setup), *_campaign(setup)]
    gaps = [
        Gap(
            name,
            say(language, f"checklist_{name}", **values),
            say(language, f"checklist_{name}_why"),
            say(language, f"checklist_in_{where}", place=place),
            name in _MUST,
        )
        for name, where, place, values in found
    ]
    return tuple(sorted(gaps, key=lambda gap: not gap.must))


_Missing = tuple[str, str, str, dict[str, object]]  # name, kind of place, place, values of the sentence


def _office(content: Content) -> Iterator[_Missing]:
    office = content.office
    if not (office.phone or office.email):
        yield "contact", "file", "content/office.yaml: phone, email", {}
    for field in _OFFICE:
        if not getattr(office, field):
            yield field, "file", f"content/office.yaml: {field}", {}


def _known(content: Content, form_id: str, language: Language) -> Iterator[_Missing]:
    unsure = [body.name for body in content.bodies if body.now is None]
    if unsure:
        yield "bodies", "file", "content/bodies.yaml", {"names": "; ".join(unsure)}
    topics = [getattr(topic.missing, language) for topic in content.knowledge.topics if topic.missing]
    if topics:
        yield "topics", "file", "content/faq.yaml", {"topics": "; ".join(topics)}
    communes = content.forms[form_id].file.choices.get(_COMMUNES_LIST, ())
    listed = sum(choice.name not in _NOT_FACTS for choice in communes)
    if communes and listed < COMMUNES:
        place = f"content/forms/{form_id}.yaml: {_COMMUNES_LIST}"
        yield "communes", "file", place, {"listed": listed, "all": COMMUNES}


def _installation(setup: Setup) -> Iterator[_Missing]:
    if setup.demo:
        yield "demo", "setting", "DOLUONG_DEMO", {}
    if not setup.public_url:
        yield "public_url", "setting", "DOLUONG_PUBLIC_URL", {}
    if not setup.instance:
        yield "instance", "setting", "DOLUONG_INSTANCE", {}
    if not setup.mail:
        yield "mail", "setting", "DOLUONG_SMTP_URL, DOLUONG_MAIL_FROM", {}


def _campaign(setup: Setup) -> Iterator[_Missing]:
    for name, there in (
        ("letter", setup.letter),
        ("deadline", setup.deadline),
        ("invited", setup.invited > 0),
    ):
        if not there:
            yield name, "desk", "", {}
