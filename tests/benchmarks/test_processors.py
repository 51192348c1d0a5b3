"""Whether processors lie side by side: measured by two jobs, with one thread of NumPy's; all is put back."""

import os

import pytest
from threadpoolctl import ThreadpoolController

from benchmarks import processors


@pytest.mark.parametrize(
    ("sharing", "handing", "so"), [(1.02, 1.6, True), (1.9, 1.6, False), (1.02, 3.7, False), (1.9, 3.7, False)]
)
def test_a_shared_core_and_caches_apart_are_noticed(monkeypatch, sharing, handing, so):
    monkeypatch.setattr(processors, "sharing_ratio", lambda: sharing)
    monkeypatch.setattr(processors, "handing_ratio", lambda: handing)
    assert processors.side_by_side() is so


def test_its_product_has_one_thread_and_others_keep_theirs(monkeypatch):
    def threads() -> list[int]:
        return [library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()]

    before, within = threads(), []
    monkeypatch.setattr(processors, "handing_ratio", lambda: 1.0)
    monkeypatch.setattr(processors, "sharing_ratio", lambda: within.extend(threads()) or 1.0)
    processors.side_by_side()
    assert set(within) == {1}
    assert threads() == before


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="threads cannot be bound to processors here")
def test_it_may_run_everywhere_afterwards_as_before():
    before = os.sched_getaffinity(0)
    assert processors.handing_ratio() > 0
    assert processors.sharing_ratio() > 0
    assert os.sched_getaffinity(0) == before
