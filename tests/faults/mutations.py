"""Defects that the tests must find: each takes away one thing on which a promise rests."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change of one place in the station's code.

    Attributes:
        name: what is broken.
        path: the file, from the root of the checkout.
        text: what stands there, exactly once.
        replacement: what is put in its place.
        tests: what pytest is to run; at least one test must fail.
    """

    name: str
    path: str
    text: str
    replacement: str
    tests: tuple[str, ...]

    def apply(self, root: Path) -> str:
        """Change the file below a root.

        Returns:
            What the file held before.

        Raises:
            ValueError: when the text doesn't stand there exactly once: the code was changed, and
                this table has to follow.
        """
        file = root / self.path
        before = file.read_text(encoding="utf-8")
        if (count := before.count(self.text)) != 1:
            raise ValueError(f"{self.name}: its text stands {count} times in {self.path}")
        file.write_text(before.replace(self.text, self.replacement), encoding="utf-8")
        return before


def _drive_sweep(*failures: str, policy: str = "quick") -> tuple[str, ...]:
    test = "test_drive_sweep.py::test_no_failure_of_any_operation_leads_to_a_false_pass"
    return tuple(f"tests/faults/{test}[Failure.{failure}-{policy}]" for failure in failures)


_PIPELINE = "station/job/pipeline.py"
_WORKERS = "station/supervisor/workers.py"
_READ_BACK = """\
        verify(Checker(image, order.digests, bytes(image.sector_bytes)), spans, counted, buffers)
        progress.enter(State.SEAL)
        before_seal()
        seal(counted, image.seal)
"""
_SEAL_FIRST = """\
        seal(counted, image.seal)
        verify(Checker(image, order.digests, image.seal), spans, counted, buffers)
        progress.enter(State.SEAL)
"""
_HANG_SWEEP = ("tests/faults/test_hang_sweep.py", "-k", "quick")
_POWER_CUTS = ("tests/faults/test_crash_sweep.py", "-k", "loses_power and quick")
_FLUSH_ERRORS = ("tests/faults/test_ledger_sweep.py", "-k", "found_later")
_KILLS = ("tests/faults/test_crash_sweep.py", "-k", "killed and quick")
_CLEARED = """\
    sector = aligned_buffer(drive.sector_bytes)
    drive.write(0, sector)
"""
_RETRIED = "                self._progress.retries += 1\n"
_LATE = "            # It was given up as hung, and answered after all.\n"
_ENTERED = """\
                self._ledger.end_job(seat.job, _end_of(seat, verdict))
            seat.verdict = verdict
"""
_TOLD_AND_ENTERED = """\
                self._tell(
                    JobEnded(datetime.now(UTC), seat.port.label, seat.drive, seat.job, verdict)
                )
                __import__("time").sleep(0.2)
                self._ledger.end_job(seat.job, _end_of(seat, verdict))
            seat.verdict = verdict
            return True
"""

