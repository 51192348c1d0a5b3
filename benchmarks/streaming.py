"""What streams cost: windows that overlap, live beside offline, and hours of pictures and sound.

    python -m benchmarks.streaming [--quick] [--json FILE] [--page FILE]

All sides take turns in one run. LiteRT has one thread, TensorFlow as many as it takes by itself. Every ratio is one of
CPU time (of all threads), and on the clock beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import material
from benchmarks.edge_files import BUNDLE, made_edge
from benchmarks.tables import Measured, Ratio, Spread, last_lines, machine, ratio_lines, read_options, tell
from benchmarks.turns import Taken, take_turns
from video_understanding.clip import Clip
from video_understanding.edge import LiteRTScorer
from video_understanding.features.prepare import prepare
from video_understanding.media.decode import iter_clips
from video_understanding.recognition import StreamingRecognizer, Stride, WindowAnswer, WindowScorer
from video_understanding.runtimes import load
from video_understanding.scorer import PartwiseScorer

_STRIDES_S = (4.0, 2.0, 1.0, 0.5)  # windows of four seconds overlap by nothing, a half, three quarters, seven eighths
_QUICK_STRIDES_S = (1.0,)
_WINDOWS, _WARM_ROUNDS = 6, 1
_CAMERA_HZ, _SOUND_S = 30, 0.02  # what comes live: pictures of a camera, portions of a sound card
_LIVE_S, _QUICK_LIVE_S = 60, 20
_HOURS_S, _QUICK_HOURS_S = 3 * 3600, 600
_WARM = 0.2  # the share of the hours in which memory finds its size
_GROWTH_MB_PER_H = 1.0
_PACKAGES = ("ai-edge-litert", "tensorflow", "keras", "numpy", "av")


@dataclass
class Report(Measured):
    """All that was measured."""

    cpu_ms: dict[str, Spread] = field(default_factory=dict)
    memory: list[tuple[float, float]] = field(default_factory=list)
    """Seconds pushed, and megabytes in memory."""


def main() -> int:
    options = read_options(__doc__)
    report = Report(machine=machine(_PACKAGES, options.rounds))
    subprocess.run([sys.executable, "-m", "benchmarks.material"], check=True)
    minute = material.made(material.MINUTE, material.FOLDER)
    files = made_edge()
    scorers: dict[str, PartwiseScorer] = {mode: LiteRTScorer(file, threads=1) for mode, file in files.items()}
    _hours(files["int8"], _QUICK_HOURS_S if options.quick else _HOURS_S, report)
    _live(scorers, minute, _QUICK_LIVE_S if options.quick else _LIVE_S, options.rounds, report)
    scorers["Keras"] = load(BUNDLE).scorer
    for stride_s in _QUICK_STRIDES_S if options.quick else _STRIDES_S:
        _overlap(scorers, minute, stride_s, options.rounds, report)
    tell(report, options, lines=list(_lines(report)), title="Streaming", text=_TEXT)
    return 0


def _overlap(scorers: dict[str, PartwiseScorer], minute: Path, stride_s: float, rounds: int, report: Report) -> None:
    """Windows in the middle of a stream: sharing what they share, beside working each out anew."""
    spec = scorers["fp32"].spec
    first, *clips = iter_clips(minute, spec, stride_s, end=spec.window_s + _WINDOWS * stride_s)
    overlap = f"{100 * (1 - stride_s / spec.window_s):g} % overlap"
    jobs: dict[str, Callable[[], object]] = {}
    for name, scorer in scorers.items():
        streams = iter([_begun(scorer, first) for _ in range(rounds + _WARM_ROUNDS)])  # one for each round
        jobs[f"{name}, shared"] = partial(_go_on, streams, clips)
        jobs[f"{name}, anew"] = lambda scorer=scorer: [scorer(prepare([clip], spec)) for clip in clips]
    taken = take_turns(jobs, rounds, overlap, _WARM_ROUNDS)
    for name in scorers:
        shared, anew = taken[f"{name}, shared"], taken[f"{name}, anew"]
        report.ratios.append(Ratio.of(f"window, {overlap}, {name}", "each anew", shared, anew))
    for name, row in taken.items():
        report.cpu_ms[f"window, {overlap}, {name}"] = _ms(row, len(clips))


def _begun(scorer: PartwiseScorer, first: Clip) -> WindowScorer:
    """A stream in which one window has been, so that what is measured is not its beginning."""
    windows = WindowScorer(scorer)
    windows([first])
    return windows


def _go_on(streams: Iterator[WindowScorer], clips: Sequence[Clip]) -> None:
    """The next stream goes on with these clips, as they come: one by one."""
    windows = next(streams)
    for clip in clips:
        windows([clip])


def _live(scorers: dict[str, PartwiseScorer], minute: Path, seconds: int, rounds: int, report: Report) -> None:
    """A file's beginning in small portions, beside its windows scored from memory; both give the same answers."""
    spec = scorers["fp32"].spec
    stride = Stride.of(spec)
    windows = list(iter_clips(minute, spec, stride.seconds, end=seconds))
    camera = replace(spec, video=replace(spec.video, frames_hz=_CAMERA_HZ))
    clips = list(iter_clips(minute, camera, end=seconds))
    frames = np.concatenate([clip.frames for clip in clips])  # [n,H,W,3]
    times_s = np.concatenate([camera.instants_s(clip.start_s) for clip in clips])  # [n]
    sound = np.concatenate([clip.waveform for clip in clips])  # [m]
    jobs: dict[str, Callable[[], object]] = {}
    for name, scorer in scorers.items():
        live = partial(_live_answers, scorer, frames, times_s, sound)
        jobs |= {f"{name}, live": live, f"{name}, offline": partial(_offline_answers, scorer, windows)}
        _require_same(live(), _offline_answers(scorer, windows))
    taken = take_turns(jobs, rounds, "live")
    for name in scorers:
        report.ratios.append(Ratio.of(f"live, {name}", "offline", taken[f"{name}, live"], taken[f"{name}, offline"]))
    for name, row in taken.items():
        report.cpu_ms[f"a second, {name}"] = _ms(row, seconds)


