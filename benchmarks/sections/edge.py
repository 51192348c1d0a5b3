"""How fast the exported files are on one thread, beside onnxruntime, the matrix product, reading, and bare LiteRT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import video_understanding as vu
from benchmarks.clips import MINUTE, TEN_MINUTES, TEN_SECONDS, make_clips
from benchmarks.edge_model import BUNDLE, edge_facts, edge_files
from benchmarks.interleave import PRINT_PEAK_MB, Job, Program, Timing
from benchmarks.report import Run, Spread
from video_understanding.edge import LiteRTScorer
from video_understanding.edge.litert_scorer import AT_ONCE
from video_understanding.recognition import Recognizer, Stride

TITLE = "Edge"
PACKAGES = ("ai-edge-litert", "onnxruntime", "numpy", "av")
_FRAMES, _MATRIX = 6 * AT_ONCE, 768
_HOW = {"frames of a file": AT_ONCE, "frame of a stream": 1}  # how frames are asked for, and so many at once
_LIVE_HZ = 4.0  # frames a second that a device should keep up with
_BARE = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
run = Interpreter(sys.argv[1], num_threads=1).get_signature_runner("classify")
inputs = {name: np.zeros(facts["shape"], facts["dtype"]) for name, facts in run.get_input_details().items()}
inputs["presence"] += 1
run(**inputs)
"""
_OURS = """
import sys
import numpy as np
from video_understanding.edge import LiteRTScorer
from video_understanding.scorer import ModelInputs
scorer = LiteRTScorer(sys.argv[1])
video = np.zeros((1, *scorer.spec.frames_shape), np.uint8)
audio = np.zeros((1, scorer.spec.samples), np.float32)
scorer(ModelInputs({"video": video, "audio": audio}, np.ones((1, 2), bool)))
"""
_PREDICT = """
import sys
from video_understanding.recognition import Recognizer
from video_understanding.edge import LiteRTScorer
Recognizer(LiteRTScorer(sys.argv[1])).predict(sys.argv[2])
"""
Scorers = dict[str, LiteRTScorer]


def measure(run: Run) -> None:
    files = edge_files()
    make_clips()
    scorers = {name: LiteRTScorer(file, threads=1) for name, file in files.items()}
    with threadpool_limits(1):  # NumPy's matrix product is one thread's measure
        frames = _frame_encoder(run, scorers)
        parts = _parts(run, scorers)
    _files(run, scorers)
    _live(run, files, {name: [frames[name], *parts[name]] for name in scorers})
    _first_answer(run, files)
    if not run.quick:
        _long_file(run, files["int8"])


