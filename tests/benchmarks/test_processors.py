"""Whether processors lie side by side is told by two jobs, with one thread of NumPy's; all is put back."""

import os

import pytest
from threadpoolctl import ThreadpoolController

from benchmarks.processors import SideBySide


@pytest.mark.parametrize(
    ("times_as_much", "as_long", "so"), [(1.02, 1.6, True), (1.9, 1.6, False), (1.02, 3.7, False), (1.9, 3.7, False)]
)
def test_a_shared_core_and_caches_apart_are_noticed(monkeypatch, times_as_much, as_long, so):
    neighbours = SideBySide()
    monkeypatch.setattr(neighbours, "_times_as_much_cpu", lambda: times_as_much)
    monkeypatch.setattr(neighbours, "_as_long_for_the_other", lambda: as_long)
    assert neighbours() is so


def test_its_product_has_one_thread_and_others_keep_theirs(monkeypatch):
    def threads() -> list[int]:
        return [library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()]

    before, within = threads(), []
    neighbours = SideBySide()
    monkeypatch.setattr(neighbours, "_as_long_for_the_other", lambda: 1.0)
    monkeypatch.setattr(neighbours, "_work", lambda: within.extend(threads()))
    neighbours()
    assert set(within) == {1}
    assert threads() == before


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="threads cannot be bound to processors here")
def test_it_may_run_everywhere_afterwards_as_before():
    before = os.sched_getaffinity(0)
    SideBySide()()
    assert os.sched_getaffinity(0) == before
