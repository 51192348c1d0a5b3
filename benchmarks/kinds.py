"""Reading of many kinds of files: how much CPU time it takes, and how many of the pictures are the right ones.

    python -m benchmarks.kinds [--quick] [--json FILE] [--page FILE]

All readers take turns on every file. Each gives the same T pictures of the same window at the same size and the
window's sound; decord knows no sound, so ours reads a file without any beside it. Ratios are ours over theirs, the
median of the rounds and the lowest and highest: of CPU time first, of that on the clock below. Which pictures are
right is told by files in which every picture says its number. All files are gone through twice, in two processes, one
after another: what a machine does in a minute, and what a process finds in memory, is in the spread.
"""

from __future__ import annotations

import gc
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import kinds_material, material
from benchmarks.kinds_material import LARGE, MIDDLE, NUMBERED, SMALL, Numbered
from benchmarks.peers import PICTURES_ONLY, Got, Reader, available_peers, start_with_ffmpeg
from benchmarks.pivot import cells_in_columns, pivots
from benchmarks.processors import SideBySide
from benchmarks.tables import Measured, Ratio, Spread, last_lines, machine, read_options, tell
from benchmarks.turns import Taken, in_new_process, one_after_another, take_turns
from video_understanding.media.decode import read_clip
from video_understanding.spec import ModelSpec, VideoSpec

_SIDE_PX = 160
_MOST_ROUNDS = 6  # there are many files, and most of the time is that of the slowest peers
_PROCESSES = 2
_PACKAGES = ("numpy", "av", "opencv-python-headless", "decord", "imageio-ffmpeg", "librosa", "moviepy", "torchcodec")
_PICTURES_DIFFER = 30.0  # of 255, on average: no scaling or conversion of colours changes a right picture so much
_QUICK_NUMBERED = ("H.264, B-frames", "H.264, uneven times", "H.264, picture late")
_HANGS = {("decord", "H.264, transport stream")}  # it never comes back from a transport stream of this kind


@dataclass(frozen=True)
class Kind:
    """A file, and the window of it that is read; `path` makes it unless it is there."""

    name: str
    path: Callable[[], Path]
    spec: ModelSpec
    start_s: float = 0.0
    in_quick: bool = False


@dataclass
class Report(Measured):
    """All that was measured."""

    ours_cpu_ms: dict[str, Spread] = field(default_factory=dict)
    cannot: dict[str, list[str]] = field(default_factory=dict)
    """For each kind of file, the peers that do not read it."""
    right: dict[str, dict[str, str]] = field(default_factory=dict)
    """For each numbered file and reader, like "28 of 28"; "error" where it gave one."""


def main() -> int:
    options = read_options(__doc__)
    start_with_ffmpeg()
    subprocess.run([sys.executable, "-m", "benchmarks.kinds_material"], check=True)
    processes = 1 if options.quick else _PROCESSES
    rounds = math.ceil(min(options.rounds, _MOST_ROUNDS) / processes)
    parts = [in_new_process(_taken, rounds, options.quick) for _ in range(processes)]
    peers, absent = _peers()
    report = Report(absent=absent, machine=machine(_PACKAGES, processes * rounds))
    for name in parts[0]:
        _compare(name, one_after_another([part[name] for part in parts]), peers, report)
    for name in _QUICK_NUMBERED if options.quick else NUMBERED:
        _count_right(name, NUMBERED[name], peers, report)
    tell(report, options, lines=list(_lines(report)), title="Kinds of files", text=_TEXT)
    return 0


def _peers() -> tuple[dict[str, Reader], list[str]]:
    peers, absent = available_peers()  # before anything else imports av: cv2 has to come first
    peers.pop("OpenCV", None)  # its pictures are those of "OpenCV + PyAV"
    return peers, absent


def _kinds() -> list[Kind]:
    three, ten = _spec(3, 4), _spec(10, 1.6)
    middle_s = kinds_material.LONG_MINUTES * 30 + 4.1
    middle = ("H.264", "H.264, no B-frames", "VP9", "MPEG-4")
    return [
        *(Kind(f"{name}, 240p, 3 s", _made(SMALL[name]), three, in_quick=True) for name in SMALL),
        *(Kind(f"{name}, 360p, 10 s", _made(MIDDLE[name]), ten) for name in middle),
        *(Kind(f"{name}, 1080p, 3 s", _made(LARGE[name]), three) for name in LARGE),
        Kind("H.264, 360p, 3 s of 10 s", _made(MIDDLE["H.264"]), three, 4.1, in_quick=True),
        *(
            Kind(f"{name}, 360p, 3 s of 10 min", lambda name=name: kinds_material.long_file(name), three, middle_s)
            for name in ("H.264, 1 s groups", "HEVC", "VP9")
        ),
    ]


def _made(kind: material.Material) -> Callable[[], Path]:
    return lambda: material.made(kind, material.FOLDER)


def _spec(window_s: float, frames_hz: float) -> ModelSpec:
    # "stretch", because it is the one fit that all readers can do by themselves.
    return ModelSpec(window_s, VideoSpec(frames_hz, _SIDE_PX, _SIDE_PX, fit="stretch"))


def read_ours(path: Path, spec: ModelSpec, start_s: float) -> Got:
    """Our reader in the shape of the others."""
    clip = read_clip(path, spec, start_s)
    return Got(clip.frames, clip.waveform)


