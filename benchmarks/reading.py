"""How much CPU time reading takes, beside the ways people read clips otherwise.

    python -m benchmarks.reading [--quick] [--json FILE]

All readers take turns in one run, so that a busy machine troubles them alike. Each gives the same T
pictures of the same window at the same size, and all but OpenCV and decord its sound. Lines that say "no sound"
leave it out on our side, too: there ours reads the same pictures from a file that has none. CPU time is user
and system time of all threads and of the programs that a reader starts. Every ratio is ours over theirs: the median
of the rounds, and the lowest and highest of them; that of CPU time counts, that on the clock stands beside it.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmarks import material
from benchmarks.peers import PICTURES_ONLY, Reader, available_peers, start_with_ffmpeg
from benchmarks.processors import SideBySide
from benchmarks.tables import Measured, Ratio, Spread, last_lines, machine, ratio_lines, read_options, tell
from benchmarks.turns import Taken, take_turns
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.rows import Row
from video_understanding.media.decode import read_clip
from video_understanding.spec import ModelSpec, VideoSpec

_SIDE_PX = 160
_WALKS_MIN = (1, 10)
_PACKAGES = (
    "numpy", "av", "opencv-python-headless", "decord", "imageio-ffmpeg", "librosa", "moviepy", "torchcodec",
)  # fmt: skip
_WALK = """
import sys
from video_understanding.media.decode import iter_clips
from video_understanding.spec import ModelSpec
clips = sum(1 for _ in iter_clips(sys.argv[1], ModelSpec(), end=60 * float(sys.argv[2])))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(clips, int(status["VmHWM"].split()[0]) / 1024)
"""


@dataclass(frozen=True)
class Race:
    """One window that all readers read, and what is hoped for: our CPU time over a peer's, at most."""

    name: str
    material: material.Material
    spec: ModelSpec
    goals: dict[str, float]


@dataclass
class Report(Measured):
    """All that was measured."""

    cpu_ms: dict[str, dict[str, Spread]] = field(default_factory=dict)
    """For each window and reader."""
    picture_difference: dict[str, dict[str, float]] = field(default_factory=dict)
    """How far the worst of a peer's pictures is from ours, on average over its pixels, 0 to 255."""
    walks: dict[str, dict[str, float]] = field(default_factory=dict)
    cached_clips_per_s: Spread | None = None


def main() -> int:
    options = read_options(__doc__)
    start_with_ffmpeg()
    subprocess.run([sys.executable, "-m", "benchmarks.material"], check=True)
    peers, absent = available_peers()  # before anything else imports av: cv2 has to come first
    gc.freeze()  # looking through what the packages keep would take longer than most turns
    report = Report(absent=absent, machine=machine(_PACKAGES, options.rounds))
    peers.pop("torchcodec, approx.", None)  # differs where files are long: benchmarks.kinds shows it
    for race in _races():
        goals_of = {peer.removesuffix(", no sound") for peer in race.goals}
        racing = {name: read for name, read in peers.items() if name in goals_of} if options.quick else peers
        _run(race, racing, options.rounds, report)
    _run_cache(options.rounds, report)
    if not options.quick:
        _run_long(options.rounds, report)
    tell(report, options, lines=list(_lines(report)), title="Reading", text=_TEXT)
    return 0


def _races() -> list[Race]:
    others = dict.fromkeys(("OpenCV, no sound", "decord, no sound", "plain PyAV"), 0.60)
    goals = {"ffmpeg": 0.50, **others}
    return [
        Race("10 s H.264", material.TEN_SECONDS, _spec(10, 1.6), goals),
        Race("3 s H.264", material.THREE_SECONDS, _spec(3, 4), goals),
        Race("60 s H.264, 1 s groups", material.MINUTE, _spec(60, 0.25), goals | {"ffmpeg": 0.16}),
        Race("10 s VP9", material.VP9, _spec(10, 1.6), {"OpenCV, no sound": 1.0}),
    ]


def _spec(window_s: float, frames_hz: float) -> ModelSpec:
    # "stretch", because it is the one fit that all readers can do by themselves.
    return ModelSpec(window_s, VideoSpec(frames_hz, _SIDE_PX, _SIDE_PX, fit="stretch"))


