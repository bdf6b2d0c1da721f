"""What people take away, as the proof of documents opens it: a long name, awkward texts, everything answered."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from bot.documents import form_docx, instruments_xlsx, my_data_xlsx
from content.everything import Content, load_content
from content.forms import Question
from handlers.fills import KEPT_APART, NOT_KNOWN, PASSED, Fill
from handlers.responses import Draft, Held, HeldConsent, HeldValue
from handlers.walk import Walk

TODAY = date(2026, 11, 25)
CODE, SHOWN_CODE = "KQ7MXW29RTB4", "KQ7M-XW29-RTB4"
LONG = (
    "Công ty trách nhiệm hữu hạn một thành viên chế biến, kinh doanh và xuất nhập khẩu thủy sản, lâm sản, đá ốp lát"
    " Hoài Nhơn – Bồng Sơn – Tam Quan, chi nhánh Quy Nhơn Đông"
)
AWKWARD = ("=1+1", "Nguyễn Đức", "0100109106", "dòng một\ndòng hai", "@SUM(A1) ẵ ộ ữ ỹ Ằ Ổ", "rất vui 😀")

CHOSEN: Mapping[str, Fill] = {
    "enterprise": Fill(LONG),
    "legal_form": Fill("service_body"),
    "tax_code": Fill("0100109106"),
    "sector": Fill("wood"),
    "instrument_types": Fill(("truck_scale", "wood_moisture", "pressure_gauge", "other"), "", "Máy đo bụi"),
    "instrument_count.truck_scale": Fill(1200),
    "instrument_count.wood_moisture": Fill(3, "~"),
    "instrument_count.other": NOT_KNOWN,
    "difficulties": Fill(("cost", "not_available")),
    "needs": Fill(("training", "verification")),
}


def answered(content: Content) -> Draft:
    """A firm's response with everything answered that is asked, in the order in which it is asked."""
    form = content.forms["demand_survey"]
    walk = Walk(form, {}, TODAY)
    while prompt := walk.next() or walk.next(later=True):
        walk, _ = walk.after({place.name: _fill(place.question, place.name) for place in prompt.places})
    return Draft(CODE, form, 2026, "submitted", walk.fills)


def _fill(question: Question, place: str) -> Fill:
    if place in CHOSEN:
        return CHOSEN[place]
    if question.row.personal:
        return KEPT_APART
    match question.kind:
        case "text":
            return Fill("\n".join(AWKWARD))
        case "integer":
            return Fill(12)
        case "date":
            return Fill("2027-03" if question.row.appearance == "month-year" else "2024-03-15")
        case "select_multiple":
            return Fill(tuple(choice.name for choice in question.choices if not choice.exclusive)[:3])
        case _:
            return Fill(question.choices[0].name) if question.choices else PASSED


def _form(path: Path) -> None:
    content = load_content()
    path.write_bytes(form_docx(answered(content), {"contact": "0905 123 456"}, content, TODAY))


def _unfinished(path: Path) -> None:
    content = load_content()
    draft = Draft(CODE, content.forms["demand_survey"], 2026, "partial", {"consent": Fill("yes")})
    path.write_bytes(form_docx(draft, {}, content, TODAY))


def _instruments(path: Path) -> None:
    content = load_content()
    path.write_bytes(instruments_xlsx(answered(content), content, TODAY))


def _my_data(path: Path) -> None:
    content = load_content()
    values = tuple(HeldValue("Khảo sát nhu cầu đo lường", 2026, "Liên hệ", text) for text in (LONG, *AWKWARD))
    held = Held(values, (HeldConsent("survey", "yes", TODAY, "2026-11"),), (CODE,))
    path.write_bytes(my_data_xlsx(held, [answered(content)], content))


# A name, what writes the file, and what must be readable on its pages.
PAPERS: tuple[tuple[str, Callable[[Path], None], tuple[str, ...]], ...] = (
    ("form.docx", _form, (LONG, *AWKWARD, "0905 123 456", "Máy đo bụi", "ĐẠI DIỆN ĐƠN VỊ", SHOWN_CODE)),
    ("unfinished-form.docx", _unfinished, ("(phiếu chưa gửi)", "(chưa trả lời)")),
    ("instruments.xlsx", _instruments, (LONG, "Cân ô tô", "khoảng 3", "không biết", "Máy đo bụi")),
    ("my-data.xlsx", _my_data, (LONG, *AWKWARD, SHOWN_CODE)),
)
