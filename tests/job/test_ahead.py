import threading

import pytest

from station.job.ahead import Ahead


def test_the_task_runs_in_another_thread_while_the_caller_goes_on() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def task() -> int:
        begun.set()
        may_end.wait(timeout=60)
        return threading.get_ident()

    with Ahead[int]() as ahead:
        ahead.start(task)
        assert begun.wait(timeout=60)
        assert ahead.is_busy
        may_end.set()

        assert ahead.wait() != threading.get_ident()
        assert not ahead.is_busy


def test_the_error_of_a_task_is_raised_where_it_is_waited_for() -> None:
    with Ahead[float]() as ahead:
        ahead.start(lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ahead.wait()
        ahead.start(lambda: 1.0)

        assert ahead.wait() == 1.0


def test_there_is_one_task_at_a_time() -> None:
    with Ahead[int]() as ahead:
        with pytest.raises(AssertionError, match="no task is under way"):
            ahead.wait()
        ahead.start(lambda: 1)
        with pytest.raises(AssertionError, match="was not waited for"):
            ahead.start(lambda: 2)


def test_nothing_still_runs_when_the_pass_is_left_by_an_error() -> None:
    running, ended = threading.Event(), threading.Event()
    may_end = threading.Event()

    def task() -> None:
        running.set()
        may_end.wait(timeout=60)
        ended.set()

    def fail() -> None:
        with Ahead[None]() as ahead:
            ahead.start(task)
            assert running.wait(timeout=60)
            may_end.set()
            raise OSError

    with pytest.raises(OSError, match=r"^$"):
        fail()
    assert ended.is_set()
