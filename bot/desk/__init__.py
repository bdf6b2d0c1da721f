"""The desk: the pages on which officers work, rendered here, in the web chat's visual language.

To add a page, write a module in this folder:

    from bot.desk.frame import Act, Job, NoSuch, Page, Pages, Visit, Went

    pages = Pages()

    @pages.get("/desk/campaigns/{ref}", role="viewer")
    def campaign(visit: Visit) -> Page:
        found = campaigns.by_ref(visit.db, visit.path["ref"])      # runs in a thread; visit.db only reads
        if found is None:
            raise NoSuch                                            # 404, the same for what is not theirs
        return Page("campaign.html", campaign=found)

    @pages.post("/desk/campaigns/{ref}/close", role="officer", shows=campaign)
    def close(visit: Visit) -> Job:
        reason = visit.form.get("reason", "")                       # check and draw here: raise Fault(key, field="reason")
        def do(connection):                                         # the writer's thread; may run again, so no clock,
            campaigns.close(connection, …, at=visit.at)             # no randomness, no I/O in it; it may raise Fault, too
            return Went("/desk/campaigns?done=campaign_closed", [Act("campaign_closed", "campaign", ref)])
        return do

and name its `pages` in `MODULES` of desk.py. What the frame does: session, role, Origin, the token against forged
requests, a read connection, the act and its lines of the audit in one transaction, the session looked at again inside
it, 303 to where the job leads; on a Fault `shows` is shown again with `visit.fault` and what was typed in `visit.form`
(templates: `typed`). Files that were sent are in `visit.files`, open until the answer
is given (read them before `do`); `largest=` of `post` is how many bytes may come. `Again(acts, {...})` shows `shows` at once with `visit.shown`, for what must never stand in an
address (an unmasked number, a one-time link). After `?done=KEY` the sentence `desk_done_KEY` is shown. A page may return
a Starlette Response instead (a file). `role=None` needs no session.

Templates stand in templates/ and begin with `{% extends "base.html" %}`; blocks `title`, `heading`, `main`. Macros in
parts.html, imported «with context»: `field`, `area`, `select`, `fault_of`, `heading_cell`, `pager`; contacts.html has
`contacts`. Every form that posts has `{{ token }}` in it. Words are keys
`desk_…` of content/messages/*.{vi,en}.yaml: `{{ words.desk_save }}`, `{{ words("desk_found", count=3) }}`. Filters:
`day`, `moment`, `number`, `national`, `masked`. `{{ with_query(sort="name") }}` is this address with another question.
A table is `<table class="table">`, each cell `<td data-label="…">`: on phones it becomes cards. No `style` attributes:
the policy refuses them.

    pages.entry("desk_nav_campaigns", "/desk/campaigns", place=30)   # a word of the rail
    pages.setting("desk_x_title", "/desk/x", "desk_x_about", place=30)   # an entry of «Cài đặt»
    @pages.block(place=20)                                            # something on «Hôm nay»; None: nothing to say
    def waiting(visit: Visit) -> Block | None: …
"""
