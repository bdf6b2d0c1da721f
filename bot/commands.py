"""What the commands do."""

import asyncio
import json
import socket
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.settings import Settings, SettingsError, fail, read_settings, unknown_settings
from content.everything import Content, load_content
from content.load import ContentError
from content.model import Office, Plan
from storage.errors import StoreError, is_unavailable

if TYPE_CHECKING:  # writers of files load only when a file is written
    from bot.desk.doors import StaffCommand
    from bot.exports import Format, Order
    from storage.database import Database
    from storage.staff import Role


def serve() -> None:
    """`run`: migrate a new database, refuse a newer one, serve until SIGTERM."""
    from bot.logs import set_up
    from bot.server import listening_socket

    settings = _settings()
    set_up(settings.log_format)
    try:
        bound = listening_socket(settings.host, settings.port)
    except OSError as error:
        place = f"{settings.host}:{settings.port}"
        fail(f"cannot listen on {place}: {error.strerror or error} (DOLUONG_HOST, DOLUONG_PORT)")
    address = settings.public_url or f"http://{settings.host}:{bound.getsockname()[1]}"
    app = _assembled(settings.model_copy(update={"public_url": address}))  # links in messages lead here
    invitation = _first_invitation(app)
    print(f"{address}", flush=True)
    if invitation:
        print(invitation, flush=True)
    _run(_served(app, bound))


def _first_invitation(app: Any) -> str | None:
    """The sentence with the first administrator's one-time link, until somebody has used one."""
    from bot.app import desk_link
    from bot.desk.doors import invite_first
    from bot.desk.frame import drawn, new_ref

    say, token = app.content.say, drawn()
    try:
        with app.database.writer.begin() as connection:
            name = say("vi", "staff_first_admin")
            invited = invite_first(connection, name, new_ref(), token, app.now())
    except Exception as error:  # noqa: BLE001  told in one sentence, or raised again
        _fail_for(error)
    return say("vi", "staff_first_link", link=desk_link(app.settings, token)) if invited else None


async def _served(app: Any, bound: socket.socket) -> None:
    from bot.server import Service

    await Service(app).serve(bound)


def check_everything() -> None:
    """`check`: validate content and settings; exit 1 with the first thing that is wrong."""
    from storage.database import open_database

    content, settings = _content(), _settings()
    try:
        open_database(settings.database_url.get_secret_value())
    except ValueError as error:
        fail(f"DOLUONG_DATABASE_URL: {error}")
    for warning in (*unknown_settings(), *_silent(settings), *_unknown(content.office), *_closed(content)):
        print(f"warning: {warning}")
    plan = content.plan
    print(
        f"content: {len(plan.sections)} sections, {len(plan.tasks)} tasks, {len(content.forms)} forms,"
        f" {len(content.say.keys())} texts: good"
    )


def print_plan(*, as_json: bool) -> None:
    """`plan`: every item and cell of the source."""
    plan = _content().plan
    if as_json:
        print(json.dumps(plan_rows(plan), ensure_ascii=False, indent=1))
        return
    for row in plan_rows(plan):
        print(f"{row['id']}  {row['title']}\n{row['text']}")
        for cell in ("lead", "cooperating", "time", "funding"):
            if cell in row:
                print(f"  {cell}: {row[cell] or '-'}")
        print()


def plan_rows(plan: Plan) -> list[dict[str, str | None]]:
    """The plan as `plan --json` prints it: sections, then the tasks of the appendix."""
    sections: list[dict[str, str | None]] = [
        {"id": section.id, "title": section.title, "text": section.text} for section in plan.sections
    ]
    return sections + [task.model_dump() for task in plan.tasks]


def answer_questions(questions: Iterable[str], *, as_json: bool) -> None:
    """`ask`: what the assistant would answer; an empty line is a question too."""
    from handlers.hearing import Hearing

    hearing = Hearing(_content())
    for line in questions:
        said = hearing(_readable(line.rstrip("\r\n")))
        found = said.answers[said.understood.language]
        print(json.dumps(answer_row(found), ensure_ascii=False) if as_json else found.text, flush=True)