def _live_answers(
    scorer: PartwiseScorer, frames: np.ndarray, times_s: np.ndarray, sound: np.ndarray
) -> list[WindowAnswer]:
    """Pushes picture by picture, and the sound that came until each of them."""
    stream = StreamingRecognizer(scorer)
    rate_hz = scorer.spec.audio.sample_rate_hz
    portion = round(_SOUND_S * rate_hz)
    heard, events = 0, []
    for frame, time_s in zip(frames, times_s, strict=True):
        events += stream.push_frames(frame[None], np.array([time_s]))
        while heard + portion <= time_s * rate_hz:
            events += stream.push_sound(sound[heard : heard + portion], heard / rate_hz)
            heard += portion
    events += stream.push_sound(sound[heard:], heard / rate_hz)
    events += stream.finish(len(sound) / rate_hz)
    return [event.answer for event in events if event.answer is not None]


def _offline_answers(scorer: PartwiseScorer, clips: Sequence[Clip]) -> list[WindowAnswer]:
    windows = WindowScorer(scorer)
    return [answer for clip in clips for answer in windows([clip])]


def _require_same(live: Sequence[WindowAnswer], offline: Sequence[WindowAnswer]) -> None:
    for one, other in zip(live, offline, strict=True):
        for head, scores in other.scores.items():
            np.testing.assert_array_equal(one.scores[head], scores, f"{head} at {other.start_s:g} s")


def _hours(file: Path, seconds: int, report: Report) -> None:
    """Memory and time of a stream that goes on and on."""
    command = [sys.executable, "-m", "benchmarks.long_stream", str(file), str(seconds)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    rows = np.array(told["rows"])  # [rows,3]: seconds pushed, MB, seconds of CPU time
    spec = LiteRTScorer(file).spec
    wanted = int((seconds - spec.window_s) / Stride.of(spec).seconds)
    if not wanted - 1 <= told["answers"] <= wanted + 1:
        raise ValueError(f"{told['answers']} answers came in {seconds} s, not about {wanted}")
    warm = rows[rows[:, 0] > _WARM * seconds]  # [n,3]
    slope, *thirds = (_growth_mb_per_h(part) for part in (warm, *np.array_split(warm, 3)))
    growth = Spread(slope, min(slope, *thirds), max(slope, *thirds))
    what = f"growth of memory in {seconds / 3600:.2g} h, MB an hour"
    goal = _GROWTH_MB_PER_H if seconds >= 3600 else None  # within minutes, single pages decide
    report.ratios.append(Ratio(what, "1 MB", growth, goal))
    part = len(warm) // 4
    per_s_ms = 1000 * warm[:, 2] / (rows[0, 0])  # [n]
    begin, end = per_s_ms[:part], per_s_ms[-part:]
    report.ratios.append(Ratio("a second at the end", "at the beginning", Spread.of(list(end / begin))))
    for when, own in (("beginning", begin), ("end", end)):
        report.cpu_ms[f"a second of the hours, at the {when}"] = Spread.of(list(own))
    report.memory = [(float(row[0]), float(row[1])) for row in rows[:: len(rows) // 6]]
    report.memory.append((float(rows[-1, 0]), float(rows[-1, 1])))


def _growth_mb_per_h(rows: np.ndarray) -> float:
    """The slope of a line through rows [n,3] of seconds, megabytes and more."""
    return float(np.polyfit(rows[:, 0] / 3600, rows[:, 1], 1)[0])


def _ms(taken: Taken, pieces: int) -> Spread:
    """Milliseconds of CPU time of one of so many pieces."""
    return Spread.of(taken.cpu_s).times(1000 / pieces)


_TEXT = """The preset "edge" as exported, by LiteRT on one thread, and the same model by Keras. Ratios are of CPU time
and count, those on the clock stand beside them; milliseconds belong to the machine named below.

```text
{table}
```

Windows are four seconds long; some of them in the middle of a stream, out of clips that lie ready in memory. "Shared"
encodes each frame and each hop of sound once, "anew" all of every window: what is left at seven eighths is an eighth of
the encoding, the joining, and knowing the old parts by their bytes. Live, thirty pictures and fifty portions of sound
a second are pushed one by one, of which two pictures are looked at; offline, the same windows are scored as clips. Live
loses: eighty calls a second cost something, and the less the network does, the more of the whole that is. Both
give the same answers to the bit, or the benchmark stops. Decoding is part of neither. The hours are drawn pictures, ten
a second, and sound, pushed in a process of its own as fast as it goes; drawing them is part of the time. Growth is that
of a line through memory after the first fifth, its spread those of lines through each third of that; in a short run it
is no more than a hint.
"""


def _lines(report: Report) -> Iterator[str]:
    yield from ratio_lines(report.ratios, 46, 16)
    yield f"{'milliseconds of CPU time':<46} {'median':>8} spread"
    for what, cpu_ms in report.cpu_ms.items():
        yield f"{what:<46} {cpu_ms.columns(2, 8)}"
    yield "memory: " + ", ".join(f"{seconds / 60:.0f} min {mb:.1f} MB" for seconds, mb in report.memory)
    yield from last_lines(report)


if __name__ == "__main__":
    sys.exit(main())
