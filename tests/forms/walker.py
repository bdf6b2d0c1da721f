"""A random walk through a form, each step judged by the oracle.

The walker answers, goes back, edits, skips, types garbage, presses old buttons, leaves and comes back, moves to another
machine, restarts the service, publishes a newer version, and at last means to finish. It knows the conversation from
outside only: what is said, and what is stored.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random

from handlers.messages import Message
from tests.forms.judge import (
    Asked,
    Expected,
    Fault,
    Screen,
    judge_kept,
    judge_notes,
    judge_prompt,
    judge_review,
    judge_told,
    review_of,
    screen_of,
    why_not_asked,
)
from tests.forms.oracle import Fill, Prompt, Reading, read
from tests.forms.random_forms import NEXT_VERSION, Question, RandomForm, random_form
from tests.forms.stage import TODAY, Stage
from tests.forms.typist import Typed, Typist

MOST_WANDERING = 24  # steps before the walker means to finish
MOST_AFTERWARDS = 8  # steps after everything was finished
_REFERENCE = re.compile(r"\$\{(\w+)\}")
_PRESSED = ("form:a:", "form:pick:", "form:skip:", "form:yes:", "form:unknown:", "form:keep:")

Act = Callable[["Walker"], None]
Ways = Sequence[tuple[int, Act]]


class Walker:
    """Somebody who fills in a form, and whoever looks over their shoulder."""

    def __init__(self, stage: Stage, form: RandomForm, chance: Random, counts: Counter[str]) -> None:
        self.stage, self.form, self.chance, self.counts = stage, form, chance, counts
        self.talk: list[str] = []
        self._typist = Typist(chance)
        self._answers: dict[str, Fill] = {}  # what must be stored
        self._own: dict[str, str] = {}  # and apart from it
        self._status = "partial"
        self._reading: Reading | None = None
        self._at: Expected = "menu"  # what is on the screen
        self._asked: Asked | None = None  # the prompt last asked
        self._half: Typed | None = None  # the answer of which more is needed
        self._screen: Screen | None = None
        self._code = ""
        self._old: list[str] = []  # buttons seen
        self._looked_at = _looked_at(form)
        self._goes_further = False  # whether they wanted to answer what comes after submitting
        self._newer = False  # whether a newer version is out

    def walk(self) -> None:
        """Walk to the end; raises Fault, or what the engine raised."""
        self._say("khảo sát", ("notice",))
        self._say("đồng ý", self._following())
        for _ in range(self.chance.randint(4, MOST_WANDERING)):
            self._wander()
        self._finish()
        if self.chance.random() < 0.4:
            for _ in range(self.chance.randint(1, MOST_AFTERWARDS)):
                self._wander()
            self._finish()
        self.counts["walks"] += 1

    def _wander(self) -> None:
        """One step of any kind."""
        ways = _ASKED if isinstance(self._at, Asked) else _WAYS.get(self._at, _ELSEWHERE)
        weights, acts = zip(*ways, strict=True)
        [act] = self.chance.choices(acts, weights)
        act(self)

    def _finish(self) -> None:
        """Answer whatever is asked until it is over."""
        most = 4 * len(self._read.standings) + 30
        for _ in range(most):
            if self._at == "done":
                return
            if not isinstance(self._at, Asked):
                self._on()
            elif self.chance.random() < 0.1:
                self._skip()
            else:
                self._answer()
        raise Fault("never over", f"{most} steps")

    def _on(self) -> None:
        """The way forward from where nothing is asked."""
        match self._at:
            case "half":
                self._complete()
            case "review":
                self._leave_review()
            case "offer" if self.chance.random() < 0.6:
                self._goes_further = True
                self._tap("form:more", self._following())
            case "offer":
                self._say("không", ("menu",))
            case _:
                self._resume()

    # Answering

    def _answer(self) -> None:
        typed = self._typist.answer(self._prompt)
        if typed is None:
            self._skip()
        else:
            self._give(typed)

    def _give(self, typed: Typed) -> None:
        """Type or tap an answer; more may be needed before it is taken."""
        messages = self._do(typed.text, tap=typed.tap)
        if screen_of(messages).kind == "half":
            self._expect(messages, ("half",))
            self._half = typed
        else:
            self._taken(messages, typed)

    def _complete(self) -> None:
        """Say what is still needed for the answer under way."""
        typed, yes = self._half, self._button("form:yes:")
        if typed is None:
            self._retype()
        elif yes:
            tap = self.chance.random() < 0.3
            self._taken(self._do(yes if tap else "đúng", tap=tap), typed)
        elif typed.then is not None:
            self._taken(self._do(typed.then), typed)
        else:
            self._retype()

    def _taken(self, messages: Sequence[Message], typed: Typed) -> None:
        """An answer was taken: it is stored with all that follows from it, and what is open is asked."""
        self.counts["answers given" if self._prompt.open else "edits"] += 1
        self._own |= typed.own or {}
        withdrawn = self._change(typed.fills)
        self._expect(messages, self._following())
        judge_told(withdrawn, self._seen)

    def _change(self, fills: Mapping[str, Fill]) -> list[str]:
        """Let the oracle say what is stored from now on; gives what was withdrawn of what was answered before."""
        reading = read(self.form, {**self._answers, **fills}, TODAY)
        withdrawn = [place for place in reading.withdrawn if place in self._answers]
        self.counts["withdrawals"] += len(withdrawn)
        self._answers, self._reading = reading.answers, None
        return withdrawn

    def _skip(self) -> None:
        prompt = self._prompt
        messages = self._do("bỏ qua")
        if any(isinstance(one.node, Question) and one.node.required for one in prompt.standings):
            self.counts["skips refused"] += 1
            self._expect(messages, (self._at,))
            return
        self.counts["skips"] += 1
        withdrawn = self._change({place: ["", "-"] for place in prompt.places})
        self._expect(messages, self._following())
        judge_told(withdrawn, self._seen)

    def _unknown(self) -> None:
        """«I do not know», where it is an answer."""
        typed = self._typist.unknown(self._prompt)
        if typed is None:
            self._garble()
        else:
            self.counts["unknown"] += 1
            self._give(typed)

    def _garble(self) -> None:
        """Something that is no answer; of words that a list does not have, it may be asked whether to keep them."""
        garbage = self._typist.garbage(self._prompt)
        if garbage is None:
            self._answer()
        else:
            self.counts["garbage refused"] += 1
            self._say(garbage, (self._at, "half"))

    def _retype(self) -> None:
        button = self._button("form:retype:", "form:no:")
        assert button, "an answer is asked back without a way to type it again"
        self._tap(button, (Asked(self._prompt),))

    # Around a question

    def _back(self) -> None:
        self.counts["backs"] += 1
        self._say("quay lại", self._before(self._prompt))

    def _before(self, prompt: Prompt) -> Sequence[Expected]:
        """What comes before a prompt; the first prompt of a part may stay."""
        prompts = [*self._read.prompts(), *self._read.prompts(later=True)]
        at = [one.places for one in prompts].index(prompt.places)
        before = (Asked(prompts[at - 1]),) if at else ()
        return before if at and prompts[at - 1].later == prompt.later else (*before, *self._same())

    def _keep(self) -> None:
        """Leave an answer as it is."""
        if self._prompt.open:
            self._answer()
        else:
            self._say("giữ nguyên", self._following())

    def _why(self) -> None:
        self._say(self.chance.choice(("sao lại hỏi", "trợ giúp")), self._same())

    def _ask_something(self) -> None:
        self._say("Ai trả học phí lớp đào tạo đo lường?", self._same())

    def _press_old(self) -> None:
        """A button of an earlier message."""
        here = {choice.value for choice in self._seen.message.choices}
        old = [value for value in self._old if value not in here]
        if old:
            self.counts["old buttons"] += 1
            self._tap(self.chance.choice(old), self._same())

    def _same(self) -> tuple[Expected, ...]:
        """What is on the screen stays on it; an answer under way may be asked for anew."""
        return ("half", Asked(self._prompt)) if self._at == "half" else (self._at,)

    def _review(self) -> None:
        self._say("xem lại", ("review",))

    def _edit(self) -> None:
        """«Sửa N»: the n-th answer of the review."""
        answered = review_of(self._read)
        number = self.chance.randint(1, len(answered) + 1)
        telling = [at for at, prompt in enumerate(answered, 1) if self._looked_at & prompt.names]
        if telling and self.chance.random() < 0.7:
            number = self.chance.choice(telling)
        bare = self._at == "review" and self.chance.random() < 0.5
        text = str(number) if bare else f"sửa {number}"
        self._say(text, self._same() if number > len(answered) else (Asked(answered[number - 1]),))

    def _leave_review(self) -> None:
        """What leads on from the review: submitting, when nothing is open."""
        if self._read.next_prompt():
            self._say("làm tiếp", self._following())
        elif self._status == "partial":
            self._status = "submitted"
            self.counts["submitted"] += 1
            self._say("gửi", ("offer" if self._read.next_prompt(later=True) else "done",))
        else:
            self._say("xong", ("menu",))

    def _forward(self) -> None:
        if self.chance.random() < 0.7:
            self._on()
        else:
            self._say("zzz", (self._at,))

    # Leaving and coming back

    def _leave(self) -> None:
        self._say(self.chance.choice(("menu", "để sau")), ("menu",))

    def _resume(self) -> None:
        self.counts["resumed"] += 1
        self._say("khảo sát", self._card())
        if self._at == "card":
            self._say("làm tiếp", self._following())

    def _card(self) -> Sequence[Expected]:
        """What is shown of a response that one comes back to."""
        if self._status == "submitted":
            return ("done",)
        return ("card" if self._read.next_prompt() else "review",)

    def _move(self) -> None:
        """Go on at another machine, by the response's code; nobody else sees what is personal, so not with that."""
        if any(isinstance(node, Question) and node.personal for node in self.form.all()):
            return
        self.counts["resumed by code"] += 1
        self.talk.append("-- another machine")
        self.stage.moves()
        self._goes_further = False
        self._say(self._code, self._card())
        if self._at == "card":
            self._say("làm tiếp", self._following())

    def _restart(self) -> None:
        """The service ends and starts; what was asked is still asked."""
        self.counts["restarts"] += 1
        self.talk.append("-- restart")
        self.stage.restart(whole=self.chance.random() < 0.002)
        if isinstance(self._at, Asked) and self.chance.random() < 0.5:
            self._why()

    def _change_version(self) -> None:
        """A newer version of the form is published; the draft goes on with its own."""
        if self._newer:
            return
        self._newer = True
        self.counts["version changes"] += 1
        self.talk.append("-- newer version")
        self.stage.publish(random_form(self.chance, NEXT_VERSION))
        self._why()

    def _cancel(self) -> None:
        """Give it up, or nearly; and take it back."""
        if self._status != "partial":
            return
        self.counts["cancels"] += 1
        self._say("hủy", ("cancel",))
        if self.chance.random() < 0.5:
            self._say("làm tiếp", self._following())
            return
        self._status = "cancelled"
        self._tap("form:cancel", ("gone",))
        self._status = "partial"
        self._tap(f"survey:undo:{self._code}", self._following())

    def _stop(self) -> None:
        if self._status == "partial":
            self._say("dừng", ("stop",))
            self._say("làm tiếp", self._following())

    # Looking

    @property
    def _read(self) -> Reading:
        """What the oracle reads in the form now; read anew whenever an answer changed."""
        if self._reading is None:
            self._reading = read(self.form, self._answers, TODAY)
        return self._reading

    @property
    def _seen(self) -> Screen:
        assert self._screen
        return self._screen

    @property
    def _prompt(self) -> Prompt:
        """What is asked now, as it is now."""
        assert self._asked
        places = self._asked.prompt.places
        prompts = (*self._read.prompts(), *self._read.prompts(later=True))
        return next(one for one in prompts if one.places == places)

    def _button(self, *starts: str) -> str | None:
        values = [choice.value for choice in self._seen.message.choices]
        return next((value for start in starts for value in values if value.startswith(start)), None)

    def _following(self) -> Sequence[Expected]:
        """What must come next: the first open question, or where one goes when there is none."""
        if prompt := self._read.next_prompt():
            return (Asked(prompt),)
        if self._status == "partial":
            return ("review",)
        more = self._read.next_prompt(later=True) if self._goes_further else None
        return (*((Asked(more),) if more else ()), "review", "done")

    def _say(self, text: str, expected: Iterable[Expected]) -> None:
        self._expect(self._do(text), expected)

    def _tap(self, value: str, expected: Iterable[Expected]) -> None:
        self._expect(self._do(value, tap=True), expected)

    def _do(self, text: str, *, tap: bool = False) -> Sequence[Message]:
        self.talk.append(f"> {'[tap] ' * tap}{text}")
        messages = self.stage.taps(text) if tap else self.stage.says(text)
        self.talk += [_shown(message) for message in messages]
        return messages

    def _expect(self, messages: Sequence[Message], expected: Iterable[Expected]) -> None:
        """Judge what is said and what is stored; raises Fault."""
        self._screen = found = screen_of(messages)
        pressed = (choice.value for choice in found.message.choices if choice.value.startswith(_PRESSED))
        self._old = [*self._old, *pressed][-30:]
        if "notice" in expected:
            return
        self._code = self.stage.code or self._code
        # what was skipped later, or is no longer asked, is the person's again
        own = {name: value for name, value in self._own.items() if self._read.answers.get(name) == ["", "p"]}
        judge_kept(self.stage.kept(self._code), self.form.version, self._status, self._read, own)
        judge_notes(self._read, found)
        self._at = self._recognised(found, tuple(expected))
        if self._at != "half":
            self._half = None
        if isinstance(self._at, Asked):
            self._asked = self._at
            judge_prompt(self._read, self._at.prompt, found.message.text)
        elif self._at == "review":
            judge_review(self._read, found.message.text)

    def _recognised(self, found: Screen, expected: Sequence[Expected]) -> Expected:
        """Which of the expected things is on the screen."""
        reasons: list[str] = []
        for one in expected:
            if one == found.kind:
                return one
            if isinstance(one, Asked):
                reason = (
                    found.kind
                    if found.kind != "ask"
                    else why_not_asked(self._read, one.prompt, found.message)
                )
                if reason is None:
                    return one
                reasons.append(f"not {'+'.join(one.prompt.places)} ({reason})")
            else:
                reasons.append(f"not {one}")
        raise Fault("the wrong thing is on the screen", f"{found.kind}: {'; '.join(reasons)}")


