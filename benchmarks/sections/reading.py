"""How much CPU time reading takes, beside the ways people read clips otherwise: the same frames, the same sound."""

from __future__ import annotations

import gc

import numpy as np

import video_understanding as vu
from benchmarks.clips import FOLDER, HOUR, MINUTE, TEN_SECONDS, THREE_SECONDS, VP9, make_clips
from benchmarks.interleave import PRINT_PEAK_MB, Program, seconds_of
from benchmarks.peers.readers import PACKAGES as PACKAGES
from benchmarks.peers.readers import SOUNDLESS, Reader, installed_readers, read_ours, reading_spec, start_with_ffmpeg
from benchmarks.report import Run, Spread
from video_understanding.datasets.rows import Row

TITLE = "Reading"
_GOALS = {"ffmpeg": 0.50, "plain PyAV": 0.60, "OpenCV, no sound": 0.60, "decord, no sound": 0.60}
_WINDOWS = {
    "10 s H.264": (TEN_SECONDS, reading_spec(10, 1.6), _GOALS),
    "3 s H.264": (THREE_SECONDS, reading_spec(3, 4), _GOALS),
    "60 s H.264, 1 s groups": (MINUTE, reading_spec(60, 0.25), _GOALS | {"ffmpeg": 0.16}),
    "10 s VP9": (VP9, reading_spec(10, 1.6), {"OpenCV, no sound": 1.0}),
}
_WALK = """
import sys
from video_understanding.media.decode import iter_clips
from video_understanding.spec import ModelSpec
print(sum(1 for _ in iter_clips(sys.argv[1], ModelSpec(), end=60 * float(sys.argv[2]))))
"""


def measure(run: Run) -> None:
    start_with_ffmpeg()
    make_clips()
    readers = installed_readers(run)
    gc.freeze()  # looking through what the packages keep would take longer than most rounds
    readers.pop("torchcodec, approx.", None)  # differs where files are long: the section "kinds" shows it
    for what in _WINDOWS:
        _window(run, what, readers)
    _cache(run)
    if not run.quick:
        _long_files(run)


def _window(run: Run, what: str, readers: dict[str, Reader]) -> None:
    clip, spec, goals = _WINDOWS[what]
    if run.quick:
        readers = {name: read for name, read in readers.items() if any(goal.startswith(name) for goal in goals)}
    jobs = {"ours": lambda: read_ours(clip.path, spec), "ours, no sound": lambda: read_ours(clip.soundless, spec)}
    jobs |= {name: lambda read=read: read(clip.path, spec, 0.0) for name, read in readers.items()}
    timings = run.interleave(what, jobs, parallel=True)
    frames = read_ours(clip.path, spec).frames.astype(np.float32)  # [T,H,W,3]
    for name, read in readers.items():
        for fair in ("", ", no sound") if name in SOUNDLESS else ("",):
            run.ratio(what, name + fair, timings["ours" + fair], timings[name], goals.get(name + fair))
        got = read(clip.path, spec, 0.0).frames
        if got is not None:
            worst = np.abs(frames - got).mean(axis=(1, 2, 3)).max()
            run.cell("worst frame's difference, of 255", what, name, f"{worst:.1f}")


def _cache(run: Run) -> None:
    """How many prepared clips of the default spec a warm cache gives in a second, copied out in batches."""
    rows = [Row(MINUTE.path.resolve(), start_s=float(second), end_s=second + 4.0) for second in range(56)]
    prepared = vu.ClipCache(FOLDER / "cache").prepare(rows, vu.ModelSpec(), progress=False)
    rng = np.random.default_rng(0)

    def epoch() -> None:
        order = rng.permutation(len(prepared))
        for first in range(0, len(order), 16):
            prepared.arrays("video", order[first : first + 16])
            prepared.arrays("audio", order[first : first + 16])

    epoch()
    rates = Spread.of([len(prepared) / seconds_of(epoch)[0] for _ in range(run.rounds)])
    run.number("warm cache, batches of 16", "clips a second", rates, 3000, at_least=True)


def _long_files(run: Run) -> None:
    """Whether a window costs the same wherever it lies, and a walk no memory however long it is."""
    spec, offset_s = vu.ModelSpec(), 28.0
    middle_s = HOUR.seconds / 2 + offset_s  # the very same packets as in the minute
    what = f"{spec.window_s:g} s in the middle of an hour"
    hour, minute = (lambda: read_ours(HOUR.path, spec, middle_s)), (lambda: read_ours(MINUTE.path, spec, offset_s))
    run.compare(what, run.interleave(what, {"hour": hour, "the same in a minute": minute}), ["hour"])
    for minutes in (1, 10):
        clips, peak_mb = Program(_WALK + PRINT_PEAK_MB, HOUR.path, minutes)().split()
        run.facts[f"walk of {minutes} min"] = f"{clips} clips, peak memory {float(peak_mb):.0f} MB"
