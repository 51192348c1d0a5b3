"""What streams cost: windows that overlap, live beside offline, and hours of frames and sound.

LiteRT has one thread, TensorFlow as many as it takes by itself.

    python -m benchmarks.sections.streaming MODEL.tflite SECONDS

pushes a stream as fast as it goes, in a process whose memory is nothing else's. It prints as JSON how many answers
came, and rows of [seconds pushed, megabytes in memory, seconds of CPU time since the last row].
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import video_understanding as vu
from benchmarks.clips import MINUTE, make_clips
from benchmarks.edge_model import BUNDLE, edge_files
from benchmarks.interleave import Job, Timing
from benchmarks.report import Run, Spread
from video_understanding.edge import LiteRTScorer
from video_understanding.recognition import StreamingRecognizer, Stride, WindowAnswer, WindowScorer
from video_understanding.scorer import PartwiseScorer

TITLE = "Streaming"
PACKAGES = ("ai-edge-litert", "tensorflow", "keras", "numpy", "av")
_STRIDES_S = (4.0, 2.0, 1.0, 0.5)  # windows of four seconds overlap by nothing, a half, three quarters, seven eighths
_WINDOWS = 6
_SHARED_GOAL = 0.35  # of the time of computing each anew, at the usual overlap, by LiteRT
_CAMERA_HZ, _SOUND_S = 30, 0.02  # what comes live: frames of a camera, portions of a sound card
_LIVE_S, _QUICK_LIVE_S = 60, 20
_HOURS_S, _QUICK_HOURS_S = 3 * 3600, 600
_WARM = 0.2  # the share of the hours in which memory finds its size
_GROWTH_MB_PER_H = 1.0
_ROWS, _PORTION_S = 60, 0.1  # of the hours: a frame and its sound come at once
_SEED = 5


def measure(run: Run) -> None:
    from video_understanding.runtimes import load

    make_clips()
    files = edge_files()
    scorers: dict[str, PartwiseScorer] = {mode: LiteRTScorer(file, threads=1) for mode, file in files.items()}
    _hours(run, files["int8"], _QUICK_HOURS_S if run.quick else _HOURS_S)
    _live(run, scorers, _QUICK_LIVE_S if run.quick else _LIVE_S)
    scorers["Keras"] = load(BUNDLE).scorer
    for stride_s in (1.0,) if run.quick else _STRIDES_S:
        _overlap(run, scorers, stride_s)


def _overlap(run: Run, scorers: dict[str, PartwiseScorer], stride_s: float) -> None:
    """Windows in the middle of a stream: sharing what they share, beside computing each anew."""
    spec = scorers["fp32"].spec
    first, *clips = vu.iter_clips(MINUTE.path, spec, stride_s, end=spec.window_s + _WINDOWS * stride_s)
    what = f"window, {100 * (1 - stride_s / spec.window_s):g} % overlap"
    jobs: dict[str, Job] = {}
    for name, scorer in scorers.items():
        streams = iter([_begun(scorer, first) for _ in range(run.rounds + 1)])  # one for each round
        jobs[f"{name}, shared"] = lambda streams=streams: _offline_answers(next(streams), clips)
        jobs[f"{name}, anew"] = lambda scorer=scorer: [scorer(vu.prepare([clip], spec)) for clip in clips]
    timings = run.interleave(what, jobs, pieces=len(clips))
    for name in scorers:
        goal = _SHARED_GOAL if stride_s == Stride.of(spec).seconds and name != "Keras" else None
        run.ratio(f"{what}, {name}", "each anew", timings[f"{name}, shared"], timings[f"{name}, anew"], goal)


def _begun(scorer: PartwiseScorer, first: vu.Clip) -> WindowScorer:
    """A stream in which one window has been, so that what is measured is not its beginning."""
    windows = WindowScorer(scorer)
    windows([first])
    return windows


def _live(run: Run, scorers: dict[str, PartwiseScorer], seconds: int) -> None:
    """A file's beginning in small portions, beside its windows scored from memory; both give the same answers."""
    spec = scorers["fp32"].spec
    windows = list(vu.iter_clips(MINUTE.path, spec, Stride.of(spec).seconds, end=seconds))
    camera = replace(spec, video=replace(spec.video, frames_hz=_CAMERA_HZ))
    clips = list(vu.iter_clips(MINUTE.path, camera, end=seconds))
    frames = np.concatenate([clip.frames for clip in clips])  # [n,H,W,3]
    times_s = np.concatenate([camera.instants_s(clip.start_s) for clip in clips])  # [n]
    sound = np.concatenate([clip.waveform for clip in clips])  # [m]
    jobs: dict[str, Job] = {}
    for name, scorer in scorers.items():
        live = partial(_live_answers, scorer, frames, times_s, sound)
        offline = lambda scorer=scorer: _offline_answers(WindowScorer(scorer), windows)  # noqa: E731
        jobs |= {f"{name}, live": live, f"{name}, offline": offline}
        for one, other in zip(live(), offline(), strict=True):
            for head, scores in other.scores.items():
                np.testing.assert_array_equal(one.scores[head], scores, f"{head} at {other.start_s:g} s")
    timings = run.interleave("a second", jobs, pieces=seconds)
    for name in scorers:
        run.ratio(f"live, {name}", "offline", timings[f"{name}, live"], timings[f"{name}, offline"])


