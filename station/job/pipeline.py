"""The way of one drive from its acceptance to its verdict."""

import random
import time
from collections.abc import Callable, Iterable

from station.content.profile import ErasePolicy, ReadBack
from station.content.source import SourceChangedError
from station.device.drive import Drive
from station.image.identity import VolumeIdentity
from station.image.image import Image, plan_pattern
from station.job.chunk import CHUNK_BYTES, chunk_buffers
from station.job.counted_drive import CountedDrive
from station.job.identity import read_identity
from station.job.load import load
from station.job.order import WIPE_PATTERNS, Order
from station.job.probe import Probe
from station.job.progress import Progress
from station.job.sampling import sample_ranges
from station.job.scan import SharedScan
from station.job.seal import clear_seal, seal
from station.job.state import State
from station.job.verify import Checker, MismatchError, chunked, verify
from station.text import printable
from station.verdict import PASSED, DriveFailedError, FailReason, Verdict, failed


def make(
    order: Order,
    identity: VolumeIdentity,
    drive: Drive,
    progress: Progress,
    before_seal: Callable[[], None] = lambda: None,
) -> Verdict:
    """Probe, wipe, load, verify and seal one drive.

    Whatever the verdict, nothing is raised for a fault of the drive or of a bundle's file; and
    unless it is a pass, sector 0 is zero, as far as the drive still lets itself be written to.

    Args:
        order: the work.
        identity: the volume's own numbers.
        drive: the drive.
        progress: the counters of the job.
        before_seal: called when all else was read back and found right. What it raises goes
            through, and the drive stays unsealed.
    """
    started_ns = time.time_ns()
    image = order.volume.image(identity)
    counted = CountedDrive(drive, progress)
    buffers = chunk_buffers()
    try:
        probe = Probe(counted) if order.probes else None
        if probe is not None:
            progress.enter(State.PROBE, probe.transfer_bytes)
            probe.run()
        if order.erase is ErasePolicy.TWO_PASS:
            progress.enter(State.WIPE, image.capacity_bytes * len(WIPE_PATTERNS))
            nothing_to_share = SharedScan(order.source)
            for value in WIPE_PATTERNS:
                pattern = plan_pattern(image.capacity_bytes, image.sector_bytes, value)
                load(pattern, nothing_to_share, counted, buffers, on_written=_watching(probe))
                probe = None
        progress.enter(State.LOAD, image.transfer_bytes)
        load(image, order.scan, counted, buffers, on_written=_watching(probe))
        if probe is not None:
            probe.clear(image.extents)
        spans = list(_verify_spans(order, image))
        progress.enter(State.VERIFY, sum(end - start for start, end in spans))
        verify(Checker(image, order.digests, bytes(image.sector_bytes)), spans, counted, buffers)
        progress.enter(State.SEAL)
        before_seal()
        seal(counted, image.seal)
    except (DriveFailedError, MismatchError, SourceChangedError) as error:
        verdict = _verdict_of(error, order, started_ns)
        if verdict.reason is not FailReason.REMOVED:
            verdict = withdraw(drive, verdict)
        progress.enter(State.FAILED)
        return verdict
    progress.enter(State.PASSED)
    return PASSED


def _watching(probe: Probe | None) -> Callable[[int, int], None]:
    """Who is told what the first pass has written: the stamps lie in the rest."""
    return probe.loaded if probe is not None else lambda _start_bytes, _end_bytes: None


def withdraw(drive: Drive, verdict: Verdict) -> Verdict:
    """Make sure that a drive can't be mounted that did not pass, or whose pass is not recorded.

    Its sector 0 is cleared whatever was found there before: also the first clearing may have been
    what failed.

    Returns:
        The verdict; its detail says so when the drive would not let go of its seal.
    """
    try:
        clear_seal(drive)
    except (OSError, DriveFailedError) as error:
        note = f"sector 0 could not be cleared: {error}"
        return Verdict(verdict.outcome, verdict.reason, f"{verdict.detail}; {note}".strip("; "))
    return verdict


def read_back(order: Order, drive: Drive, progress: Progress) -> Verdict:
    """Hold a drive that was loaded before against what it should hold; writes nothing.

    The numbers that are the drive's own are taken from itself; all other bytes are compared.
    """
    started_ns = time.time_ns()
    counted = CountedDrive(drive, progress)
    try:
        identity = read_identity(order.volume.geometry, counted)
        image = order.volume.image(identity)
        spans = list(_verify_spans(order, image))
        progress.enter(State.VERIFY, sum(end - start for start, end in spans))
        checker = Checker(image, order.digests, image.seal)
        verify(checker, spans, counted, chunk_buffers())
    except (DriveFailedError, MismatchError, SourceChangedError) as error:
        progress.enter(State.FAILED)
        return _verdict_of(error, order, started_ns)
    progress.enter(State.PASSED)
    return PASSED


def _verify_spans(order: Order, image: Image) -> Iterable[tuple[int, int]]:
    """The ranges to read back, none longer than a chunk."""
    whole = image.transfer_bytes == image.capacity_bytes
    if order.read_back is ReadBack.FULL or not whole:
        return image.extents.spans(CHUNK_BYTES)
    content_end = order.volume.content_end_bytes
    # Where the samples lie must be anyone's guess, also the drive's.
    samples = sample_ranges(
        content_end, image.capacity_bytes, image.sector_bytes, random.SystemRandom()
    )
    return chunked([(0, content_end), *samples])


def _verdict_of(
    error: DriveFailedError | MismatchError | SourceChangedError, order: Order, started_ns: int
) -> Verdict:
    match error:
        case DriveFailedError():
            return error.verdict
        case SourceChangedError():
            return failed(FailReason.SOURCE_CHANGED, str(error))
        case MismatchError():
            return _judge_mismatch(error, order, started_ns)


def _judge_mismatch(error: MismatchError, order: Order, started_ns: int) -> Verdict:
    """Whose fault a difference is: the drive's, unless the file itself is another one by now."""
    if error.file is None:
        return failed(FailReason.VERIFY_MISMATCH, str(error))
    try:
        order.source.require_unchanged(error.file, started_ns)
    except SourceChangedError as changed:
        return failed(FailReason.SOURCE_CHANGED, str(changed))
    path = printable(order.source.files[error.file].entry.path)
    return failed(FailReason.VERIFY_MISMATCH, f"{error}: {path}")
