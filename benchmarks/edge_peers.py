"""The exported edge beside what one could run instead: MoViNet-A0, base and stream, and VideoMAE-small.

    python -m benchmarks.edge_peers [--quick] [--json FILE] [--page FILE]

Weights of the others are random, for only time and size are measured: nothing is said of how often anyone is right.
An answer is that for ten seconds, out of pictures and sound that lie ready in memory, as many as each model takes.
All sides take turns in one run, with one thread and with two. Each has a process of its own (see `benchmarks.apart`);
the rounds are those of three such processes, one after another. Ratios are ours over theirs, of CPU time and on the
clock.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import apart, material
from benchmarks.edge_files import made_edge
from benchmarks.processors import SideBySide
from benchmarks.tables import (
    FIRST_ANSWER_ROUNDS,
    Compared,
    Spread,
    last_lines,
    machine,
    ratio_lines,
    read_options,
    tell,
)
from benchmarks.turns import Taken, one_after_another, take_turns
from benchmarks.video_mae import PUBLISHED_PARAMETERS, WEIGHTS, made_video_mae
from video_understanding.edge import LiteRTScorer
from video_understanding.media.decode import iter_clips, read_clip
from video_understanding.recognition import Stride, WindowScorer
from video_understanding.spec import ModelSpec, VideoSpec

_MOVINET = material.FOLDER / "movinet"
_BASE, _STREAM, _FACTS = "movinet_a0_base.tflite", "movinet_a0_stream.tflite", "movinet_a0.json"
_SECONDS = material.TEN_SECONDS.seconds
_THREADS = (1, 2)
# Where threads wait for each other, one process is quicker than the next: the spread tells of that.
_PROCESSES = 3
_ANSWER = "answer"
_ALIKE = 0.05  # how far parameters and multiplications may lie from the published ones
_PACKAGES = ("ai-edge-litert", "tensorflow", "torch", "transformers", "numpy")

# Each tells the seconds that loading took, imports aside.
_OURS = """
import sys
import time
import ai_edge_litert.interpreter
import numpy as np
from video_understanding.edge import LiteRTScorer
began_s = time.perf_counter()
scorer = LiteRTScorer(sys.argv[1])
print(time.perf_counter() - began_s)
spec, windows = scorer.spec, 8
video = scorer.encode_pieces("video", np.zeros((20, *spec.frames_shape[1:]), np.uint8))
audio = scorer.encode_pieces("audio", np.zeros((20, spec.audio.hop_samples), np.float32))
audio = audio.reshape(-1, audio.shape[-1])[: spec.hops * spec.network.tokens_per_hop]
tokens = {"video": np.stack([video[: spec.frames]] * windows), "audio": np.stack([audio] * windows)}
scorer.fuse(tokens, np.ones((windows, 2), bool))
"""
_MOVINET_SCRIPT = """
import sys
import time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
began_s = time.perf_counter()
interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
look = interpreter.get_signature_runner()
print(time.perf_counter() - began_s)
inputs = {name: np.zeros(facts["shape"], np.float32) for name, facts in look.get_input_details().items()}
for _ in range(50 // len(inputs["frames"])):
    look(**inputs)
"""
_VIDEO_MAE = """
import sys
import time
import torch
from transformers import VideoMAEForVideoClassification
torch.set_num_threads(1)
began_s = time.perf_counter()
model = VideoMAEForVideoClassification.from_pretrained(sys.argv[1])
print(time.perf_counter() - began_s)
with torch.inference_mode():
    model(pixel_values=torch.zeros(1, 16, 3, 224, 224))
"""


@dataclass(frozen=True)
class Contender:
    """One that answers: the script of its first answer and what that loads, and what makes its answers."""

    script: str
    loads: Path
    weights: Path
    make: Callable[[Path, Path, int], apart.Side]
    """Of what it loads, the video, and the threads; called in a process of its own."""


@dataclass
class Report(Compared):
    """All that was measured, of ten seconds of video."""

    load_ms: dict[str, Spread] = field(default_factory=dict)
    takes: dict[str, str] = field(default_factory=dict)
    size_mb: dict[str, float] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


def main() -> int:
    options = read_options(__doc__)
    processes = 1 if options.quick else _PROCESSES
    rounds = math.ceil(options.rounds / processes)
    report = Report(machine=machine(_PACKAGES, processes * rounds))
    subprocess.run([sys.executable, "-m", "benchmarks.material"], check=True)
    path = material.made(material.TEN_SECONDS, material.FOLDER)
    ours = {f"ours, {mode}": Contender(_OURS, file, file, our_side) for mode, file in made_edge().items()}
    theirs = _movinets(report) | _video_mae(report)
    sides = ours | theirs
    report.size_mb = {name: side.weights.stat().st_size / 1e6 for name, side in sides.items()}
    for threads in _THREADS:
        what = f"10 s, {threads} thread{'s' if threads > 1 else ''}"
        parts = [_answers(sides, path, threads, rounds, report) for _ in range(processes)]
        report.compare(what, one_after_another(parts), ours, list(theirs))
    if not options.quick:
        taken, load_s = _first_answers(sides, min(options.rounds, FIRST_ANSWER_ROUNDS))
        report.compare("first answer", taken, ours, list(theirs))
        report.load_ms = {name: Spread.of(rows).times(1000) for name, rows in load_s.items()}
    tell(report, options, lines=list(_lines(report)), title="Edge beside other models", text=_TEXT)
    return 0


def _answers(
    sides: dict[str, Contender],
    path: Path,
    threads: int,
    rounds: int,
    report: Report,
) -> dict[str, Taken]:
    """What each took for its answers, in a process of its own."""
    with ExitStack() as processes:
        others = {
            name: processes.enter_context(apart.Apart(side.make, side.loads, path, threads))
            for name, side in sides.items()
        }
        for name, other in others.items():
            its = other.told()
            report.takes[name] = its["takes"]
            report.facts |= its["facts"]
        jobs = {name: other.job(_ANSWER, 1) for name, other in others.items()}
        undisturbed = SideBySide() if threads > 1 else lambda: True
        return take_turns(jobs, rounds, f"threads: {threads}", timed=lambda job: job(), undisturbed=undisturbed)


def our_side(file: Path, path: Path, threads: int) -> apart.Side:
    """Ours, with all of the sound."""
    scorer = LiteRTScorer(file, threads)
    spec = scorer.spec
    clips = list(iter_clips(path, spec, Stride.of(spec).seconds))
    frames = round(_SECONDS * spec.video.frames_hz)
    takes = f"{frames} x {spec.video.width_px} px and all sound, {len(clips)} windows"
    # A new one each time: it remembers what it has looked at.
    return {_ANSWER: lambda: lambda: WindowScorer(scorer)(clips)}, {"takes": takes, "facts": {}}


def movinet_side(file: Path, path: Path, threads: int) -> apart.Side:
    """Either kind: the stream takes one picture after the other, the base all at once."""
    from ai_edge_litert.interpreter import Interpreter

    look = Interpreter(str(file), num_threads=threads).get_signature_runner()
    frames = _pictures(path, 5.0, 172)  # [50,172,172,3]
    job = partial(_look_on, look, frames) if file.name == _STREAM else partial(look, frames=frames)
    return {_ANSWER: lambda: job}, {"takes": f"{len(frames)} x 172 px, no sound", "facts": {}}


def video_mae_side(folder: Path, path: Path, threads: int) -> apart.Side:
    """In PyTorch."""
    import torch
    from transformers import VideoMAEForVideoClassification

    torch.set_num_threads(threads)
    model = VideoMAEForVideoClassification.from_pretrained(folder).eval()
    frames = _pictures(path, 1.6, 224)  # [16,224,224,3]
    inputs = torch.from_numpy(frames).permute(0, 3, 1, 2)[None].contiguous()  # [1,16,3,224,224]

    def answer() -> None:
        with torch.inference_mode():
            model(pixel_values=inputs)

    parameters = sum(parameter.numel() for parameter in model.parameters())
    facts = {"VideoMAE-small, parameters": _beside_published(parameters, PUBLISHED_PARAMETERS)}
    return {_ANSWER: lambda: answer}, {"takes": f"{len(frames)} x 224 px, no sound", "facts": facts}


def _movinets(report: Report) -> dict[str, Contender]:
    """Both kinds of MoViNet-A0, made by TensorFlow unless they are there."""
    if not (_MOVINET / _FACTS).exists():
        subprocess.run([sys.executable, "-m", "benchmarks.movinet", str(_MOVINET)], check=True)
    told = json.loads((_MOVINET / _FACTS).read_text(encoding="utf-8"))
    for kind in ("parameters", "multiplications"):
        published, found = told["published"][kind], told["base"][kind]
        report.facts[f"MoViNet-A0 base, {kind}"] = _beside_published(found, published)
        report.facts[f"MoViNet-A0 stream, {kind}"] = f"{told['stream'][kind] / 1e6:.2f} million"
    files = {"MoViNet-A0 base": _MOVINET / _BASE, "MoViNet-A0 stream": _MOVINET / _STREAM}
    return {name: Contender(_MOVINET_SCRIPT, file, file, movinet_side) for name, file in files.items()}


def _look_on(look: Any, frames: np.ndarray) -> np.ndarray:
    """The stream's frames [T,H,W,3] one after the other; logits [1,C] after the last."""
    shapes = {name: facts["shape"] for name, facts in look.get_input_details().items() if name != "frames"}
    past = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    for frame in frames:
        found = look(frames=frame[None], **past)
        past = {name: found[name.replace("past", "kept")] for name in past}
    return found["logits"]


def _video_mae(report: Report) -> dict[str, Contender]:
    try:
        folder = made_video_mae()
        import torch  # noqa: F401
    except ImportError as error:
        report.absent.append(f"VideoMAE-small ({error.name})")
        return {}
    return {"VideoMAE-small": Contender(_VIDEO_MAE, folder, folder / WEIGHTS, video_mae_side)}


def _pictures(path: Path, frames_hz: float, side_px: int) -> np.ndarray:
    """float32 [T,H,W,3] of the whole file, 0 to 1."""
    spec = ModelSpec(_SECONDS, VideoSpec(frames_hz, side_px, side_px, fit="crop"))
    return read_clip(path, spec).frames.astype(np.float32) / 255


def _beside_published(found: float, published: float) -> str:
    """Like "3.11 million, published 3.1 (+0.4 %)"; what is too far off is another network, and refused."""
    off = found / published - 1
    if abs(off) > _ALIKE:
        raise ValueError(f"{found:.4g} is too far from the published {published:.4g}: this is another network")
    return f"{found / 1e6:.2f} million, published {published / 1e6:g} ({100 * off:+.1f} %)"


def _first_answers(sides: dict[str, Contender], rounds: int) -> tuple[dict[str, Taken], dict[str, list[float]]]:
    """A new process until its first answer, with one thread: imports, loading, ten seconds of video."""
    load_s: dict[str, list[float]] = {name: [] for name in sides}

    def first(name: str, side: Contender) -> None:
        command = [sys.executable, "-c", side.script, str(side.loads)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        load_s[name].append(float(done.stdout))

    jobs = {name: partial(first, name, side) for name, side in sides.items()}
    # No round to warm up in: this process has read the same files.
    return take_turns(jobs, rounds, "first answer", warm_rounds=0), load_s


_TEXT = """What one could run on a small device instead. **The weights of the others are random: nothing is said here of
accuracy**, and they hear nothing, while ours hears all of the sound. An answer is that for ten seconds whose pictures
and sound lie ready in memory. Ratios are ours over theirs.

```text
{table}
```

MoViNet-A0 cannot be installed beside Keras 3, so it is written anew from what is published of it
(`benchmarks/movinet.py`), and its parameters and multiplications are compared with the published ones. Both kinds are
float32 TFLite files made of builtin operators. LiteRT has no depthwise convolution over time and place: that of the
base is a sum of ones over place, the same number by the same multiplications; its makers give devices only the stream.
What the stream keeps goes in and out with each frame, as in the files that they publish.
Each side has a process of its own, three of them one after another, for of two threads the one is woken beside the
other or on its own processor, as it happens.
VideoMAE-small is that of Transformers, in PyTorch and float32, with 16 frames for the ten seconds.
"""


def _lines(report: Report) -> Iterator[str]:
    yield from ratio_lines(report.ratios, 30, 18)
    yield f"{'milliseconds':<38} {'CPU':>8} {'spread':<19} {'clock':>8} {'spread':<19} clock per second of video"
    for what, cpu_ms in report.cpu_ms.items():
        wall_ms = report.wall_ms[what]
        per_second = "" if what.startswith("first") else f"{wall_ms.median / _SECONDS:.2f}"
        yield f"{what:<38} {cpu_ms.columns(1, 8)} {wall_ms.columns(1, 8)} {per_second}"
    yield ""
    yield f"{'side':<18} {'MB on disk':>10} {'ms to load':>10} takes for 10 s"
    for name, takes in report.takes.items():
        load_ms = f"{report.load_ms[name].median:.1f}" if name in report.load_ms else "-"
        yield f"{name:<18} {report.size_mb[name]:>10.1f} {load_ms:>10} {takes}"
    for what, fact in report.facts.items():
        yield f"{what}: {fact}"
    yield from last_lines(report)


if __name__ == "__main__":
    sys.exit(main())
