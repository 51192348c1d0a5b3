"""The plan decodes what the wanted frames need and nothing else, tested with synthetic packets."""

from __future__ import annotations

import pytest

from video_understanding.media import plan as plan_module
from video_understanding.media.plan import PicturePlan

# (time shown, time decoded, is a key frame), in decoding order: two groups, shown 0-4 and 5-9.
CLOSED = [(0, -1, True), (2, 0, False), (1, 1, False), (4, 2, False), (3, 3, False)]
CLOSED += [(time + 5, decode + 5, key) for time, decode, key in CLOSED]
# The second group's leading pictures (4) are shown before its key frame (5) and lean on the first group.
OPEN = [(0, -1, True), (2, 0, False), (1, 1, False), (3, 2, False), (5, 3, True), (4, 4, False), (7, 5, False)]
OPEN += [(6, 6, False)]


def run(packets, instants_s, end_s=10.0, grace_s=0.0):
    """What is decoded (time, wanted, afresh) and which instants each picture is for."""
    plan = PicturePlan(instants_s)
    orders, places = [], {}

    def take():
        for order in plan.orders():
            orders.append((order.entry.packet, order.wanted, order.afresh))
            for place in order.entry.places:
                places[place] = order.entry.packet

    for time, decode, key in packets:
        plan.add(time, float(time), float(decode), key, shown=True, size_bytes=100)
        take()
    plan.finish(end_s, grace_s)
    take()
    return orders, places


def test_a_group_without_a_wanted_picture_is_not_decoded():
    orders, places = run(CLOSED, [6.5])
    assert [time for time, _, _ in orders] == [5, 7, 6]
    assert places == {0: 6}


def test_nothing_behind_the_last_wanted_picture_is_decoded():
    orders, _ = run(CLOSED, [0.5, 5.0])
    assert [time for time, _, _ in orders] == [0, 5]


def test_only_wanted_pictures_are_ordered_in_full():
    orders, _ = run(CLOSED, [3.2])
    assert [(time, wanted) for time, wanted, _ in orders] == [
        (0, False), (2, False), (1, False), (4, False), (3, True),
    ]  # fmt: skip


def test_a_leading_picture_brings_the_group_before_it():
    orders, places = run(OPEN, [4.5])
    assert [time for time, _, _ in orders] == [0, 2, 1, 3, 5, 4]
    assert [afresh for _, _, afresh in orders] == [True] + [False] * 5
    assert places == {0: 4}


def test_unneeded_leading_frames_are_left_out_where_they_cannot_be_decoded():
    orders, _ = run(OPEN, [6.5])
    assert [time for time, _, _ in orders] == [5, 7, 6]
    assert orders[0][2]


def test_the_decoder_starts_afresh_only_after_a_gap():
    orders, _ = run(CLOSED, [3.2, 5.0])
    assert [time for time, _, afresh in orders if afresh] == [0]
    orders, _ = run(CLOSED, [0.0, 5.0])
    assert [time for time, _, afresh in orders if afresh] == [0, 5]


def test_several_instants_share_a_picture():
    _, places = run(CLOSED, [1.0, 1.2, 1.9, 2.0])
    assert places == {0: 1, 1: 1, 2: 1, 3: 2}


def test_before_the_first_and_after_the_last_picture_there_is_none():
    _, places = run(CLOSED, [-0.5, 0.0, 9.9, 10.0])
    assert places == {1: 0, 2: 9}


def test_a_track_shorter_than_the_time_between_instants_gives_a_frame():
    assert run([(0, 0, True)], [0.125, 0.375], end_s=0.04)[1] == {}
    assert run([(0, 0, True)], [0.125, 0.375], end_s=0.04, grace_s=0.25)[1] == {0: 0}


def test_frames_are_returned_as_soon_as_they_are_settled():
    """A live source cannot wait for the end."""
    plan = PicturePlan(iter([0.5, 2.5]))
    plan.add("key", 0.0, -1.0, True, True, 100)
    plan.add("later", 2.0, 0.0, False, True, 100)
    assert list(plan.orders()) == []
    plan.add("between", 1.0, 1.0, False, True, 100)
    assert [order.entry.packet for order in plan.orders()] == ["key"]


@pytest.mark.parametrize(
    "packets",
    [
        [(0, 0, True), (1, 1, False), (1, 2, False), (2, 3, False), (3, 4, False)],  # two claim the same time
        [(0, 0, True), (5, 1, False), (6, 5, False), (7, 6, False), (3, 3, False)],  # shown before what was settled
    ],
)
def test_times_that_contradict_each_other_are_noticed(packets):
    plan = PicturePlan([20.0])
    for time, decode, key in packets:
        plan.add(time, float(time), float(decode), key, shown=True, size_bytes=100)
    assert plan.doubtful


def test_a_group_without_end_does_not_fill_the_memory(monkeypatch):
    """Hours after one key frame, with nothing wanted but at the end: packets are passed on, not kept."""
    monkeypatch.setattr(plan_module, "MAX_WAITING_PACKETS", 50)
    plan = PicturePlan([5000.0])
    most = passed_on = 0
    for number in range(6000):
        plan.add(number, float(number), float(number), number == 0, True, 100)
        passed_on += sum(1 for _ in plan.orders())
        most = max(most, plan._waiting)
    assert most <= 60
    assert passed_on > 4900