MUTATIONS = (
    Mutation(
        "nothing is read back",
        _PIPELINE,
        _READ_BACK,
        _READ_BACK.partition("\n")[2],
        _drive_sweep("FLIPPED_WRITE"),
    ),
    Mutation(
        "the seal is written before the read-back", _PIPELINE, _READ_BACK, _SEAL_FIRST, _HANG_SWEEP
    ),
    Mutation(
        "the seal stays on a stick that failed",
        _PIPELINE,
        "            verdict = withdraw(drive, verdict)\n",
        "            pass\n",
        ("tests/job/test_verdicts.py",),
    ),
    Mutation(
        "only the last of those that share a transaction hears that it failed",
        "station/ledger/group_commit.py",
        "            for request in requests:\n                if not is_durable:\n",
        "            for request in requests:\n"
        "                if not is_durable and request is requests[-1]:\n",
        ("tests/ledger/test_group_commit.py",),
    ),
    Mutation(
        "the content of files is not compared",
        "station/job/verify.py",
        "if piece.is_last and self._hasher.digest() != self._digests[piece.ref]:",
        "if piece.is_last and not self._digests[piece.ref]:",
        _drive_sweep("FLIPPED_WRITE"),
    ),
    Mutation(
        "metadata and erased space are not compared",
        "station/job/verify.py",
        "    if not np.array_equal(found, wanted):\n",
        "    if len(found) != len(wanted):\n",
        _drive_sweep("FLIPPED_WRITE"),
    ),
    Mutation(
        "the seal is not read back",
        "station/job/seal.py",
        "    if _sector_0(drive) != sector_0:\n",
        "    if not sector_0:\n",
        _drive_sweep("FLIPPED_WRITE", "LOST_WRITE"),
    ),
    Mutation(
        "sector 0 is cleared without looking at it",
        "station/job/seal.py",
        "    if _sector_0(drive) != bytes(drive.sector_bytes):\n",
        "    if not drive.sector_bytes:\n",
        ("tests/job/test_verdicts.py",),
    ),
    Mutation(
        "the clearing of sector 0 is not flushed",
        "station/job/seal.py",
        _CLEARED + "    drive.flush()\n",
        _CLEARED,
        _POWER_CUTS,
    ),
    Mutation(
        "the load is not flushed",
        "station/job/load.py",
        "            on_written(start_bytes, start_bytes + len(chunk))\n    drive.flush()\n",
        "            on_written(start_bytes, start_bytes + len(chunk))\n",
        _POWER_CUTS,
    ),
    Mutation(
        "a failed operation is taken for done",
        "station/job/counted_drive.py",
        "                    raise _named(kind, what, error) from error\n" + _RETRIED,
        "                    return 0.0\n" + _RETRIED,
        _drive_sweep("ERROR"),
    ),
    Mutation(
        "the disk sequence number of the opened drive is not checked",
        "station/device/opening.py",
        "    if diskseq != judged:\n",
        "    if diskseq < 0:\n",
        ("tests/device/test_direct.py", "-k", "medium"),
    ),
    Mutation(
        "a transfer may go to another card in the slot",
        "station/device/direct.py",
        '                raise OSError(errno.ENODEV, "another medium is there by now")\n',
        "                pass\n",
        ("tests/device/test_direct.py", "-k", "medium"),
    ),
    Mutation(
        "the disk sequence number that was announced is not checked",
        "station/usb/guard.py",
        "    if announced is None or now == announced:\n",
        "    if announced is None or now is not None:\n",
        ("tests/usb/test_guard.py",),
    ),
    Mutation(
        "a USB 3 port without a USB 2 half goes by the name of another socket",
        "station/usb/ports.py",
        "socket.without_usb2() if bus_mbps(hub_folder) > HIGH_SPEED_MBPS else socket",
        "socket",
        ("tests/usb/test_ports.py",),
    ),
    Mutation(
        "a verdict is told before it stands in the ledger",
        _WORKERS,
        _ENTERED,
        _TOLD_AND_ENTERED,
        ("tests/faults/test_ledger_sweep.py", "-k", "nothing_fails"),
    ),
    Mutation(
        "a pass stays on the stick though its row could not be entered",
        _WORKERS,
        "                withdraw(drive, verdict)\n            raise\n",
        "                pass\n            raise\n",
        ("tests/faults/test_ledger_sweep.py", "-k", "FULL"),
    ),
    Mutation(
        "the seal is taken off a stick whose pass may come to light",
        _WORKERS,
        "        except StationFaultError:\n            return False\n",
        "        except StationFaultError:\n            return True\n",
        _FLUSH_ERRORS,
    ),
    Mutation(
        "the ledger does not know of a seal before it is written",
        _PIPELINE,
        "        before_seal()\n",
        "",
        _FLUSH_ERRORS,
    ),
    Mutation(
        "what may be mountable is not said of an interrupted job",
        "station/ledger/ledger.py",
        "                if orphan.may_be_sealed:\n",
        "                if not orphan.process.pid:\n",
        ("tests/ledger/test_durability.py", "-k", "interrupted"),
    ),
    Mutation(
        "a stick that answers too late keeps its seal",
        _WORKERS,
        _LATE + "            withdraw(drive, verdict)\n",
        "            pass\n",
        _HANG_SWEEP,
    ),
    Mutation(
        "commits do not wait for the disk",
        "station/ledger/connection.py",
        "PRAGMA synchronous = FULL",
        "PRAGMA synchronous = OFF",
        ("tests/ledger/test_durability.py", "-k", "waits_for_the_disk"),
    ),
    Mutation(
        "jobs of a killed station stay open",
        "station/ledger/ledger.py",
        "                _insert_verdict(connection, orphan.job, end, now)\n            run_id",
        "                pass\n            run_id",
        _KILLS,
    ),
    Mutation(
        "a changed file is blamed on the stick",
        _PIPELINE,
        "        order.source.require_unchanged(error.file, started_ns)\n",
        "        pass\n",
        ("tests/faults/test_source_sweep.py", "-k", "CHANGED"),
    ),
    Mutation(
        "a file that was cut short is blamed on the stick",
        "station/job/counted_drive.py",
        "error.errno == errno.EFAULT",
        "error.errno == errno.ENOTSUP",
        ("tests/faults/test_source_sweep.py", "-k", "EMPTIED"),
    ),
    Mutation(
        "no stamp is ever missed",
        "station/job/probe.py",
        "        if finding.is_counterfeit:\n",
        "        if finding.held_bytes < 0:\n",
        ("tests/faults/test_counterfeits.py", "-k", "the_probe_finds"),
    ),
    Mutation(
        "what sticks say is stored as it is",
        "station/ledger/columns.py",
        "        return None if value is None else printable(value)\n",
        "        return value\n",
        ("tests/faults/test_hostile_sticks.py",),
    ),
    Mutation(
        "cells of CSV are not defused",
        "station/cli/log_export.py",
        "    return _DEFUSER + text if text.startswith(_FORMULA_STARTS) else text\n",
        "    return text\n",
        ("tests/faults/test_hostile_sticks.py",),
    ),
)
