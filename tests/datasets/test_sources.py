"""Clips that were cut from one recording are recognised by their names, and ordinary numbering is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from video_understanding.datasets.rows import Row
from video_understanding.datasets.sources import torn_sources


def rows(*names: str, folder: str = "dance", **fields: object) -> list[Row]:
    return [Row(Path("/set") / folder / name, {"action": folder}, root=Path("/set"), **fields) for name in names]


@pytest.mark.parametrize(
    "names",
    [
        ("v_Surfing_g01_c01.avi", "v_Surfing_g01_c02.avi"),
        ("clip_003_part1.mp4", "clip_003_part2.mp4"),
        ("match-Scene-001.mp4", "match-Scene-014.mp4"),
        ("dQw4w9WgXcQ_000010_000020.mp4", "dQw4w9WgXcQ_000030_000040.mp4"),
        ("party-0001.mp4", "party-0002.mp4", "gala-0001.mp4", "gala-0002.mp4"),
    ],
)
def test_pieces_of_one_recording_on_both_sides_are_found(names):
    found = torn_sources(rows(*names), ["train", "test"] * (len(names) // 2))
    assert (found.clips, found.sources) == (len(names), len(names) // 2)
    assert found.example == names[:2]
    assert names[0] in found.words(named=True) and "subject" in found.words(named=True)
    assert not any(name in found.words(named=False) for name in names)
    assert torn_sources(rows(*names), ["train"] * len(names)) is None
    assert torn_sources(rows(*names, subject="anna"), ["train", "test"] * (len(names) // 2)) is None


@pytest.mark.parametrize(
    "names",
    [
        ("clip_0001.mp4", "clip_0002.mp4"),
        ("video-0001.mp4", "video-0002.mp4"),
        ("IMG_0001.mov", "IMG_0002.mov"),
        ("dance_1.mp4", "dance_2.mp4"),
        ("dance_clip_01.mp4", "dance_clip_02.mp4"),
        ("party-0001.mp4", "party-0002.mp4"),  # one row of numbers: the clips of a class, more likely than scenes
        ("03-01-06-01-02-01-12.mp4", "03-01-06-01-02-02-12.mp4"),
        ("1001_DFA_ANG_XX.flv", "1001_DFA_HAP_XX.flv"),
        ("clip-1.mp4", "clip-2.mp4", "video-1.mp4", "video-2.mp4"),
        ("20240102_101500.mp4", "20240102_111500.mp4"),
    ],
)
def test_ordinary_numbering_is_no_warning(names):
    assert torn_sources(rows(*names), ["train", "test"] * (len(names) // 2)) is None


def test_spans_of_one_file_are_kept_together_by_the_file():
    spans = [
        Row(Path("/set/match_part1.mp4"), {"action": "dance"}, start_s=start_s, end_s=start_s + 2)
        for start_s in (0.0, 4.0)
    ]
    assert torn_sources(spans, ["train", "test"]) is None
