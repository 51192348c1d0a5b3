"""The exported edge beside what one could run instead: MoViNet-A0 stream and VideoMAE-small, with random weights."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import video_understanding as vu
from benchmarks.clips import FOLDER, TEN_SECONDS, make_clips
from benchmarks.edge_model import edge_files
from benchmarks.interleave import Timing, interleave, joined
from benchmarks.peers.whole_files import WEIGHTS, video_mae
from benchmarks.report import Run, undisturbed
from benchmarks.subprocess_side import Side, SubprocessSide
from video_understanding.edge import LiteRTScorer
from video_understanding.recognition import Stride, WindowScorer

TITLE = "Edge beside other models"
PACKAGES = ("ai-edge-litert", "tensorflow", "torch", "transformers", "numpy")
_MOVINET = FOLDER / "movinet_a0_stream.tflite"
# Where threads wait for each other, one process is quicker than the next: the spread shows it.
_PROCESSES = 3
_ANSWER = "answer"


def measure(run: Run) -> None:
    make_clips()
    ours = {f"ours, {mode}": (our_side, file, file) for mode, file in edge_files().items()}
    sides = ours | {"MoViNet-A0 stream": (movinet_side, _movinet(run), _MOVINET)}
    for name, folder in run.installed("VideoMAE-small", video_mae).items():
        sides[name] = (video_mae_side, folder, WEIGHTS)
    processes = 1 if run.quick else _PROCESSES
    rounds = math.ceil(run.rounds / processes)
    for threads in (1, 2):
        what = f"10 s, {threads} thread{'s' if threads > 1 else ''}"
        timings = run.record(what, joined([_answers(run, sides, threads, rounds) for _ in range(processes)]))
        run.compare(what, timings, list(ours))
    run.rounds = processes * rounds


def _answers(run: Run, sides: dict[str, tuple], threads: int, rounds: int) -> dict[str, Timing]:
    """The timing of answers, each side in a process of its own."""
    with ExitStack() as processes:
        others = {name: processes.enter_context(SubprocessSide(make, model, threads))
                  for name, (make, model, _) in sides.items()}  # fmt: skip
        for name, other in others.items():
            for fact, text in other.facts().items():
                run.cell("side", name, fact, text)
            run.cell("side", name, "MB on disk", f"{sides[name][2].stat().st_size / 1e6:.1f}")
        jobs = {name: other.job(_ANSWER) for name, other in others.items()}
        parallel = undisturbed(threads > 1)
        return interleave(jobs, rounds, f"threads: {threads}", timed=lambda job: job(), undisturbed=parallel)


def our_side(file: Path, threads: int) -> Side:
    """Ours, with all of the sound."""
    scorer = LiteRTScorer(file, threads)
    spec = scorer.spec
    clips = list(vu.iter_clips(TEN_SECONDS.path, spec, Stride.of(spec).seconds))
    frames = round(TEN_SECONDS.seconds * spec.video.frames_hz)
    takes = f"{frames} x {spec.video.width_px} px and all sound, {len(clips)} windows"
    # A new one each time, as it caches what it has encoded.
    return {_ANSWER: lambda: lambda: WindowScorer(scorer)(clips)}, {"takes for 10 s": takes}


def movinet_side(file: Path, threads: int) -> Side:
    """By LiteRT, one frame after the other."""
    from ai_edge_litert.interpreter import Interpreter

    model = Interpreter(str(file), num_threads=threads).get_signature_runner()
    frames = _frames(5.0, 172)  # [50,172,172,3]
    job = partial(_streamed, model, frames)
    return {_ANSWER: lambda: job}, {"takes for 10 s": f"{len(frames)} x 172 px, no sound"}


def _streamed(model: Any, frames: np.ndarray) -> None:
    """The stream's frames [T,H,W,3] one after the other, each with the state that the one before has left."""
    shapes = {name: facts["shape"] for name, facts in model.get_input_details().items() if name != "frames"}
    past = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    for frame in frames:
        found = model(frames=frame[None], **past)
        past = {name: found[name.replace("past", "kept")] for name in past}


def video_mae_side(folder: Path, threads: int) -> Side:
    """In PyTorch."""
    import torch
    from transformers import VideoMAEForVideoClassification

    torch.set_num_threads(threads)
    model = VideoMAEForVideoClassification.from_pretrained(folder).eval()
    frames = torch.from_numpy(_frames(1.6, 224)).permute(0, 3, 1, 2)[None].contiguous()  # [1,16,3,224,224]
    job = torch.inference_mode()(partial(model, pixel_values=frames))
    parameters = f"{sum(parameter.numel() for parameter in model.parameters()) / 1e6:.2f} million"
    return {_ANSWER: lambda: job}, {"takes for 10 s": f"{frames.shape[1]} x 224 px, no sound", "parameters": parameters}


def _movinet(run: Run) -> Path:
    """MoViNet-A0 stream, made by TensorFlow unless it is there."""
    if not _MOVINET.exists():
        subprocess.run([sys.executable, "-m", "benchmarks.peers.movinet", str(_MOVINET)], check=True)
    for kind, number in json.loads(_MOVINET.with_suffix(".json").read_text(encoding="utf-8")).items():
        run.cell("side", "MoViNet-A0 stream", kind, f"{number / 1e6:.2f} million")
    return _MOVINET


def _frames(frames_hz: float, side_px: int) -> np.ndarray:
    """float32 [T,H,W,3] of the whole file, 0 to 1."""
    spec = vu.ModelSpec(TEN_SECONDS.seconds, vu.VideoSpec(frames_hz, side_px, side_px, fit="crop"))
    return vu.read_clip(TEN_SECONDS.path, spec).frames.astype(np.float32) / 255
