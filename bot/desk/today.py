"""«Hôm nay»: what exists, what is new, what waits; other modules add their blocks."""

from datetime import datetime, time

from bot.desk.frame import Block, Page, Pages, Visit
from handlers.router import SURVEY_FORM
from storage import enterprises, overview

pages = Pages()
pages.entry("desk_nav_today", "/desk", place=10)


@pages.get("/desk")
def today(visit: Visit) -> Page:
    """Every block that has something to say to this officer."""
    seen = [one for one in visit.desk.blocks if one.role is None or visit.staff.may(one.role)]
    found = [one.blocker(visit) for one in seen if one.blocker]
    return Page("today.html", blocks=[one for one in found if one])


@pages.block(place=10)
def survey(visit: Visit) -> Block:
    """How the survey of this year stands."""
    now = visit.at.astimezone(visit.desk.app.settings.zone)
    morning = datetime.combine(now.date(), time.min, now.tzinfo)
    counted = overview.answers(visit.db, SURVEY_FORM, now.year, morning)
    lines = [
        (visit.say("desk_today_new"), counted.new, ""),
        (visit.say("desk_today_submitted"), counted.submitted, ""),
        (visit.say("desk_today_partial"), counted.partial, ""),
    ]
    note = "" if counted.submitted or counted.partial else visit.say("desk_today_no_answers")
    return Block(visit.say("desk_today_survey", year=now.year), lines, note)


@pages.block(place=20)
def register(visit: Visit) -> Block:
    """How many enterprises the register has."""
    total = enterprises.total(visit.db)
    lines = [(visit.say("desk_today_enterprises"), total, "/desk/enterprises")]
    return Block(visit.say("desk_nav_enterprises"), lines, "" if total else visit.say("desk_no_enterprises"))


@pages.block(place=90)
def questions(visit: Visit) -> Block | None:
    """How many questions were handed to staff."""
    number = overview.handed(visit.db)
    if not number:
        return None
    return Block(visit.say("desk_today_questions"), [(visit.say("desk_today_handed"), number, "")])