def _frame_encoder(run: Run, scorers: Scorers) -> dict[str, Timing]:
    """Frames to tokens, as files and as streams ask for them, beside onnxruntime and the machine's matrix product."""
    spec, frame_flops = scorers["fp32"].spec, edge_facts()["frame_flops"]
    frames = np.concatenate([clip.frames for clip in vu.iter_clips(MINUTE.path, spec)])[:_FRAMES]  # [n,H,W,3]
    factors = np.random.default_rng(0).standard_normal((2, _MATRIX, _MATRIX)).astype(np.float32)
    sessions = run.installed("onnxruntime", _onnx_sessions).get("onnxruntime", {})
    encode: dict[str, Callable[[np.ndarray], Any]] = {
        name: partial(scorer.encode_pieces, "video") for name, scorer in scorers.items()
    }
    for name, session in sessions.items():
        encode[f"onnxruntime {name}"] = lambda part, session=session: session.run(None, {"frame": part})[0]

    def all_frames(encode: Callable[[np.ndarray], Any], at_once: int) -> None:
        for part in np.split(frames, _FRAMES // at_once):
            encode(part)

    jobs: dict[str, Job] = {"matrix product": lambda: [factors[0] @ factors[1] for _ in range(10)]} | {
        f"{how}, {name}": partial(all_frames, own, at_once)
        for how, at_once in _HOW.items()
        for name, own in encode.items()
    }
    timings = run.interleave("a frame", jobs, pieces=_FRAMES)
    del run.times_ms["a frame: matrix product"]
    flops_per_s = 10 * 2 * _MATRIX**3 / np.array(timings["matrix product"].cpu_s)  # [rounds]
    for how in _HOW:
        for name in sessions:
            ours, theirs = timings[f"{how}, {name}"], timings[f"{how}, onnxruntime {name}"]
            run.ratio(f"{how}, {name}", "onnxruntime", ours, theirs, 1.0)
        fp32, int8 = timings[f"{how}, fp32"], timings[f"{how}, int8"]
        run.ratio(f"{how}, int8", "fp32", int8, fp32, 0.5)
        share = Spread.of(list(_FRAMES * frame_flops / np.array(fp32.cpu_s) / flops_per_s))
        run.number(f"{how}, fp32: operations a second", "matrix product", share, 0.75, at_least=True)
    run.facts["a frame"] = f"{frame_flops / 1e9:.3f} thousand million operations"
    run.facts["matrix product"] = f"{np.median(flops_per_s) / 1e9:.0f} thousand million operations a second"
    return {name: timings[f"frame of a stream, {name}"] for name in scorers}


def _onnx_sessions() -> dict[str, Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    files = {name: BUNDLE / f"frame_encoder_{name}.onnx" for name in ("fp32", "int8")}
    return {
        name: onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        for name, file in files.items()
        if file.exists()
    }


def _parts(run: Run, scorers: Scorers) -> dict[str, list[Timing]]:
    """What a chunk of sound and the fusion of a window cost, each alone."""
    spec = scorers["fp32"].spec
    chunks = np.random.default_rng(1).normal(0, 0.1, (_FRAMES, spec.audio.hop_samples)).astype(np.float32)
    tokens = {name: np.zeros((_FRAMES, *shape), np.float32) for name, shape in scorers["fp32"].token_shapes.items()}
    window = (tokens, np.ones((_FRAMES, len(tokens)), bool))
    jobs: dict[str, Job] = {}
    for name, scorer in scorers.items():
        jobs |= {
            f"chunk, {name}": partial(scorer.encode_pieces, "audio", chunks),
            f"fusion, {name}": partial(scorer.fuse, *window),
        }
    timings = run.interleave("a part", jobs, pieces=_FRAMES)
    return {name: [timings[f"{part}, {name}"] for part in ("chunk", "fusion")] for name in scorers}


def _files(run: Run, scorers: Scorers) -> None:
    """From a file to its labels, beside only reading the same windows."""
    spec, path = scorers["fp32"].spec, TEN_SECONDS.path
    jobs: dict[str, Job] = {name: partial(Recognizer(scorer).predict, path) for name, scorer in scorers.items()}
    jobs["reading"] = lambda: sum(1 for _ in vu.iter_clips(path, spec, Stride.of(spec).seconds))
    timings = run.interleave("10 s file to labels", jobs)
    for name, goal in (("fp32", 1.4), ("int8", 1.2)):
        run.ratio(f"10 s file to labels, {name}", "reading", timings[name], timings["reading"], goal)


def _live(run: Run, files: dict[str, Path], parts: dict[str, list[Timing]]) -> None:
    """How many times faster than real time, four frames and all sound a second, decoding included."""
    spec = LiteRTScorer(files["int8"]).spec
    live = replace(spec, video=replace(spec.video, frames_hz=_LIVE_HZ))
    reading = run.interleave("live", {"reading": lambda: sum(1 for _ in vu.iter_clips(MINUTE.path, live))})["reading"]
    rates_hz = (_LIVE_HZ, 1 / spec.audio.hop_s, 1 / spec.audio.hop_s)  # an answer at every chunk of sound
    for name, file in files.items():
        s = sum(hz * float(np.median(part.cpu_s)) / _FRAMES for hz, part in zip(rates_hz, parts[name], strict=True))
        read_s = np.array(reading.cpu_s) / MINUTE.seconds  # [rounds]
        run.facts[f"a live second, {name}"] = (
            f"{1000 * s:.1f} ms of network at {_LIVE_HZ:g} frames a second, "
            f"{1000 * np.median(read_s):.1f} ms of decoding 640x360 at 30"
        )
        spare = Spread.of(list(1 / (s + read_s)))
        run.number(f"real time, {name}, decoding included", "one core", spare, 10.0, at_least=True)
        run.number(f"size of the file, {name}", "1 MB", file.stat().st_size / 1e6, 5.0 if name == "int8" else None)


def _first_answer(run: Run, files: dict[str, Path]) -> None:
    """A new process until its first answer: imports, loading, one clip; and the same with LiteRT and NumPy alone."""
    for name, file in files.items():
        jobs = {"ours": Program(_OURS, file), "bare LiteRT": Program(_BARE, file)}
        timings = run.interleave(f"first answer, {name}", jobs)
        run.compare(f"first answer, {name}", timings, goals={"bare LiteRT": 1.5})


def _long_file(run: Run, file: Path) -> None:
    """Ten minutes beside one: ten times the work, and no more memory."""
    clips = {"1 min": MINUTE.path, "10 min": TEN_MINUTES.path}
    walks = {length: Program(_PREDICT + PRINT_PEAK_MB, file, clip) for length, clip in clips.items()}
    run.compare("10 min to labels, int8", run.interleave("long file", walks, rounds=3), ["10 min"], {"1 min": 10.5})
    run.facts["peak memory"] = ", ".join(f"{name} {float(walk.output):.0f} MB" for name, walk in walks.items())
