"""A run from the command line: the parts brought together, and taken apart again in order."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from station.cli.byte_progress import byte_progress
from station.cli.exit_code import ExitCode
from station.content.catalog import Catalog
from station.content.manifest import Manifest
from station.content.offers import gather_offers
from station.content.profile import Profile
from station.content.sample import ensure_generated
from station.content.selection import Offer
from station.dashboard.view import View
from station.hotplug.events import Hub
from station.job.order import OrderBook
from station.ledger.ledger import Ledger
from station.ledger.records import Tally
from station.supervisor.supervisor import RunName, Supervisor
from station.usb.guard import LARGEST_CAPACITY_BYTES, GuardPolicy, ProtectedDrive

_STOP_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done, found complete before the first drive is touched.

    Attributes:
        profile: what drives are to become.
        offers: its bundles.
        reloads: whether to load drives anew that passed under this profile before.
    """

    profile: Profile
    offers: tuple[Offer, ...]
    reloads: bool


def prepare(root: Path, profile_name: str, content: Path | None, *, reloads: bool = False) -> Work:
    """Load a profile and find all its files; make those that the station makes itself.

    Raises:
        OperatorError: when something is missing or wrong.
    """
    catalog = Catalog(root)
    profile = catalog.profile(profile_name)

    def generate(manifest: Manifest, folder: Path) -> None:
        with byte_progress(f"Making {manifest.name}", manifest.total_bytes) as progress:
            ensure_generated(manifest, folder, progress)

    return Work(profile, gather_offers(catalog, profile, content, generate), reloads)


def guard_policy(
    profile: Profile,
    *,
    taught_ports: frozenset[str] = frozenset(),
    any_port: bool = False,
    protected: tuple[str, ...] = (),
) -> GuardPolicy:
    """What the guard lets pass: the profile's size limits and the operator's options.

    Raises:
        OperatorError: when a protected drive is not named properly.
    """
    limits = profile.drive
    return GuardPolicy(
        taught_ports=taught_ports,
        any_port=any_port,
        min_capacity_bytes=limits.min_capacity_bytes or 1,
        max_capacity_bytes=limits.max_capacity_bytes or LARGEST_CAPACITY_BYTES,
        protected=tuple(ProtectedDrive.parse(text) for text in protected),
    )


@dataclass(frozen=True, slots=True)
class Record:
    """Where a run is written down.

    Attributes:
        ledger: path or URL of the ledger.
        batch: name of the batch; empty for none.
    """

    ledger: str
    batch: str


def supervise(work: Work, hub: Hub, book: OrderBook, *, record: Record, view: View) -> Tally:
    """Let the station work until the hub is exhausted or the operator stops it.

    Raises:
        StationError: when the station failed.
    """
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(record.ledger))
        ledger.begin_run(work.profile.name, record.batch)
        supervisor = Supervisor(
            RunName(work.profile, record.batch),
            hub=hub,
            book=book,
            ledger=ledger,
            view=view,
            reloads=work.reloads,
        )
        stack.enter_context(_stopped_by_signals(supervisor))
        return supervisor.run()


def exit_code_of(tally: Tally) -> ExitCode:
    """What a run's verdicts mean to the caller."""
    all_passed = not (tally.failed or tally.refused)
    return ExitCode.ALL_PASSED if all_passed else ExitCode.NOT_ALL_PASSED


@contextmanager
def _stopped_by_signals(supervisor: Supervisor) -> Iterator[None]:
    """Ctrl-C asks once for the end; a second one, or SIGTERM, asks for it at once."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        supervisor.request_stop()

    def terminate(_number: int, _frame: FrameType | None) -> None:
        for _ in range(_STOP_AT_ONCE):
            supervisor.request_stop()

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, interrupt),
        signal.SIGTERM: signal.signal(signal.SIGTERM, terminate),
        signal.SIGHUP: signal.signal(signal.SIGHUP, terminate),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
