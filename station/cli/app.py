"""The `station` command: its parts, and the one place where errors become exit codes."""

import os
import sys
from typing import NoReturn

import typer

from station.cli import doctor, install, load, log, manifest, plan, ports, profile, run, verify
from station.cli.console import print_error
from station.cli.exit_code import ExitCode
from station.errors import OperatorError, StationError

# What shells make of a program that Ctrl-C ended.
_INTERRUPTED = 130

app = typer.Typer(
    name="station",
    help="Wipes donated USB sticks, loads them with a content bundle and verifies every byte.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.callback()(lambda: None)  # so that the name of a command is always asked for
app.command("run")(run.run)
app.command("load")(load.load)
app.command("verify")(verify.verify)
app.command("plan")(plan.plan)
app.command("log")(log.log)
app.command("doctor")(doctor.doctor)
app.command("install")(install.install)
app.command("uninstall")(install.uninstall)
app.add_typer(manifest.app, name="manifest")
app.add_typer(profile.app, name="profile")
app.add_typer(ports.app, name="ports")


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    command = typer.main.get_command(app)
    try:
        # Not by `app()`, which prints a box of five lines for a wrong option, takes a reader that
        # left for an error, and exits by itself.
        with command.make_context("station", sys.argv[1:]) as context:
            command.invoke(context)
    except typer.Exit as end:
        sys.exit(end.exit_code)
    except typer.TyperException as error:
        # Without any argument the help was shown, and nothing is left to say.
        if message := error.format_message():
            print_error(OperatorError(message.rstrip("."), _hint_on(error)))
        _exit(ExitCode.REFUSED)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except StationError as error:
        print_error(error)
        _exit(ExitCode.REFUSED if isinstance(error, OperatorError) else ExitCode.STATION_FAILED)
    except BrokenPipeError:
        # The reader (`head`, `less`) left: no error of ours, but nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _exit(ExitCode.ALL_PASSED)
    _exit(ExitCode.ALL_PASSED)


def _hint_on(error: typer.TyperException) -> str:
    path = getattr(getattr(error, "ctx", None), "command_path", "station")
    return f"See {path} --help."


def _exit(code: ExitCode) -> NoReturn:
    sys.exit(int(code))