def _looked_at(form: RandomForm) -> frozenset[str]:
    """The questions on which others depend: to change their answers changes most."""
    rows = (row.model_dump(exclude={"label"}) for row in form.file.survey)
    return frozenset(_REFERENCE.findall(" ".join(str(row) for row in rows)))


def _shown(message: Message) -> str:
    choices = " | ".join(f"{choice.label} [{choice.value}]" for choice in message.choices)
    return f"  {message.text}\n    {choices} {message.progress or ''}"


_W = Walker
_ASKED: Ways = (
    (50, _W._answer), (6, _W._skip), (5, _W._unknown), (9, _W._garble), (10, _W._back), (4, _W._keep), (2, _W._why),
    (1, _W._ask_something), (2, _W._press_old), (4, _W._review), (9, _W._edit), (2, _W._leave), (1, _W._move),
    (3, _W._restart), (1, _W._change_version), (1, _W._cancel), (1, _W._stop),
)  # fmt: skip
_HALF: Ways = (
    (30, _W._complete), (4, _W._retype), (2, _W._back), (1, _W._why), (1, _W._press_old), (1, _W._review),
    (2, _W._edit), (1, _W._leave), (1, _W._move), (2, _W._restart), (1, _W._change_version), (1, _W._cancel),
    (1, _W._stop),
)  # fmt: skip
_ELSEWHERE: Ways = (
    (8, _W._forward), (12, _W._edit), (1, _W._press_old), (1, _W._review), (1, _W._leave), (1, _W._move),
    (2, _W._restart), (1, _W._change_version),
)  # fmt: skip
_WAYS: Mapping[Expected, Ways] = {"half": _HALF, "menu": ((1, _W._resume),), "card": ((1, _W._resume),)}
