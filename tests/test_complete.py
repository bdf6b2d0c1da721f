"""Nothing is forgotten: words are used, effects are applied, settings are described, layers are kept."""

import ast
import re
from pathlib import Path

import pytest

from bot.app import registry
from bot.settings import Settings
from content.everything import Content
from handlers import effects, responses, staff
from tests.world import settings_for

ROOT = Path(__file__).parent.parent
PACKAGES = ("content", "handlers", "storage", "bot")
CODE = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
COMPLETED = [  # keys whose end the code puts there
    r"not_open_[a-z_]+",
    r"sent_[a-z_]+",
    r"page_(person|assistant|officer)",
    r"answer_(service|smalltalk)_[a-z_]+",
    r"answer_(lead|cooperating|time|funding)(_empty)?",
    r"form_aside_[a-z]+",
    r"survey_not_joined_[a-z_]+",
    r"privacy_consent_[a-z]+",
    r"privacy_(withdraw|erase)_yes",
    r"purpose_[a-z_]+",
    r"export_computed_[a-z0-9_]+",
    r"desk_(done|act|role|status|kind|sort|chat_link)_[a-z0-9_]+",
    r"figures_(missing|question)_[a-z_]+",
    r"checklist_[a-z_]+",
    r"register_(repair|fault|note|field|file|encoding|delimiter|by)_[a-z0-9_]+",
]
VIETNAMESE = re.compile(
    r"[ạảãàáâậầấẩẫăắằặẳẵđẹẻẽèéêệếềểễịỉĩìíọỏõòóôộốồổỗơớờởỡợụủũùúưứừửữựỳýỵỷỹ]", re.IGNORECASE
)


def test_every_sentence_is_said_somewhere(content: Content) -> None:
    """A key is used by name, or the code completes it, as in `f"not_open_{service}"`."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in CODE)
    for template in sorted((ROOT / "bot").rglob("*.html")):
        sources += template.read_text(encoding="utf-8")
    completed = [re.compile(pattern) for pattern in COMPLETED]
    named = set(re.findall(r"\w+", sources))

    unused = [
        key
        for key in content.say.keys()  # noqa: SIM118  a catalogue is no dict
        if key not in named and not any(pattern.fullmatch(key) for pattern in completed)
    ]

    assert unused == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_words_for_people_live_in_data(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    spoken = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]

    # One letter by itself (d with stroke) is a rule of spelling, no word.
    assert [text for text in spoken if len(text) > 1 and VIETNAMESE.search(text)] == []


def _kinds(base: type) -> set[type]:
    named = {**vars(effects), **vars(responses), **vars(staff)}.values()
    kinds = {kind for kind in named if isinstance(kind, type) and issubclass(kind, base)}
    return kinds - {effects.Effect, effects.Asking, effects.Query}


def test_every_effect_is_applied_and_every_query_answered() -> None:
    known = registry(settings_for("sqlite:///x.db"))

    assert set(known.writers) | set(known.deciders) == _kinds(effects.Effect)
    assert set(known.deciders) == _kinds(effects.Asking)
    assert set(known.readers) == _kinds(effects.Query)


def test_every_service_has_its_sentence(content: Content) -> None:
    services = {service.id for service in content.knowledge.services}
    is_open = {"help", "survey", "subscribe", "remind", "unsubscribe", "my_data", "delete_my_data"}
    closed = {"enrol", "my_registrations", "cancel_registration", "events", "talk_to_staff"}

    assert services == is_open | closed
    assert {key for key in content.say.keys() if key.startswith("not_open_")} == {  # noqa: SIM118
        f"not_open_{service}" for service in closed
    }


def test_every_purpose_of_a_consent_has_a_name(content: Content) -> None:
    for form in content.forms.values():
        for question in form.questions:
            purpose = question.row.consent
            names = (
                [one.name for one in question.choices if not one.exclusive]
                if purpose == "each"
                else [purpose]
            )
            assert {f"purpose_{name}" for name in names if name} <= content.say.keys()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described_for_operators(name: str) -> None:
    guide = (ROOT / "docs/operators.md").read_text(encoding="utf-8")

    assert f"`DOLUONG_{name.upper()}`" in guide
    assert Settings.model_fields[name].description


def test_the_words_never_shout(content: Content) -> None:
    for key in content.say.keys():  # noqa: SIM118
        assert "!" not in content.say("vi", key, **_any(content, key)), key


def _any(content: Content, key: str) -> dict[str, str]:
    from content.catalogue import placeholders

    return dict.fromkeys(placeholders(content.say._texts["vi"][key]), "x")


@pytest.mark.parametrize(
    "document", ["README.md", "docs/operators.md", "docs/officers.md", "CHANGELOG.md", "docs/decisions.md"]
)
def test_documents_name_files_and_commands_that_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for target in re.findall(r"`make ([a-z]+)", text):
        assert f"\n{target}:" in makefile, target
    for door in re.findall(r"python -m bot ([a-z]+)", text):
        code = (ROOT / "bot/cli.py").read_text(encoding="utf-8")
        assert f"\ndef {door}(" in code or f'\n@app.command("{door}")\n' in code, door
    for path in re.findall(r"\]\(((?!http|#)[^)#]+)", text):
        assert ((ROOT / document).parent / path).exists(), path


def test_the_plans_source_stays_as_it_was() -> None:
    """Number and date are blank in the source and stay so."""
    from content.everything import load_content

    document = load_content().plan.document

    assert document.number is None
    assert document.date is None
    assert document.reported.number == "45/KH-UBND"
