"""Work in threads: all results arrive, an error ends it, and the settings of the process do not change."""

import sys
import threading

import pytest

from video_understanding.datasets.at_once import at_once


def test_every_item_comes_with_its_index_from_the_given_number_of_threads():
    threads, together = set(), threading.Barrier(2, timeout=30)  # passed only where two work at a time

    def doubled(item: int) -> int:
        together.wait()
        threads.add(threading.get_ident())
        return 2 * item

    found = sorted(at_once(doubled, [5, 6, 7, 8], "Doubling", workers=2, progress=False))
    assert found == [(0, 10), (1, 12), (2, 14), (3, 16)]
    assert len(threads) == 2


def test_an_error_ends_it_and_changes_nothing_for_the_process():
    usual_s, during = sys.getswitchinterval(), []

    def fails(item: int) -> None:
        during.append(sys.getswitchinterval())
        raise ValueError(item)

    with pytest.raises(ValueError, match="3"):
        list(at_once(fails, [3], "Failing", progress=False))
    assert during == [usual_s] and sys.getswitchinterval() == usual_s
