"""From a file to its labels: ours, beside Transformers' pipeline and what tutorials do with OpenCV, librosa, Keras."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import video_understanding as vu
from benchmarks.clips import MINUTE, TEN_SECONDS, BenchClip, make_clips
from benchmarks.edge_model import BUNDLE, edge_files
from benchmarks.interleave import PRINT_PEAK_MB, Program
from benchmarks.peers.whole_files import keras_tutorial, transformers_pipeline
from benchmarks.report import FIRST_ANSWER_ROUNDS, Run

TITLE = "Whole path"
PACKAGES = (
    "ai-edge-litert", "tensorflow", "torch", "transformers", "opencv-python-headless", "librosa", "numpy", "av",
)  # fmt: skip
_LITERT = """
import sys
from video_understanding.edge import LiteRTScorer
from video_understanding.recognition import Recognizer
Recognizer(LiteRTScorer(sys.argv[1])).predict("build/bench/ten_seconds.mp4")
"""
_KERAS = """
import sys
import video_understanding as vu
vu.load(sys.argv[1]).predict("build/bench/ten_seconds.mp4")
"""
_PEER = """
import sys
from benchmarks.clips import TEN_SECONDS
from benchmarks.peers import whole_files
getattr(whole_files, sys.argv[1])()(TEN_SECONDS)
"""
_PEERS = {"OpenCV, librosa, Keras": keras_tutorial, "Transformers": transformers_pipeline}


def measure(run: Run) -> None:
    make_clips()
    jobs: dict[str, Any] = {}
    for name, make in _PEERS.items():  # before anything imports av: cv2 has to come first
        jobs |= run.installed(name, make)
    programs = {name: Program(_PEER + PRINT_PEAK_MB, _PEERS[name].__name__) for name in jobs}
    models = {f"LiteRT {mode}": (_LITERT, file) for mode, file in edge_files().items()} | {"Keras": (_KERAS, BUNDLE)}
    recognizers = {name: vu.load(model) for name, (_, model) in models.items()}
    jobs = {name: lambda clip, own=own: own.predict(clip.path) for name, own in recognizers.items()} | jobs
    programs = {name: Program(script + PRINT_PEAK_MB, model) for name, (script, model) in models.items()} | programs
    for clip in (TEN_SECONDS,) if run.quick else (TEN_SECONDS, MINUTE):
        what = f"{clip.seconds} s file"
        of_clip = {name: partial(job, clip) for name, job in jobs.items()}
        run.compare(what, run.interleave(what, of_clip, parallel=True), list(models))
        _true_batches(run, f"windows of a {what}", recognizers["Keras"].scorer, clip)
    if run.quick:
        return
    # A new process from its first import to its first answer; no round to warm up in: this one has read the same files.
    rounds = min(run.rounds, FIRST_ANSWER_ROUNDS)
    timings = run.interleave("first answer", programs, rounds=rounds, warm_rounds=0)
    run.compare("first answer", timings, list(models))
    peaks = ", ".join(f"{name} {float(program.output.split()[-1]):.0f} MB" for name, program in programs.items())
    run.facts["peak memory of a new process"] = peaks


def _true_batches(run: Run, what: str, scorer: Any, clip: BenchClip) -> None:
    """The windows of a whole file in true batches, beside each by itself, as a stream scores them."""
    windows = vu.prepare(list(vu.iter_clips(clip.path, scorer.spec)), scorer.spec)
    ours, alone = "score(exact=False)", "score(exact=True)"
    jobs = {ours: partial(scorer.score, windows, exact=False), alone: partial(scorer.score, windows, exact=True)}
    run.compare(f"{what}: {ours}", run.interleave(what, jobs, parallel=True), [ours])
