"""Where a conversation stands, as it is kept."""

import pytest

from handlers.messages import Choice
from handlers.people import State, StateUnreadable, load_state

SHOWN = (Choice("Một", "form:1", also=("mot", "có")), Choice("Trang", "form:2", "https://a.example"))
ASIDE = (Choice("bỏ qua", "form:skip", also=("bo",), aside=True), *SHOWN, Choice("?", "form:?", aside=True))


@pytest.mark.parametrize("screen", [(), SHOWN, ASIDE], ids=["none", "numbered", "aside"])
def test_a_state_is_read_as_it_was_written(screen: tuple[Choice, ...]) -> None:
    state = State("form", 1, (("question", "«q»"),), screen)

    assert load_state(state.dump()) == state


def test_a_state_without_asides_is_kept_as_it_always_was() -> None:
    stored = '["form",1,{},[["Một","form:1",null,"mot","có"],["Trang","form:2","https://a.example"]]]'

    assert load_state(stored) == State("form", 1, (), SHOWN)
    assert load_state(stored).dump() == stored


@pytest.mark.parametrize("stored", ["", "{}", '["form",1,{}]', '["form",1,{},[],7]', '["form",1,{},[[]]]'])
def test_anything_else_is_unreadable(stored: str) -> None:
    with pytest.raises(StateUnreadable):
        load_state(stored)