def _taken(rounds: int, quick: bool) -> dict[str, dict[str, Taken]]:
    """What everyone who can read it took for each kind of file, in one process."""
    peers, _ = _peers()
    gc.freeze()  # looking through what the packages keep would take longer than most turns
    return {kind.name: _race(kind, peers, rounds) for kind in _kinds() if kind.in_quick or not quick}


def _race(kind: Kind, peers: dict[str, Reader], rounds: int) -> dict[str, Taken]:
    path = kind.path()
    soundless = material.made_soundless(path)
    ours = read_ours(path, kind.spec, kind.start_s)
    able = {name: read for name, read in peers.items() if _reads(read, path, kind, ours)}
    jobs = {"ours": lambda: read_ours(path, kind.spec, kind.start_s)}
    if any(name in able for name in PICTURES_ONLY):
        jobs["ours, no sound"] = lambda: read_ours(soundless, kind.spec, kind.start_s)
    jobs |= {name: lambda read=read: read(path, kind.spec, kind.start_s) for name, read in able.items()}
    return take_turns(jobs, rounds, kind.name, undisturbed=SideBySide())


def _compare(kind: str, taken: dict[str, Taken], peers: dict[str, Reader], report: Report) -> None:
    report.count_again(taken)
    report.ours_cpu_ms[kind] = Spread.of(taken["ours"].cpu_s).times(1000)
    report.cannot[kind] = [name for name in peers if name not in taken]
    able = [name for name in peers if name in taken]
    for name in able:
        fair = "ours, no sound" if name in PICTURES_ONLY else "ours"
        column = f"{name}, no sound" if name in PICTURES_ONLY else name
        report.ratios.append(Ratio.of(kind, column, taken[fair], taken[name]))


def _reads(read: Reader, path: Path, kind: Kind, ours: Got) -> bool:
    """Whether it gives pictures and sound of this window: of ours most pictures, and about as many samples."""
    try:
        got = read(path, kind.spec, kind.start_s)
    except Exception:  # every package has errors of its own
        return False
    if got.pictures is None:
        return True  # ffmpeg, which only decodes
    differ = np.abs(got.pictures.astype(np.float32) - ours.pictures).mean(axis=(1, 2, 3))  # [T]
    few = got.sound is not None and len(got.sound) < 0.95 * len(ours.sound)
    return not few and np.median(differ) < _PICTURES_DIFFER


def _count_right(name: str, numbered: Numbered, peers: dict[str, Reader], report: Report) -> None:
    """The pictures of two windows, one of all that is there and one in the middle, by the numbers that they show."""
    from video_understanding.media.synthetic.barcode import read_barcode

    row = report.right[name] = {}
    for reader, read in {"ours": read_ours, **peers}.items():
        if reader == "ffmpeg":
            continue
        if (reader, name) in _HANGS:
            row[reader] = "hangs"
            continue
        right, total, gave = 0, 0, False
        for spec, start_s in ((_spec(10, 1.6), 0.0), (_spec(3, 4), 6.1)):
            # The last picture shown at or before each instant: [T].
            wanted = np.searchsorted(numbered.frame_times_s(), spec.instants_s(start_s), side="right") - 1
            total += len(wanted)
            try:
                pictures = read(numbered.path, spec, start_s).pictures  # [T,H,W,3]
            except Exception:  # every package has errors of its own
                continue
            gave = True
            right += sum(read_barcode(picture) == want for picture, want in zip(pictures, wanted, strict=True))
        row[reader] = f"{right} of {total}" if gave else "error"


_TEXT = """The same as under [Reading](#reading) on many kinds of files: our CPU time over that of other readers, median
and spread; below, the same on the clock. Lines with "of 10 s" and "of 10 min" read a window in the middle of a longer
file.

```text
{table}
```

Every reader gives the same pictures at 160 px, and the sound; decord knows none, and is compared with ours without.
A dash says that the reader does not open the file, or gives other pictures. torchcodec and PyAV use the same build of
FFmpeg as ours, on one thread and on its default; OpenCV, decord and ffmpeg bring their own. "approx." is torchcodec's
mode that does not look through the whole file first.

Of AV1, VP9 and other codecs whose decoders cannot be told to skip frames, all up to the last wanted one are decoded, by
us as by others: there is little to gain. What we save there is the conversion of frames that nobody wants, and of VP9
in WebM the look at its first pictures that FFmpeg takes when it opens a file.

Right pictures are those shown at the wanted instants on the file's clock, which begins with its first moment of
picture or sound. Who counts frames at a steady rate goes wrong where times are uneven or the picture begins late, and
who takes timestamps as they are goes wrong where they do not begin at zero, as in transport streams.
"""


def _lines(report: Report) -> Iterator[str]:
    yield from pivots(report.ratios)
    readers = list(dict.fromkeys(reader for row in report.right.values() for reader in row))
    cells = {name: [row.get(reader, "-") for reader in readers] for name, row in report.right.items()}
    yield from cells_in_columns("right pictures", readers, cells)
    yield ""
    yield f"{'milliseconds of CPU time, ours':<40} {'median':>8} spread"
    for name, cpu_ms in report.ours_cpu_ms.items():
        yield f"{name:<40} {cpu_ms.columns(1, 8)}"
    yield from last_lines(report)


if __name__ == "__main__":
    sys.exit(main())