def answer_row(found: Any) -> dict[str, Any]:
    """An answer as `ask --json` prints it."""
    runner_up = found.runner_up
    return {
        "kind": found.kind,
        "text": found.text,
        "citations": list(found.citations),
        "source": found.source,
        "service": found.service,
        "score": round(found.score, 4),
        "runner_up": {"id": runner_up[0], "score": round(runner_up[1], 4)} if runner_up else None,
        "suggestions": list(found.suggestions),
    }


def talk(name: str, *, as_json: bool, save: Path | None) -> None:
    """`chat`: a person at this terminal."""
    from bot.channels.terminal import PEOPLE, PROGRAM, Terminal, people_mode, program_mode
    from bot.logs import set_up

    if save and not save.absolute().parent.is_dir():
        fail(f"--save: there is no folder {save.absolute().parent}")
    app = _assembled()
    set_up(app.settings.log_format)
    terminal = Terminal(app, _readable(name), save, PROGRAM if as_json else PEOPLE, app.files)
    _run(program_mode(terminal) if as_json else people_mode(terminal))


def migrate_database() -> None:
    """`migrate`: apply what is missing."""
    from storage.database import open_database
    from storage.migrate import migrate

    try:
        database = open_database(_settings().database_url.get_secret_value())
        applied = migrate(database)
    except ValueError as error:
        fail(f"DOLUONG_DATABASE_URL: {error}")
    except Exception as error:  # noqa: BLE001  told in one sentence, or raised again
        _fail_for(error)
    print(f"applied: {', '.join(applied)}" if applied else "nothing to apply")


def adopt_database() -> None:
    """`migrate --adopt`: from now on the database is this installation's, and may speak."""
    from storage import installation
    from storage.database import open_database

    settings = _settings()
    if settings.instance is None:
        fail("DOLUONG_INSTANCE: set it to the name of this installation")
    database = open_database(settings.database_url.get_secret_value())
    try:
        with database.writer.begin() as connection:
            installation.adopt(connection, settings.instance, datetime.now(UTC))
    except Exception as error:  # noqa: BLE001  told in one sentence, or raised again
        _fail_for(error)
    finally:
        database.close()
    print(f"the database belongs to {settings.instance}")


def export_responses(order: "Order") -> None:
    """`export survey`: every response to a form in one file."""
    from bot.exports import ExportError, export_survey
    from storage.database import open_database

    content, settings = _content(), _settings()
    try:
        database = open_database(settings.database_url.get_secret_value())
    except ValueError as error:
        fail(f"DOLUONG_DATABASE_URL: {error}")
    try:
        print(export_survey(database, content.say, settings.zone, order))
    except ExportError as error:
        fail(error)
    except Exception as error:  # noqa: BLE001  told in one sentence, or raised again
        _fail_for(error)
    finally:
        database.close()


def export_register(out: Path, format: "Format") -> None:
    """`export enterprises`: the register in one file."""
    from bot.exports import ExportError
    from bot.register.written import export_enterprises

    content, settings = _content(), _settings()
    database = _database(settings)
    try:
        print(export_enterprises(database, content, settings.zone, out, format))
    except ExportError as error:
        fail(error)
    except Exception as error:  # noqa: BLE001  told in one sentence, or raised again
        _fail_for(error)
    finally:
        database.close()


def import_list(file: Path, sheet: str | None, *, dry_run: bool, yes: bool, undo: bool) -> None:
    """`import enterprises`: the right rows of a list into the register."""
    from bot.register.command import Asked, ExportError, ListCommand, ListError

    content, settings = _content(), _settings()
    database = _database(settings)
    try:
        ListCommand(content, settings, database).run(Asked(file, sheet, dry_run, yes, undo))
    except (ListError, ExportError) as error:
        fail(error)
    except Exception as error:  # noqa: BLE001  told in one sentence, or raised again
        _fail_for(error)
    finally:
        database.close()


def export_audit(out: Path, format: "Format") -> None:
    """`export audit`: what staff did, in one file."""
    from bot.desk.written import export_audit as write
    from bot.exports import ExportError

    content, settings = _content(), _settings()
    database = _database(settings)
    try:
        print(write(database, content, settings.zone, out, format))
    except ExportError as error:
        fail(error)
    except Exception as error:  # noqa: BLE001  told in one sentence, or raised again
        _fail_for(error)
    finally:
        database.close()


