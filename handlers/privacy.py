"""«Dữ liệu của tôi»: what is held about a person, a copy of it, withdrawing consent, erasing."""

from dataclasses import replace

from content.everything import Content
from handlers.dialogue import Chose, Cue, Said, Step, Tapped, View
from handlers.effects import Query
from handlers.filling import OWN_DATA, XLSX, Elsewhere
from handlers.fold import fold
from handlers.messages import Attachment, Choice, Message
from handlers.notice import Notices
from handlers.people import Person, State
from handlers.responses import Erased, EraseMe, Held, MyData, RecordConsent, shown_code
from handlers.showing import shown_contact


class Privacy:
    """Shows, copies, withdraws and erases what is the person's own."""

    name = "privacy"
    version = 1

    def __init__(self, content: Content, notices: Notices, elsewhere: Elsewhere) -> None:
        self._say = content.say
        self._notices = notices
        self._elsewhere = elsewhere
        self._withdrawing = {fold(word) for word in content.menu.form["withdraw"]}
        self._words = content.menu.form

    def needs(self, cue: Cue, state: State, person: Person) -> tuple[Query, ...]:
        """Everything that is held."""
        return (MyData(),)

    def anytime(self, value: str) -> bool:
        """Looking is always right; erasing belongs to its own question."""
        return value == "privacy:show"

    def claims(self, cue: Cue) -> bool:
        """Whether a cue leads here from anywhere."""
        if not isinstance(cue, Said):
            return False
        return cue.understood.service in OWN_DATA or fold(cue.text) in self._withdrawing

    def step(self, cue: Cue, view: View) -> Step:
        """Show, or ask before anything is erased."""
        match cue:
            case Said(text) if fold(text) in self._withdrawing:
                return self._ask(view, "withdraw")
            case Said(understood=understood) if understood.service == "delete_my_data":
                return self._ask(view, "erase")
            case Said(understood=understood) if understood.service == "my_data":
                return self._show(view)
            case Said() if view.state.get("ask"):
                return self._ask(view, view.state.get("ask") or "erase")
            case Chose((value,)) | Tapped(value):
                return self._chosen(value, view)
            case Erased(values, messages):
                return self._erased(view, values, messages)
        return self._show(view)

    def _chosen(self, value: str, view: View) -> Step:
        match value:
            case "privacy:erase":
                return self._ask(view, "erase")
            case "privacy:withdraw":
                return self._ask(view, "withdraw")
            case "privacy:yes":
                return self._do(view)
            case "privacy:no":
                return self._at_menu(view, self._say(view.language, "privacy_kept"))
        return self._show(view)

    def _held(self, view: View) -> Held:
        held = view.answers.get(MyData())
        return held if isinstance(held, Held) else Held()

    def _show(self, view: View) -> Step:
        """What is held, in words, with a copy."""
        held, language = self._held(view), view.language
        lines = [self._say(language, "privacy_head")]
        lines += [
            self._say(
                language,
                "privacy_value",
                what=one.question,
                value=shown_contact(one.value),
                form=one.form_title,
                year=one.year,
            )
            for one in held.values
        ]
        if not held.values:
            lines.append(self._say(language, "privacy_nothing"))
        lines += [
            self._say(
                language,
                f"privacy_consent_{one.answer}",
                purpose=self._say(language, f"purpose_{one.purpose}"),
                date=one.on.strftime("%d/%m/%Y"),
            )
            for one in held.consents
        ]
        lines += [self._say(language, "privacy_response", code=shown_code(code)) for code in held.responses]
        lines.append(self._say(language, "privacy_messages", count=held.messages))
        choices = [
            Choice(self._say(language, "privacy_withdraw"), "privacy:withdraw", also=self._words["withdraw"]),
            Choice(self._say(language, "privacy_erase"), "privacy:erase"),
            Choice(self._say(language, "menu_back"), "home:menu"),
        ]
        if not any(one.answer == "yes" for one in held.consents):
            del choices[0]
        copy = Attachment(self._say(language, "privacy_file"), XLSX, "my-data.xlsx")
        return self._at(view, Message("\n".join(lines), tuple(choices), (copy,)))

    def _ask(self, view: View, what: str) -> Step:
        """One confirmation, with what goes and what stays."""
        language = view.language
        choices = (
            Choice(self._say(language, f"privacy_{what}_yes"), "privacy:yes", also=self._words["yes"]),
            Choice(self._say(language, "privacy_no"), "privacy:no", also=self._words["no"]),
        )
        return self._at(view, Message(self._question(view, what), choices), ask=what)

    def _question(self, view: View, what: str) -> str:
        key = "privacy_withdraw_question" if what == "withdraw" else "privacy_erase_question"
        return self._say(view.language, key, count=len(self._held(view).values))

    def _do(self, view: View) -> Step:
        """Erase; whoever withdraws consent has what rested on it erased too."""
        shown = self._question(view, view.state.get("ask") or "erase")
        withdrawn = tuple(
            RecordConsent(one.purpose, one.version, shown, "withdrawn", view.channel, view.address)
            for one in self._held(view).consents
            if one.answer == "yes"
        )
        return Step(view.person, State(self.name, self.version), effects=(*withdrawn, EraseMe()))

    def _erased(self, view: View, values: int, messages: int) -> Step:
        person = replace(view.person, draft=None, greeted=True)
        text = self._say(view.language, "privacy_erased", values=values, messages=messages)
        return self._at_menu(replace(view, person=person), text)

    def _at(self, view: View, message: Message, ask: str = "") -> Step:
        data = (("ask", ask),) if ask else ()
        return Step(view.person, State(self.name, self.version, data, message.choices), (message,))

    def _at_menu(self, view: View, text: str) -> Step:
        step = self._elsewhere(Chose(("home:menu",)), view)
        return replace(step, replies=(Message(text, step.replies[-1].choices),))
