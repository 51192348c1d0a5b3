"""Whether cores are shared is told by CPU time, with one thread of NumPy's, whose number is put back."""

import pytest
from threadpoolctl import ThreadpoolController

from benchmarks.cores import OwnCores


@pytest.mark.parametrize(("times_as_much", "own"), [(1.02, True), (1.9, False)])
def test_twice_the_cpu_time_for_the_same_is_a_shared_core(monkeypatch, times_as_much, own):
    cores = OwnCores()
    monkeypatch.setattr(cores, "_times_as_much_cpu", lambda: times_as_much)
    assert cores() is own
    assert cores.shared == (0 if own else 1)


def test_its_product_has_one_thread_and_others_keep_theirs(monkeypatch):
    def threads() -> list[int]:
        return [library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()]

    before, within = threads(), []
    cores = OwnCores()
    monkeypatch.setattr(cores, "_work", lambda: within.extend(threads()))
    cores()
    assert set(within) == {1}
    assert threads() == before
