"""Rounds in which all take their turn; those that were disturbed come again, but not for ever."""

import itertools
import os

import pytest

from benchmarks import turns
from benchmarks.turns import Taken, in_new_process, one_after_another, take_turns


def numbered():
    """Times each round as its number, so that a test can tell which rounds count."""
    numbers = itertools.count()
    return lambda _job: (float(next(numbers)), 0.0)


@pytest.fixture
def waits(monkeypatch):
    """How long was waited, each time; nothing waits in truth."""
    waits_s = []
    monkeypatch.setattr(turns.time, "sleep", waits_s.append)
    return waits_s


def test_disturbed_rounds_are_taken_again_once_it_is_quiet(waits):
    """Round 0 warms up, nobody asks about it; round 1 is disturbed, and so it is for a moment after it."""
    answers = iter([True, False, *[False, False, True], True, *[True, True] * 2])
    taken = take_turns({"one": None}, 3, "", timed=numbered(), undisturbed=lambda: next(answers))
    assert taken["one"].wall_s == [2, 3, 4]
    assert taken["one"].again == 1
    assert len(waits) == 2


def test_quiet_that_never_comes_is_not_waited_for(waits):
    taken = take_turns({"one": None}, 3, "", warm_rounds=0, timed=numbered(), undisturbed=lambda: False)
    assert taken["one"].wall_s == [3, 4, 5]
    assert sum(waits) == pytest.approx(15)


def test_a_quick_look_waits_for_nothing(waits):
    taken = take_turns({"one": None}, 2, "", warm_rounds=0, timed=numbered(), undisturbed=lambda: False)
    assert (taken["one"].wall_s, taken["one"].again, waits) == ([0, 1], 0, [])


def test_every_side_comes_first_in_its_turn_and_the_rounds_of_processes_follow_each_other():
    order = []
    jobs = {name: name for name in "abc"}
    taken = take_turns(jobs, 3, "", warm_rounds=0, timed=lambda job: order.append(job) or (1.0, 2.0))
    assert "".join(order) == "abcbcacab"
    both = one_after_another([taken, {name: Taken([5.0], [6.0], again=3) for name in jobs}])
    assert both["b"] == Taken([1.0, 1.0, 1.0, 5.0], [2.0, 2.0, 2.0, 6.0], again=3)


def test_work_in_a_new_process_is_done_elsewhere_and_comes_back():
    assert in_new_process(max, 2, 3) == 3
    assert in_new_process(os.getpid) != os.getpid()
