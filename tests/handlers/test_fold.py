"""Folding: what people type, made comparable."""

import pytest

from handlers.fold import fold, plain_words, words_of


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Đo lường", "do luong"),
        ("ĐO  LƯỜNG\n", "do luong"),
        ("đo lu\u031bo\u031b\u0300ng", "do luong"),
        ("", ""),
        ("🙂", "🙂"),
    ],
)
def test_fold(typed: str, folded: str) -> None:
    """Case, marks, đ and runs of white space do not count, in any Unicode form."""
    assert folded == fold(typed)


def test_numbers_and_names() -> None:
    """A number keeps no leading zero; a standard's name stays one word."""
    assert plain_words("ít nhất 05 TCVN ISO/IEC 17025") == ["it", "nhat", "5", "tcvn", "iso/iec", "17025"]
    assert plain_words("ISO/IEC 17025:2017, 2.5: tấn") == ["iso/iec", "17025:2017", "2.5", "tan"]


def test_marks_may_be_left_out_but_not_wrong() -> None:
    """«dung» may be «dừng»; «đúng» may not, and «hoá» is «hóa»."""
    stop, right, bare = words_of("dừng đúng dung")

    assert bare.may_be(stop, alone=True, toned=False)
    assert not bare.may_be(stop, alone=True, toned=True)
    assert not right.may_be(stop, alone=True, toned=False)
    assert words_of("hoá") == words_of("hóa")
