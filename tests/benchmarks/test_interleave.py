"""Interleaved rounds; those that were disturbed are run again, but not for ever."""

import itertools
import os

import pytest

from benchmarks import interleave as timing
from benchmarks.interleave import Program, Timing, interleave, joined
from benchmarks.subprocess_side import SubprocessSide, in_new_process


def numbered():
    """Times each round as its number, so that a test can tell which rounds count."""
    numbers = itertools.count()
    return lambda _job: (float(next(numbers)), 0.0)


@pytest.fixture
def waits(monkeypatch):
    """How long was waited, each time; nothing waits in truth."""
    waits_s = []
    monkeypatch.setattr(timing.time, "sleep", waits_s.append)
    return waits_s


def test_disturbed_rounds_are_run_again_once_it_is_quiet(waits):
    """Round 0 warms up, nobody asks about it; round 1 is disturbed, and so it is for a moment after it."""
    answers = iter([True, False, *[False, False, True], True, *[True, True] * 2])
    timings = interleave({"one": None}, 3, "", timed=numbered(), undisturbed=lambda: next(answers))
    assert timings["one"].wall_s == [2, 3, 4]
    assert timings["one"].repeated == 1
    assert len(waits) == 2


def test_quiet_that_never_comes_is_not_waited_for(waits):
    timings = interleave({"one": None}, 3, "", warm_rounds=0, timed=numbered(), undisturbed=lambda: False)
    assert timings["one"].wall_s == [3, 4, 5]
    assert sum(waits) == pytest.approx(15)


def test_a_quick_run_waits_for_nothing(waits):
    timings = interleave({"one": None}, 2, "", warm_rounds=0, timed=numbered(), undisturbed=lambda: False)
    assert (timings["one"].wall_s, timings["one"].repeated, waits) == ([0, 1], 0, [])


def test_every_side_comes_first_in_its_round_and_the_rounds_of_processes_follow_each_other():
    order = []
    jobs = {name: name for name in "abc"}
    timings = interleave(jobs, 3, "", warm_rounds=0, timed=lambda job: order.append(job) or (1.0, 2.0))
    assert "".join(order) == "abcbcacab"
    both = joined([timings, {name: Timing([5.0], [6.0], repeated=3) for name in jobs}])
    assert both["b"] == Timing([1.0, 1.0, 1.0, 5.0], [2.0, 2.0, 2.0, 6.0], repeated=3)


def test_work_in_a_new_process_is_done_elsewhere_and_comes_back():
    assert in_new_process(max, 2, 3) == 3
    assert in_new_process(os.getpid) != os.getpid()
    program = Program("import os, sys; print(os.getpid(), sys.argv[1])", 7)
    assert program() == program.output
    number, argument = program.output.split()
    assert (int(number) != os.getpid(), argument) == (True, "7")


def _side(fails):
    if fails:
        raise ImportError("no such peer")
    return {"sum": lambda: lambda: sum(range(1000))}, {"process": os.getpid()}


def test_a_side_has_its_jobs_and_facts_in_a_process_of_its_own():
    with SubprocessSide(_side, False) as side:
        assert side.facts()["process"] != os.getpid()
        wall_s, cpu_s = side.job("sum", repeats=3)()
    assert 0 < cpu_s < 1
    assert wall_s > 0


def test_what_goes_wrong_on_a_side_is_raised_where_its_facts_are_asked_for():
    with SubprocessSide(_side, True) as side, pytest.raises(ImportError, match="no such peer"):
        side.facts()
