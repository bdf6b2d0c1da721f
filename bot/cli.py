"""The commands. Each imports what it needs when it runs, so that `--help` answers at once."""

import sys
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
def migrate() -> None:
    """Bring the database to the shape this version needs."""
    from bot.commands import migrate_database

    migrate_database()


def main() -> None:
    """Run the command line."""
    app()