def _run(race: Race, peers: dict[str, Reader], rounds: int, report: Report) -> None:
    path = material.made(race.material, material.FOLDER)
    soundless = material.made_soundless(path)
    jobs = {
        "ours": lambda: read_clip(path, race.spec).frames,
        "ours, no sound": lambda: read_clip(soundless, race.spec).frames,
    } | {name: lambda read=read: read(path, race.spec, 0.0) for name, read in peers.items()}
    taken = take_turns(jobs, rounds, race.name, undisturbed=SideBySide())
    report.count_again(taken)
    report.cpu_ms[race.name] = _in_ms(taken)
    ours, ours_soundless = taken.pop("ours"), taken.pop("ours, no sound")
    for peer, theirs in taken.items():
        report.ratios.append(Ratio.of(race.name, peer, ours, theirs, race.goals.get(peer)))
        if peer in PICTURES_ONLY:
            goal = race.goals.get(f"{peer}, no sound")
            report.ratios.append(Ratio.of(race.name, f"{peer}, no sound", ours_soundless, theirs, goal))
    others = [name for name in taken if name != "ffmpeg"]
    pictures = jobs["ours"]().astype(np.float32)  # [T,H,W,3]
    report.picture_difference[race.name] = {
        name: float(np.abs(pictures - jobs[name]().pictures).mean(axis=(1, 2, 3)).max()) for name in others
    }


def _run_long(rounds: int, report: Report) -> None:
    """Whether a window costs the same wherever it lies, and a walk no memory however long it is."""
    minute = material.made(material.MINUTE, material.FOLDER)
    hour = material.made_hour(minute, material.FOLDER)
    spec, offset_s = ModelSpec(), 28.0
    middle_s = 60 * material.MINUTES_IN_HOUR / 2 + offset_s  # the very same packets as in the minute
    taken = take_turns(
        {"hour": lambda: read_clip(hour, spec, middle_s), "minute": lambda: read_clip(minute, spec, offset_s)},
        rounds,
        "long files",
    )
    what = f"{spec.window_s:g} s in the middle of an hour"
    report.cpu_ms[what] = _in_ms(taken)
    report.ratios.append(Ratio.of(what, "the same in a minute", taken["hour"], taken["minute"], None))
    for minutes in _WALKS_MIN:
        command = [sys.executable, "-c", _WALK, str(hour), str(minutes)]
        clips, peak_mb = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        report.walks[f"{minutes} min"] = {"clips": int(clips), "peak_mb": float(peak_mb)}


def _run_cache(rounds: int, report: Report) -> None:
    """How many prepared clips of the default spec a warm cache gives in a second, copied out in batches."""
    minute = material.made(material.MINUTE, material.FOLDER).resolve()
    rows = [Row(minute, start_s=float(second), end_s=second + 4.0) for second in range(56)]
    prepared = ClipCache(material.FOLDER / "cache").prepare(rows, ModelSpec(), progress=False)
    rates = []
    for number in range(rounds + 1):
        order = np.random.default_rng(number).permutation(len(prepared))
        began_s = time.perf_counter()
        for first in range(0, len(order), 16):
            prepared.arrays("video", order[first : first + 16])
            prepared.arrays("audio", order[first : first + 16])
        if number:
            rates.append(len(order) / (time.perf_counter() - began_s))
    report.cached_clips_per_s = Spread.of(rates)


def _in_ms(taken: dict[str, Taken]) -> dict[str, Spread]:
    return {name: Spread.of(row.cpu_s).times(1000) for name, row in taken.items()}


_TEXT = """`make bench` measures reading beside the ways people read clips otherwise, in an environment of its own, on
files that are made for it, everything taking turns in one run. Ratios are our CPU time over theirs and count;
milliseconds belong to the machine named below.

```text
{table}
```

OpenCV and decord read no sound; lines with "no sound" leave it out on our side, too, and these have the goals.

What limits it: of the frames that no wanted one needs, a decoder can be told to skip only those that nothing leans on.
In x264's default pattern these are half of all frames, and the cheaper half. Decoding the others is most of our time
([reading.md](reading.md)). To open such files we leave out the look at their first pictures that FFmpeg takes by
itself. A window in the middle of an hour costs what it costs in a minute, and the reading of the file's index by FFmpeg
when it is opened.
"""


def _lines(report: Report) -> Iterator[str]:
    yield from ratio_lines(report.ratios, 30, 22)
    yield f"{'milliseconds of CPU time':<30} {'reader':<22} {'median':>6} {'spread':<15} worst picture's difference"
    for what, readers in report.cpu_ms.items():
        for reader, cpu_ms in readers.items():
            difference = report.picture_difference.get(what, {}).get(reader)
            told = "" if difference is None else f"{difference:.1f} of 255"
            yield f"{what:<30} {reader:<22} {cpu_ms.columns(1, 6)} {told}"
    for minutes, walk in report.walks.items():
        yield f"{'walk of ' + minutes:<30} {walk['clips']} clips, peak memory {walk['peak_mb']:.0f} MB"
    if report.cached_clips_per_s:
        median, low, high = report.cached_clips_per_s
        rate = f"{median:.0f} clips a second ({low:.0f} - {high:.0f})"
        yield f"{'warm cache, batches of 16':<30} {rate:<45} goal >= 3000"
    yield from last_lines(report)


if __name__ == "__main__":
    sys.exit(main())