def _live_answers(
    scorer: PartwiseScorer, frames: np.ndarray, times_s: np.ndarray, sound: np.ndarray
) -> list[WindowAnswer]:
    """Pushes frame by frame, and the sound that came until each of them."""
    stream = StreamingRecognizer(scorer)
    rate_hz = scorer.spec.audio.sample_rate_hz
    portion = round(_SOUND_S * rate_hz)
    pushed, events = 0, []
    for frame, time_s in zip(frames, times_s, strict=True):
        events += stream.push_frames(frame[None], np.array([time_s]))
        while pushed + portion <= time_s * rate_hz:
            events += stream.push_sound(sound[pushed : pushed + portion], pushed / rate_hz)
            pushed += portion
    events += stream.push_sound(sound[pushed:], pushed / rate_hz)
    events += stream.finish(len(sound) / rate_hz)
    return [event.answer for event in events if event.answer is not None]


def _offline_answers(windows: WindowScorer, clips: Sequence[vu.Clip]) -> list[WindowAnswer]:
    """The clips as they come: one by one."""
    return [answer for clip in clips for answer in windows([clip])]


def _hours(run: Run, file: Path, seconds: int) -> None:
    """Memory and time of a stream that goes on and on."""
    command = [sys.executable, "-m", "benchmarks.sections.streaming", str(file), str(seconds)]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    rows = np.array(found["rows"])  # [rows,3]: seconds pushed, MB, seconds of CPU time
    spec = LiteRTScorer(file).spec
    wanted = int((seconds - spec.window_s) / Stride.of(spec).seconds)
    if not wanted - 1 <= found["answers"] <= wanted + 1:
        raise ValueError(f"{found['answers']} answers came in {seconds} s, not about {wanted}")
    warm = rows[rows[:, 0] > _WARM * seconds]  # [n,3]
    slopes = [float(np.polyfit(part[:, 0] / 3600, part[:, 1], 1)[0]) for part in (warm, *np.array_split(warm, 3))]
    goal = _GROWTH_MB_PER_H if seconds >= 3600 else None  # within minutes, single pages decide
    growth = Spread(slopes[0], min(slopes), max(slopes))
    run.number(f"growth of memory in {seconds / 3600:.2g} h, MB an hour", "1 MB", growth, goal)
    part, per_s = len(warm) // 4, warm[:, 2] / rows[0, 0]  # [n] seconds of CPU time for each second
    begin, end = (Timing(list(own), list(own)) for own in (per_s[:part], per_s[-part:]))
    run.record("a second of the hours", {"at the beginning": begin, "at the end": end})
    run.ratio("a second at the end", "at the beginning", end, begin)
    some = [*rows[:: len(rows) // 6], rows[-1]]
    run.facts["memory"] = ", ".join(f"{pushed_s / 60:.0f} min {mb:.1f} MB" for pushed_s, mb, _ in some)


def _stream_for_hours(file: str, seconds: int) -> None:
    stream = StreamingRecognizer(LiteRTScorer(file))
    shape, samples = (1, *stream.spec.read_shape[1:]), round(_PORTION_S * stream.spec.audio.sample_rate_hz)
    rng, answers, rows, began_s = np.random.default_rng(_SEED), 0, [], time.process_time()
    for number in range(round(seconds / _PORTION_S)):
        at_s = number * _PORTION_S
        # No two frames are the same, or the stream would find them in its cache.
        events = stream.push_frames(rng.integers(0, 256, shape, np.uint8), np.array([at_s]))
        answers += len(events + stream.push_sound(rng.normal(0, 0.1, samples).astype(np.float32), at_s))
        if (number + 1) % round(seconds / _PORTION_S / _ROWS) == 0:
            status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
            memory_mb = int(status["VmRSS"].split()[0]) / 1024
            rows.append((at_s + _PORTION_S, memory_mb, time.process_time() - began_s))
            began_s = time.process_time()
    print(json.dumps({"answers": answers, "rows": rows}))


if __name__ == "__main__":
    _stream_for_hours(sys.argv[1], int(sys.argv[2]))
