"""The commands. Each imports what it needs when it runs, so that `--help` answers at once."""

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="doluong",
    help="doluong, the assistant of a province's measurement plan.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def run() -> None:
    """Serve the web chat until SIGTERM."""
    from bot.commands import serve

    serve()


@app.command()
def check() -> None:
    """Validate content and settings without connecting; exit 1 with file and key."""
    from bot.commands import check_everything

    check_everything()


@app.command()
def plan(as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False) -> None:
    """Print the plan as the assistant knows it."""
    from bot.commands import print_plan

    print_plan(as_json=as_json)


@app.command()
def ask(
    text: Annotated[str | None, typer.Argument(help="The question.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each answer.")] = False,
    from_stdin: Annotated[
        bool, typer.Option("--stdin", help="One question per line of standard input.")
    ] = False,
) -> None:
    """Show what the assistant would answer; touches no conversation and no database."""
    if (text is None) != from_stdin:
        raise typer.BadParameter("give a question, or --stdin")
    from bot.commands import answer_questions

    answer_questions(sys.stdin if from_stdin else [text or ""], as_json=as_json)


@app.command()
def chat(
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="Who you are at this terminal.")] = "me",
    as_json: Annotated[bool, typer.Option("--json", help="Lines in and objects out, for programs.")] = False,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="Write the talk as a transcript.")
    ] = None,
) -> None:
    """Talk to the assistant here, through the same turn, database and outbox as any channel."""
    from bot.commands import talk

    talk(name, as_json=as_json, save=save)


@app.command()
def migrate(
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Make the database DOLUONG_INSTANCE's: after a move, never on a copy."),
    ] = False,
) -> None:
    """Bring the database to the shape this version needs."""
    from bot.commands import adopt_database, migrate_database

    migrate_database()
    if adopt:
        adopt_database()


class Exported(StrEnum):
    """What can be exported."""

    SURVEY = "survey"
    FORM = "form"
    ENTERPRISES = "enterprises"
    AUDIT = "audit"


class FileFormat(StrEnum):
    """What kind of file is written."""

    XLSX = "xlsx"
    CSV = "csv"
    JSONL = "jsonl"


_DAYS = ["%Y-%m-%d", "%d/%m/%Y"]


@app.command()
def export(
    what: Annotated[Exported, typer.Argument(help="What to export.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to write; an older one is replaced.")],
    format: Annotated[FileFormat, typer.Option(help="What kind of file.")] = FileFormat.XLSX,
    form: Annotated[str, typer.Option(metavar="ID", help="Which form.")] = "demand_survey",
    since: Annotated[
        datetime | None, typer.Option(metavar="DATE", formats=_DAYS, help="The first day.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(metavar="DATE", formats=_DAYS, help="The last day.")
    ] = None,
    codes: Annotated[bool, typer.Option("--codes", help="Names of choices and states, not labels.")] = False,
    split: Annotated[
        bool, typer.Option("--split", help="A column for each choice where several may be picked.")
    ] = False,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Leave out what is personal.")] = False,
) -> None:
    """Write into one file: every response (survey), the form itself (form), the register (enterprises), what staff did (audit)."""
    from bot.commands import export_audit, export_form, export_register, export_responses
    from bot.exports import Format, Order
    from handlers.columns import Options

    if what is Exported.FORM:
        export_form(form, out)
        return
    if what is Exported.ENTERPRISES:
        export_register(out, Format(format))
        return
    if what is Exported.AUDIT:
        export_audit(out, Format(format))
        return
    first, last = since and since.date(), until and until.date()
    export_responses(Order(form, Format(format), out, first, last, Options(codes, split, anonymous)))


class Imported(StrEnum):
    """What can be imported."""

    ENTERPRISES = "enterprises"


@app.command("import")
def import_(
    what: Annotated[Imported, typer.Argument(help="What to import.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The list: xlsx, xls or csv.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    sheet: Annotated[str | None, typer.Option(metavar="NAME", help="Which sheet of the workbook.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Import the right rows without asking.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Undo the import of this same file.")] = False,
) -> None:
    """Show what a list of enterprises would do, ask, import the right rows; the others come back in a file."""
    from bot.commands import import_list

    assert what is Imported.ENTERPRISES
    import_list(file, sheet, dry_run=dry_run, yes=yes, undo=undo)


members = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(members, name="staff")


@members.callback()
def staff() -> None:
    """Officers of the desk: invite, list, revoke."""


class StaffRole(StrEnum):
    """What an officer may do."""

    VIEWER = "viewer"
    OFFICER = "officer"
    ADMIN = "admin"


@members.command("invite")
def staff_invite(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who is invited.")],
    role: Annotated[StaffRole, typer.Option(help="What they may do.")] = StaffRole.OFFICER,
    unit: Annotated[str, typer.Option(help="Where they work.")] = "",
    email: Annotated[str | None, typer.Option(help="Where sign-in links may go.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="A new link for somebody invited before; the old one is void.")
    ] = False,
) -> None:
    """Invite an officer and print the one-time link."""
    from bot.commands import invite_staff

    invite_staff(name, role.value, unit, email, again=again)


@members.command("list")
def staff_list() -> None:
    """Print who may come in."""
    from bot.commands import list_staff

    list_staff()


@members.command("revoke")
def staff_revoke(name: Annotated[str, typer.Argument(metavar="NAME", help="Whose access ends.")]) -> None:
    """End an officer's access at once."""
    from bot.commands import revoke_staff

    revoke_staff(name)


def main() -> None:
    """Run the command line."""
    app()
