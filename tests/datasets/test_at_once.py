"""Work in threads: all of it comes, and what was changed for it is as before, also after an error."""

import sys
import threading

import pytest

from video_understanding.datasets.at_once import at_once


def test_every_item_comes_with_its_place_from_as_many_threads_as_asked_for():
    threads, together = set(), threading.Barrier(2, timeout=30)  # passed only where two work at a time

    def doubled(item: int) -> int:
        together.wait()
        threads.add(threading.get_ident())
        return 2 * item

    found = sorted(at_once(doubled, [5, 6, 7, 8], "Doubling", workers=2, progress=False))
    assert found == [(0, 10), (1, 12), (2, 14), (3, 16)]
    assert len(threads) == 2


def test_threads_ask_for_pythons_lock_sooner_and_afterwards_as_before():
    usual_s, asked = sys.getswitchinterval(), []

    def fails(item: int) -> None:
        asked.append(sys.getswitchinterval())
        raise ValueError(item)

    with pytest.raises(ValueError, match="3"):
        list(at_once(fails, [3], "Failing", progress=False))
    assert asked[0] < usual_s / 10
    assert sys.getswitchinterval() == usual_s