def invite_staff(name: str, role: "Role", unit: str, email: str | None, *, again: bool) -> None:
    """`staff invite`: somebody new, or a new link for somebody who is there."""
    from bot.desk.doors import StaffCommand

    _staff_command(lambda command: StaffCommand.invite(command, name, role, unit, email, again=again))


def list_staff() -> None:
    """`staff list`: who may come in."""
    from bot.desk.doors import StaffCommand

    _staff_command(StaffCommand.every)


def revoke_staff(name: str) -> None:
    """`staff revoke`: end somebody's access."""
    from bot.desk.doors import StaffCommand

    _staff_command(lambda command: StaffCommand.revoke(command, name))


def _staff_command(act: Callable[["StaffCommand"], str]) -> None:
    """Print what an act on the staff says."""
    from bot.desk.doors import RefusedStaff, StaffCommand
    from storage.migrate import ready

    content, settings = _content(), _settings()
    database = _database(settings)
    try:
        ready(database)
        with database.writer.begin() as connection:
            said = act(StaffCommand(connection, content.say, settings, datetime.now(UTC)))
    except RefusedStaff as error:
        fail(error)
    except Exception as error:  # noqa: BLE001  told in one sentence, or raised again
        _fail_for(error)
    finally:
        database.close()
    print(said)


def export_form(form_id: str, out: Path) -> None:
    """`export form`: the form as an XLSForm workbook, as officers and other tools read it."""
    from content.xlsform import write_workbook

    content = _content()
    form = content.forms.get(form_id)
    if form is None:
        fail(content.say("vi", "export_form_unknown", form=form_id))
    try:
        write_workbook(form.file, out)
    except (OSError, ValueError) as error:
        fail(f"{out}: {error}")
    print(content.say("vi", "export_form_done", form=form_id, version=form.version, file=out))


def _database(settings: Settings) -> "Database":
    from storage.database import open_database

    try:
        return open_database(
            settings.database_url.get_secret_value(), busy_seconds=settings.database_busy_seconds
        )
    except ValueError as error:
        fail(f"DOLUONG_DATABASE_URL: {error}")


def _assembled(settings: Settings | None = None) -> Any:
    """The app on a database that fits; ends the program with one sentence otherwise."""
    from bot.app import assemble

    _content()
    settings = settings or _settings()
    try:
        app = assemble(settings)
        app.open()
    except ValueError as error:
        fail(f"DOLUONG_DATABASE_URL: {error}")
    except Exception as error:  # noqa: BLE001  told in one sentence, or raised again
        _fail_for(error)
    return app


def _fail_for(error: Exception) -> None:
    if isinstance(error, StoreError):
        fail(error)
    if is_unavailable(error):
        fail(f"the database cannot be used: {getattr(error, 'orig', error)}")
    raise error


def _run(main: Any) -> None:
    if sys.platform == "win32":
        asyncio.run(main)
        return
    import uvloop

    try:
        uvloop.run(main)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _content() -> Content:
    try:
        return load_content()
    except ContentError as error:
        fail(error)


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        fail(error)


def _unknown(office: Office) -> list[str]:
    """What the office has not told yet; its sentences are left out."""
    return [
        f"content/office.yaml: {key}: unknown, its sentence is left out"
        for key, value in office.model_dump().items()
        if value is None
    ]


def _silent(settings: Settings) -> list[str]:
    """Why channels to people outside would not open, or not be reached."""
    if settings.telegram_token is None:
        return []
    found = []
    if settings.instance is None:
        found.append("DOLUONG_INSTANCE: unset, so Telegram stays closed")
    if settings.telegram_mode == "webhook" and not (settings.public_url or "").startswith("https://"):
        found.append("DOLUONG_PUBLIC_URL: Telegram brings updates to https:// addresses only")
    return found


def _closed(content: Content) -> list[str]:
    """What stays closed outside demonstration mode."""
    from handlers.router import may_ask

    if may_ask(content):
        return []
    return ["content/office.yaml: the survey stays closed until phone or email, and retention, are known"]


def _readable(line: str) -> str:
    from bot.conversation import clean

    return clean(line)
