"""What a button reads whose message has moved on: looked up by the value it sends."""

from content.everything import Content
from content.forms import Form
from handlers.choices import short

_ACTS = {
    "retype": "form_retype",
    "yes": "form_right",
    "done": "form_finish",
}  # beside the ways around a question


class Labels:
    """Knows the choices of every form, and the ways around its questions, in Vietnamese."""

    def __init__(self, content: Content) -> None:
        self._say = content.say
        self._choices = {key: label for form in content.forms.values() for key, label in _labels(form)}
        self._marked = {
            short(f"form:{kind}:{question}:{choice}", 0): label
            for (question, choice), label in self._choices.items()
            for kind in ("a", "pick")
        }
        prefix = "form_aside_"
        named = {key.removeprefix(prefix): key for key in content.say.keys() if key.startswith(prefix)}  # noqa: SIM118
        self._acts = {**named, **_ACTS}

    def __call__(self, value: str) -> str | None:
        """The words on the button that sends this value; None where they are not known."""
        match value.split(":", 3):
            case ["form", "a" | "pick", place, choice]:
                return self._choices.get((place.partition(".")[0], choice))
            case ["form", act, *_] if act in self._acts:
                return self._say("vi", self._acts[act])
        return self._marked.get(value)


def _labels(form: Form) -> list[tuple[tuple[str, str], str]]:
    return [
        ((question.name, choice.name), choice.label.vi)
        for question in form.questions
        for choice in question.choices
    ]
