"""What somebody types into a form: answers that must be taken, and garbage that must not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

from tests.forms.oracle import Fill, Prompt, Standing, Value, is_valid, plain, seen
from tests.forms.random_forms import FRUITS, Question

_DAYS = ("2026-10-31", "2026-11-19", "2026-11-20", "2026-12-05", "2027-02-28", "2027-03-31", "2028-02-29")
_MONTHS = ("2026-10", "2026-11", "2026-12", "2027-02", "2027-03", "2027-11", "2028-01")
_DECIMALS = ("0", "0.5", "2.5", "7", "12.5", "19.75", "30", "45.25", "60.5")
_IN_WORDS = {2: "hai", 3: "ba", 12: "mười hai", 20: "hai mươi"}
MOST_SHOWN = 12  # choices; of a longer list the person types a part
_TRIES = 80  # draws of a value that keeps, or breaks, its constraint


@dataclass(frozen=True)
class Typed:
    """What is typed, or tapped, for a prompt; `fills` are what must then stand, `then` what follows when asked back."""

    text: str
    fills: Mapping[str, Fill]
    tap: bool = False
    then: str | None = None
    own: Mapping[str, str] | None = None  # personal values by question


class Typist:
    """Draws what is typed."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    # Answers

    def answer(self, prompt: Prompt) -> Typed | None:
        """An answer that must be taken; None when nothing was found."""
        if prompt.standings[0].line:
            return self._line(prompt)
        standing = prompt.standings[0]
        fill = self._valid(standing)
        if fill is None:
            return None
        node = standing.node
        assert isinstance(node, Question)
        if node.personal:
            said = str(fill[0])
            return Typed(said, {standing.place: ["", "p"]}, own={node.name: said})
        if node.kind in ("one", "many"):
            return self._picked(standing, node, fill)
        return Typed(self._written(node, fill), {standing.place: fill})

    def _valid(self, standing: Standing) -> Fill | None:
        return next((fill for fill in self._drawn(standing) if _keeps(standing, fill)), None)

    def _drawn(self, standing: Standing) -> Iterator[Fill]:
        node = standing.node
        assert isinstance(node, Question)
        names = [option.name for option in standing.offered]
        for _ in range(_TRIES):
            match node.kind:
                case "integer":
                    yield self._number(
                        Decimal(self._chance.choice((0, 1, 2, 3, self._chance.randint(0, 60))))
                    )
                case "decimal":
                    yield self._number(Decimal(self._chance.choice(_DECIMALS)))
                case "date":
                    yield [self._chance.choice(_DAYS)]
                case "month":
                    yield [self._chance.choice(_MONTHS)]
                case "one":
                    yield [self._chance.choice(names)]
                case "many":
                    yield [self._chance.sample(names, self._chance.randint(1, len(names)))]
                case _:
                    yield [self._chance.choice(FRUITS)]

    def _number(self, number: Decimal) -> Fill:
        value = int(number) if number == number.to_integral_value() else plain(number)
        return [value, "~"] if self._chance.random() < 0.1 else [value]

    def _written(self, node: Question, fill: Fill) -> str:
        match node.kind:
            case "integer" | "decimal":
                return self._in_digits(fill)
            case "date" | "month":
                return "/".join(reversed(str(fill[0]).split("-")))
            case _:
                return str(fill[0])

    def _in_digits(self, fill: Fill) -> str:
        about = "khoảng " if len(fill) > 1 else ""
        value = fill[0]
        if isinstance(value, int) and value in _IN_WORDS and self._chance.random() < 0.3:
            return f"{about}{_IN_WORDS[value]}"
        unit = " cái" if isinstance(value, int) and self._chance.random() < 0.1 else ""
        return f"{about}{str(value).replace('.', ',')}{unit}"

    def _picked(self, standing: Standing, node: Question, fill: Fill) -> Typed:
        """One or several choices by tap, by number or by label; «other» with what exactly, at once or when asked."""
        names = list(fill[0]) if isinstance(fill[0], list) else [str(fill[0])]
        other = next((name for name in names if node.option(name).specify), None)
        words = self._chance.choice(FRUITS) if other else ""
        fills = {standing.place: [fill[0], "", words] if other else fill}
        labels = [node.option(name).label for name in names]
        order = [option.name for option in standing.offered]
        numbers = [str(order.index(name) + 1) for name in names]
        place = standing.place
        drawn = self._chance.random()
        if _is_long(node):
            return Typed(f"{labels[0]}: {words}" if other else labels[0], fills)
        if drawn < 0.3:
            tapped = (
                f"form:a:{place}:{names[0]}" if node.kind == "one" else f"form:set:{place}:{'+'.join(names)}"
            )
            return Typed(tapped, fills, tap=True, then=words or None)
        if drawn < 0.6:
            return Typed(", ".join(numbers), fills, then=words or None)
        if other and self._chance.random() < 0.5:
            labels[names.index(other)] += f": {words}"
            return Typed(", ".join(labels), fills)
        return Typed(", ".join(labels), fills, then=words or None)

    def _line(self, prompt: Prompt) -> Typed | None:
        """All numbers of a line; each is held against what was said before it in the same line."""
        fills: dict[str, Fill] = {}
        names: dict[str, Value] = {}
        for one in prompt.standings:
            standing, node = _beside(one, names), one.node
            assert isinstance(node, Question)
            not_known: Fill = ["", "?"]
            fill = not_known if node.unknown and self._chance.random() < 0.2 else self._valid(standing)
            if fill is None:
                return None
            fills[standing.place] = fill
            names[node.name] = seen(node, fill)
        tokens = [_token(fill) for fill in fills.values()]
        if self._chance.random() < 0.3:
            key = prompt.standings[0].line or ""
            return Typed(f"form:set:{key}:{'+'.join(fills)}:{' '.join(tokens)}", fills, tap=True)
        between = "; " if any("." in token for token in tokens) else self._chance.choice((" ", ", ", "; "))
        return Typed(between.join(token.replace(".", ",") for token in tokens), fills)

    def unknown(self, prompt: Prompt) -> Typed | None:
        """«I do not know», typed or by its number in a list; None where it is no answer, or asked in a line."""
        [first, *_] = prompt.standings
        node = first.node
        assert isinstance(node, Question)
        if first.line or not node.unknown:
            return None
        listed = node.options and not _is_long(node)
        by_number = listed and self._chance.random() < 0.3
        text = str(len(first.offered) + 1) if by_number else "không biết"
        return Typed(text, {first.place: ["", "?"]})

    # Garbage

    def garbage(self, prompt: Prompt) -> str | None:
        """Something that is no answer to this prompt; None when anything is one."""
        if prompt.standings[0].line:
            return self._chance.choice(list(self._bad_lines(prompt)))
        found = list(self._bad(prompt.standings[0]))
        return self._chance.choice(found) if found else None

    def _bad(self, standing: Standing) -> Iterator[str]:
        node = standing.node
        assert isinstance(node, Question)
        match node.kind:
            case "integer":
                yield from ("12,5", "1.2.3", "10-12", "-4", "xyz", "3 4")
            case "decimal":
                yield from ("1.2.3", "10-12", "xyz")
            case "date":
                yield from ("31/02/2027", "45/13/2027", "xyz", "12", "29/02/2027")
            case "month":
                yield from ("13/2027", "xyz", "0/2027")
            case "one":
                yield from ("88", "1, 2", "xyz")
            case "many":
                yield from ("88", "1, 88", "xyz")
        if not node.unknown and node.kind != "text":
            yield "không biết"
        broken = (fill for fill in self._drawn(standing) if not _keeps(standing, fill))
        for fill, _ in zip(broken, range(3), strict=False):
            yield self._broken(standing, node, fill)

    def _broken(self, standing: Standing, node: Question, fill: Fill) -> str:
        if node.kind in ("one", "many"):
            names = list(fill[0]) if isinstance(fill[0], list) else [str(fill[0])]
            return ", ".join(node.option(name).label for name in names)
        return self._written(node, fill)

    def _bad_lines(self, prompt: Prompt) -> Iterator[str]:
        count = len(prompt.standings)
        yield "xyz"
        yield " ".join(["1"] * (count + 1))
        for at, standing in enumerate(prompt.standings):
            node = standing.node
            assert isinstance(node, Question)
            tokens = ["1"] * count
            if node.kind == "integer":
                tokens[at] = "12,5"
                yield "; ".join(tokens)
            if not node.unknown:
                tokens[at] = "?"
                yield " ".join(tokens)


def _is_long(node: Question) -> bool:
    """Whether its choices are too many to be shown."""
    return node.autocomplete and len(node.options) > MOST_SHOWN


def _keeps(standing: Standing, fill: Fill) -> bool:
    node = standing.node
    assert isinstance(node, Question)
    assert standing.scene
    return is_valid(node, seen(node, fill), standing.offered, standing.scene)


def _beside(standing: Standing, names: Mapping[str, Value]) -> Standing:
    """A place of a line as it is when the numbers before it are said."""
    assert standing.scene
    return replace(standing, scene=replace(standing.scene, names={**standing.scene.names, **names}))


def _token(fill: Fill) -> str:
    if fill[0] == "":
        return "?"
    return f"{'~' if len(fill) > 1 else ''}{fill[0]}"
