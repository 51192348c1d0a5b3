"""Reading of many kinds of files: how much CPU time it takes, and how many of the frames are the right ones."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np

from benchmarks.clips import KINDS, NUMBERED, make_clips, numbered_path, numbered_times_s
from benchmarks.peers.readers import PACKAGES as PACKAGES
from benchmarks.peers.readers import (
    SOUNDLESS,
    Got,
    Reader,
    installed_readers,
    read_ours,
    reading_spec,
    start_with_ffmpeg,
)
from benchmarks.report import Run
from video_understanding.media.synthetic.barcode import read_barcode

TITLE = "Kinds of files"
_MOST_ROUNDS = 6  # there are many files, and most of the time is that of the slowest peers
_MOST_DIFFERENCE = 30.0  # of 255, on average: no scaling or conversion of colours changes a right frame so much
_QUICK = ("H.264, 240p, 3 s", "VP9, 240p, 3 s", "H.264, 360p, 3 s of 10 s")
_HANGS = {("decord", "H.264, transport stream")}  # it never comes back from a transport stream of this kind


def measure(run: Run) -> None:
    start_with_ffmpeg()
    make_clips("kinds")
    run.rounds = min(run.rounds, _MOST_ROUNDS)
    readers = installed_readers(run)
    readers.pop("OpenCV", None)  # its frames are those of "OpenCV + PyAV"
    gc.freeze()  # looking through what the packages keep would take longer than most rounds
    for kind in _QUICK if run.quick else KINDS:
        _kind(run, kind, readers)
    for name in NUMBERED:
        for reader, read in {"ours": read_ours, **readers}.items():
            if reader != "ffmpeg":
                hangs = (reader, name) in _HANGS
                run.cell("right pictures", name, reader, "hangs" if hangs else _right(name, read))


def _kind(run: Run, kind: str, readers: dict[str, Reader]) -> None:
    clip, begin_s = KINDS[kind], {"3 s of 10 s": 4.1, "3 s of 10 min": 304.1}.get(kind.rpartition(", ")[2], 0.0)
    window = reading_spec(3, 4) if "3 s" in kind else reading_spec(10, 1.6), begin_s
    ours = read_ours(clip.path, *window)
    jobs = {name: lambda read=read: read(clip.path, *window) for name, read in readers.items()
            if _reads(lambda read=read: read(clip.path, *window), ours)}  # fmt: skip
    if not jobs.keys().isdisjoint(SOUNDLESS):
        jobs["ours, no sound"] = lambda: read_ours(clip.soundless, *window)
    timings = run.interleave(kind, {"ours": lambda: read_ours(clip.path, *window)} | jobs, parallel=True)
    for name in (own for own in readers if own in timings):
        fair = ", no sound" if name in SOUNDLESS else ""
        run.ratio(kind, name + fair, timings["ours" + fair], timings[name])


def _reads(read: Callable[[], Got], ours: Got) -> bool:
    """Whether it gives frames and sound of this window: of ours most frames, and about as many samples."""
    try:
        got = read()
    except Exception:  # every package has errors of its own
        return False
    if got.frames is None:
        return True  # ffmpeg, which only decodes
    differ = np.abs(got.frames.astype(np.float32) - ours.frames).mean(axis=(1, 2, 3))  # [T]
    few = got.sound is not None and len(got.sound) < 0.95 * len(ours.sound)
    return not few and np.median(differ) < _MOST_DIFFERENCE


def _right(name: str, read: Reader) -> str:
    """How many frames of two windows, one of all that is there and one in the middle, show the right numbers."""
    right, total, gave = 0, 0, False
    for spec, start_s in ((reading_spec(10, 1.6), 0.0), (reading_spec(3, 4), 6.1)):
        # The last frame shown at or before each instant: [T].
        wanted = np.searchsorted(numbered_times_s(name), spec.instants_s(start_s), side="right") - 1
        total += len(wanted)
        try:
            frames = read(numbered_path(name), spec, start_s).frames  # [T,H,W,3]
        except Exception:  # every package has errors of its own
            continue
        gave = True
        right += sum(read_barcode(frame) == want for frame, want in zip(frames, wanted, strict=True))
    return f"{right} of {total}" if gave else "error"
