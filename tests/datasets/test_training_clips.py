"""A bundle recognises the clips of its training by their content, under any name, and names none of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from video_understanding.datasets.rows import Row
from video_understanding.datasets.training_clips import TRAINING_CLIPS_FILE, TrainingClips
from video_understanding.errors import BundleError


@pytest.fixture
def files(tmp_path) -> list[Path]:
    """A small file, one that is read in blocks, and one that differs from that in its middle."""
    large = bytearray(os.urandom(1 << 21))
    found = [tmp_path / f"anna_{name}.mp4" for name in ("small", "large", "other")]
    found[0].write_bytes(b"small")
    found[1].write_bytes(large)
    middle = len(large) // 2
    large[middle - 100_000 : middle + 100_000] = bytes(200_000)
    found[2].write_bytes(large)
    return found


def test_content_counts_and_not_the_name(files, tmp_path):
    rows = [Row(file) for file in files]
    TrainingClips.of(rows, ["train", "validation", "test"], "key").write(tmp_path / "bundle")
    known = TrainingClips.read(tmp_path / "bundle")
    copies = [shutil.copy(file, tmp_path / f"{number}.mov") for number, file in enumerate(files)]
    assert known.parts_of([Row(copy) for copy in copies]) == ["train", "validation", None]
    assert known.parts_of([Row(tmp_path / "gone.mp4")]) == [None]
    assert "anna" not in (tmp_path / "bundle" / TRAINING_CLIPS_FILE).read_text()


def test_spans_of_a_file_are_known_where_they_overlap(files):
    known = TrainingClips.of([Row(files[1], start_s=4.0, end_s=8.0)], ["train"], "key")
    spans = [(None, None), (0.0, 4.0), (0.0, 4.5), (7.0, None), (8.0, None)]
    found = known.parts_of([Row(files[1], start_s=start_s, end_s=end_s) for start_s, end_s in spans])
    assert found == ["train", None, "train", "train", None]


def test_a_damaged_file_is_told_and_an_absent_one_is_none(tmp_path):
    assert TrainingClips.read(tmp_path) is None
    (tmp_path / TRAINING_CLIPS_FILE).write_text('{"format": 1, "key": "k", "clips": {"train": 3}}')
    with pytest.raises(BundleError, match="does not tell"):
        TrainingClips.read(tmp_path)
