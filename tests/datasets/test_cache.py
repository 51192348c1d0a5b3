"""The cache: the same clips as reading them, never stale, safe to stop and to share; bad files are set aside."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from video_understanding.clip import Clip
from video_understanding.datasets import cache as cache_module
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.record import read_record, write_record
from video_understanding.datasets.rows import Row
from video_understanding.datasets.windows import window_starts_s
from video_understanding.errors import CacheError
from video_understanding.media import decode
from video_understanding.media.decode import read_clip, read_clips
from video_understanding.media.synthetic.calibration import read_barcode, write_calibration_clip
from video_understanding.spec import AudioSpec, LogMelSpec, ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=4, height_px=96, width_px=128), audio=AudioSpec(hop_s=0.5))


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    for name, duration_s in (("short", 0.6), ("one", 1.0), ("long", 3.2)):
        write_calibration_clip(
            folder / f"{name}.mp4", duration_s=duration_s, width_px=128, height_px=96, burst_times_s=(0.2,)
        )
    return folder


@pytest.fixture
def clips(originals, tmp_path) -> dict[str, Row]:
    """Fresh copies, so that each test may change them."""
    shutil.copytree(originals, tmp_path / "clips")
    return {file.stem: Row(file) for file in sorted((tmp_path / "clips").iterdir())}


def counting(monkeypatch) -> list:
    """Notes every file that is really read."""
    read = []

    def read_and_note(file, *rest):
        read.append(Path(file).stem)
        return read_clips(file, *rest)

    monkeypatch.setattr(cache_module, "read_clips", read_and_note)
    return read


def assert_same(prepared: Clip, direct: Clip):
    assert np.array_equal(prepared.frames, direct.frames)
    assert np.array_equal(prepared.frame_present, direct.frame_present)
    assert np.array_equal(prepared.frame_times_s, direct.frame_times_s, equal_nan=True)
    assert np.abs(prepared.waveform - direct.waveform).max() <= 0.5 / 32767 + 1e-7
    assert prepared.sound_span_s == direct.sound_span_s
    assert (prepared.start_s, prepared.source, prepared.notes) == (direct.start_s, direct.source, direct.notes)


def test_prepared_clips_are_the_clips(clips, tmp_path):
    rows = [clips["short"], clips["one"], Row(clips["long"].path, start_s=1.0, end_s=1.5)]
    prepared = ClipCache(tmp_path / "cache").prepare(rows, SPEC)
    assert prepared.row_numbers.tolist() == [0, 1, 2]
    for clip, row in zip(prepared, rows, strict=True):
        assert_same(clip, read_clip(row.path, SPEC, row.start_s or 0.0, row.end_s))


def test_a_long_clip_gives_several_windows(clips, tmp_path):
    prepared = ClipCache(tmp_path / "cache").prepare([clips["one"], clips["long"]], SPEC)
    assert prepared.row_numbers.tolist() == [0, 1, 1, 1]
    assert [clip.start_s for clip in prepared] == pytest.approx([0, 0, 1.1, 2.2], abs=0.02)


@pytest.mark.parametrize(
    ("span_s", "starts_s"),
    [
        ((0, 4), [0]),
        ((2, 3), [2]),
        ((0, 5), [0.5]),
        ((1, 9), [1, 5]),
        ((0, 12), [0, 4, 8]),
        ((0, 4000), [3996 * n / 7 for n in range(8)]),
    ],
)
def test_windows_are_spread_from_end_to_end_and_bounded(span_s, starts_s):
    assert window_starts_s(*span_s, 4.0) == pytest.approx(starts_s)


def test_batches_hold_the_same_as_clips(clips, tmp_path):
    prepared = ClipCache(tmp_path / "cache").prepare(list(clips.values()), SPEC)
    assert np.array_equal(prepared.arrays("video", [2, 0]), [prepared[2].frames, prepared[0].frames])
    assert np.array_equal(prepared.arrays("audio", [2, 0]), [prepared[2].waveform, prepared[0].waveform])
    assert prepared.presence([2, 0]).tolist() == [[True, True], [True, True]]


def test_a_file_is_opened_once_for_each_of_its_windows(clips, tmp_path, monkeypatch):
    """Opening costs as much as a tenth of the reading: how long a file is must not cost another time."""
    opened, whole = [], decode.open_media

    def open_and_note(path, **how):
        opened.append(Path(path).stem)
        return whole(path, **how)

    monkeypatch.setattr(decode, "open_media", open_and_note)
    rows = [*clips.values(), Row(clips["long"].path, start_s=0.5), Row(clips["long"].path, start_s=1.0, end_s=1.5)]
    prepared = ClipCache(tmp_path / "cache").prepare(rows, SPEC)
    assert len(opened) == len(prepared) == 9
    assert opened.count("one") == opened.count("short") == 1


def test_a_second_time_nothing_is_read(clips, tmp_path, monkeypatch):
    rows = list(clips.values())
    ClipCache(tmp_path / "cache").prepare(rows, SPEC)
    read = counting(monkeypatch)
    assert len(ClipCache(tmp_path / "cache").prepare(rows, SPEC)) == 5
    assert read == []


@pytest.mark.parametrize("keep_time", [False, True])
def test_a_changed_file_is_read_anew_even_if_its_time_was_set_back(clips, tmp_path, monkeypatch, keep_time):
    rows = [clips["one"], clips["long"]]
    ClipCache(tmp_path / "cache").prepare(rows, SPEC)
    status = rows[0].path.stat()
    rows[0].path.write_bytes(rows[1].path.read_bytes())
    if keep_time:
        os.utime(rows[0].path, ns=(status.st_atime_ns, status.st_mtime_ns))
    read = counting(monkeypatch)
    prepared = ClipCache(tmp_path / "cache").prepare(rows, SPEC)
    assert set(read) == {"one"}
    assert prepared.row_numbers.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("spec", "again"),
    [
        (ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=4, height_px=96, width_px=96), audio=SPEC.audio), True),
        (ModelSpec(window_s=1.0, video=dataclasses.replace(SPEC.video, zoom=2), audio=SPEC.audio), True),
        (ModelSpec(window_s=1.5, video=SPEC.video, audio=SPEC.audio), True),
        (ModelSpec(window_s=1.0, video=SPEC.video, audio=AudioSpec(hop_s=0.5, log_mel=LogMelSpec(bands=40))), False),
    ],
)
def test_another_spec_is_read_anew_if_it_changes_what_is_stored(clips, tmp_path, monkeypatch, spec, again):
    ClipCache(tmp_path / "cache").prepare([clips["one"]], SPEC)
    read = counting(monkeypatch)
    ClipCache(tmp_path / "cache").prepare([clips["one"]], spec)
    assert bool(read) == again


def test_bad_files_are_set_aside_with_the_reason_and_the_rest_goes_on(clips, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video at all, only words " * 10)
    rows = [Row(bad, origin="clips.csv:2"), clips["one"], Row(tmp_path / "gone.mp4", origin="clips.csv:4")]
    for _ in range(2):  # the second time from what is remembered
        prepared = ClipCache(tmp_path / "cache").prepare(rows, SPEC)
        assert prepared.row_numbers.tolist() == [1]
        assert [aside.row.origin for aside in prepared.set_aside] == ["clips.csv:2", "clips.csv:4"]
        assert "clips.csv:2: holds text, not media" in prepared.report()
        assert "clips.csv:4: cannot be found" in prepared.report()
    shutil.copy(clips["one"].path, bad)  # mended
    assert ClipCache(tmp_path / "cache").prepare(rows, SPEC).row_numbers.tolist() == [0, 1]


def test_a_record_that_was_cut_is_made_again(clips, tmp_path):
    cache = ClipCache(tmp_path / "cache")
    cache.prepare([clips["one"]], SPEC)
    (record,) = (tmp_path / "cache").rglob("*.clips")
    record.write_bytes(record.read_bytes()[:-100])
    assert_same(cache.prepare([clips["one"]], SPEC)[0], read_clip(clips["one"].path, SPEC))


def test_a_record_is_read_as_it_was_written_or_not_at_all(tmp_path, clips):
    clip, path = read_clip(clips["one"].path, SPEC), tmp_path / "a.clips"
    with path.open("wb") as file:
        write_record(file, [clip])
    assert_same(read_record(path).clip(0), clip)
    path.write_bytes(path.read_bytes()[:-1])
    assert read_record(path) is None
    assert read_record(tmp_path / "none.clips") is None


_PREPARE = """
import sys
from pathlib import Path
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.rows import Row
from tests.datasets.test_cache import SPEC
rows = [Row(path) for path in sorted(Path(sys.argv[1]).iterdir())]
print("begin", flush=True)
prepared = ClipCache(sys.argv[2]).prepare(rows, SPEC, workers=1)
print(len(prepared), len(prepared.set_aside))
"""


def start_preparing(folder: Path, cache: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", _PREPARE, str(folder), str(cache)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def many_copies(clip: Path, folder: Path, many: int) -> Path:
    folder.mkdir()
    for number in range(many):
        shutil.copy(clip, folder / f"{number:03}.mp4")
    return folder


def test_two_processes_share_the_work_and_the_result(clips, tmp_path):
    folder = many_copies(clips["long"].path, tmp_path / "many", 12)
    processes = [start_preparing(folder, tmp_path / "cache") for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]
    for process, (output, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors
        assert output.split()[1:] == ["36", "0"]
    assert len(list((tmp_path / "cache").rglob("*.clips"))) == 12
    assert not list((tmp_path / "cache").rglob(".partial.*"))


MANY = 300  # so that the first is long done before the last, however busy the machine is


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_stopped_at_any_moment_it_goes_on_where_it_was(clips, tmp_path, monkeypatch, stop):
    folder = many_copies(clips["long"].path, tmp_path / "many", MANY)
    process = start_preparing(folder, tmp_path / "cache")
    deadline = time.monotonic() + 30
    while not list((tmp_path / "cache").rglob("[!.]*.clips")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(stop)
    process.communicate(timeout=30)
    assert process.returncode != 0
    done = list((tmp_path / "cache").rglob("[!.]*.clips"))  # not the one that was being written
    assert 1 <= len(done) < MANY
    assert all(read_record(file) is not None for file in done)
    read = counting(monkeypatch)
    rows = [Row(path) for path in sorted(folder.iterdir())]
    prepared = ClipCache(tmp_path / "cache").prepare(rows, SPEC)
    assert len(set(read)) == MANY - len(done)
    assert len(prepared) == 3 * MANY
    assert read_barcode(prepared[3 * MANY - 1].frames[-1]) is not None


def test_a_folder_that_cannot_be_written_is_told(clips, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheError, match="cannot be written"):
        ClipCache(tmp_path / "file" / "cache").prepare([clips["one"]], SPEC)


def test_a_disk_too_small_is_told_before_the_work_begins(clips, tmp_path, monkeypatch):
    full = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(cache_module.shutil, "disk_usage", lambda _: full)
    with pytest.raises(CacheError, match=r"has 1\.0 kB left, and the clips need about [\d.]+ [kMG]B"):
        ClipCache(tmp_path / "cache").prepare([clips["one"]], SPEC)


def test_the_folder_can_be_named_by_a_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(tmp_path / "named"))
    assert ClipCache().folder == tmp_path / "named"
    monkeypatch.delenv("VIDEO_UNDERSTANDING_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert ClipCache().folder == tmp_path / "video-understanding" / "clips"
