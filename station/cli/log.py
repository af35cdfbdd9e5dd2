"""`station log`: what became of every drive, from the ledger."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from station.cli.log_export import write_csv, write_json
from station.cli.log_table import print_table
from station.cli.moment import first_moment, last_moment
from station.cli.options import JsonFlag, LedgerLocation
from station.errors import OperatorError
from station.ledger.ledger import Ledger
from station.ledger.location import default_location
from station.ledger.records import JobFilter, JobOrder
from station.verdict import Outcome


def log(  # noqa: PLR0913 - one parameter an option
    *,
    verdict: Annotated[
        list[Outcome] | None,
        typer.Option(
            metavar="pass|fail|refused",
            help="Only jobs that ended so; may be given several times.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help='Only jobs that started then or later: 2026-01-31, "2026-01-31 14:30", today, '
            'yesterday, "2 days" (ago). Local time.',
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only jobs that started then or earlier, written likewise; a day counts in full.",
        ),
    ] = None,
    batch: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only jobs of this batch.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Only the last N jobs of the list: the newest, the slowest."
        ),
    ] = None,
    sort: Annotated[
        JobOrder,
        typer.Option(
            metavar="KEY",
            help=f"What to sort by: {', '.join(JobOrder)}. The newest, the slowest, the most"
            " retries or the longest pause comes last.",
        ),
    ] = JobOrder.STARTED,
    reverse: Annotated[
        bool, typer.Option("--reverse", help="Show the list the other way round.")
    ] = False,
    json: JsonFlag = False,
    csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV (RFC 4180) for spreadsheets.")
    ] = False,
    ledger: LedgerLocation = "",
) -> None:
    """Show what became of every drive, the newest last.

    A drive that passed only because an operation was tried again is called marginal.
    """
    if json and csv:
        raise OperatorError("--json and --csv exclude each other", "Choose one.")
    chosen = _filter(verdict, since, until, batch)
    wanted = replace(chosen, limit=limit, order=sort, is_reversed=reverse)
    with Ledger.open(ledger or default_location(), read_only=True) as opened:
        jobs = opened.jobs(wanted)
        if json:
            write_json(jobs, sys.stdout)
        elif csv:
            write_csv(jobs, sys.stdout)
        else:
            print_table(jobs, sort, empty=_empty_line(opened, chosen))
    # A reader who left must be noticed here, where it is handled, not in the interpreter's exit.
    sys.stdout.flush()


def _filter(
    verdict: list[Outcome] | None,
    since: str | None,
    until: str | None,
    batch: str | None,
) -> JobFilter:
    now = datetime.now(UTC)
    first = None if since is None else first_moment(since, now)
    last = None if until is None else last_moment(until, now)
    if first is not None and last is not None and first > last:
        raise OperatorError(f"--since {since} lies after --until {until}", "Swap them.")
    return JobFilter(frozenset(verdict or ()), first, last, batch)


def _empty_line(ledger: Ledger, chosen: JobFilter) -> str:
    if chosen == JobFilter():
        return f"The ledger {ledger.path} holds no job yet."
    return f"No job in the ledger {ledger.path} matches."
