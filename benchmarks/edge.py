"""How fast the exported files are, beside onnxruntime, the matrix product, reading the file, and bare LiteRT.

    python -m benchmarks.edge [--quick] [--json FILE] [--page FILE]

All sides take turns in one run and use one thread. Every ratio is one of CPU time (user and system, of all threads),
ours over theirs: the median of the rounds, and the lowest and highest of them. The first round is not counted.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is loaded: its matrix product is one thread's measure

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import material
from benchmarks.edge_files import BUNDLE, edge_facts, made_edge
from benchmarks.tables import Measured, Ratio, Spread, last_lines, machine, ratio_lines, read_options, tell
from benchmarks.turns import Taken, take_turns
from video_understanding.clip import Clip
from video_understanding.edge import LiteRTScorer
from video_understanding.edge.litert_scorer import AT_ONCE
from video_understanding.features.prepare import prepare
from video_understanding.media.decode import iter_clips
from video_understanding.recognition import Recognizer, Stride, WindowScorer

_FRAMES, _MATRIX = 6 * AT_ONCE, 768
_HOW = {"frames of a file": AT_ONCE, "frame of a stream": 1}  # how frames are asked for, and so many at once
_LIVE_HZ = 4.0  # frames a second that a device should keep up with
_PACKAGES = ("ai-edge-litert", "onnxruntime", "numpy", "av")

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
from video_understanding.edge.litert_scorer import AT_ONCE
from video_understanding.scorer import ModelInputs
scorer = LiteRTScorer(sys.argv[1])
arrays = {
    "video": np.zeros((1, *scorer.spec.frames_shape), np.uint8),
    "audio": np.zeros((1, scorer.spec.samples), np.float32),
}
scorer(ModelInputs(arrays, np.ones((1, 2), bool)))
"""
_WALK = """
import sys
from video_understanding.recognition import Recognizer
from video_understanding.edge import LiteRTScorer
from video_understanding.edge.litert_scorer import AT_ONCE
Recognizer(LiteRTScorer(sys.argv[1])).predict(sys.argv[2])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) / 1024)
"""


@dataclass
class Report(Measured):
    """All that was measured."""

    cpu_ms: dict[str, Spread] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


def main() -> int:
    del os.environ["OPENBLAS_NUM_THREADS"]  # the programs that are started have as many as they take
    options = read_options(__doc__)
    report = Report(machine=machine(_PACKAGES, options.rounds))
    files = made_edge()
    subprocess.run([sys.executable, "-m", "benchmarks.material"], check=True)
    scorers = {name: LiteRTScorer(file, threads=1) for name, file in files.items()}
    _frame_encoder(scorers, edge_facts(), options.rounds, report)
    _parts(scorers, options.rounds, report)
    _windows(scorers, options.rounds, report)
    _files(scorers, options.rounds, report)
    _live(scorers, files, options.rounds, report)
    _first_answer(files, options.rounds, report)
    if not options.quick:
        _long_file(files["int8"], report)
    tell(report, options, lines=list(_lines(report)), title="Edge", text=_TEXT)
    return 0


def _frame_encoder(scorers: dict[str, LiteRTScorer], facts: dict[str, Any], rounds: int, report: Report) -> None:
    """Pictures to tokens, as files and as streams ask for them, beside onnxruntime and the machine's matrix product."""
    frames = _some_frames(scorers["fp32"])  # [_FRAMES,H,W,3]
    factors = np.random.default_rng(0).standard_normal((2, _MATRIX, _MATRIX)).astype(np.float32)
    parts = {how: np.split(frames, _FRAMES // count) for how, count in _HOW.items()}

    jobs: dict[str, Callable[[], object]] = {
        f"{how}, {name}": lambda scorer=scorer, some=some: [scorer.encode_pieces("video", part) for part in some]
        for how, some in parts.items()
        for name, scorer in scorers.items()
    }
    jobs["matrix product"] = lambda: [factors[0] @ factors[1] for _ in range(10)]
    sessions = _onnx_sessions(report)
    for how, some in parts.items():
        for name, session in sessions.items():
            jobs[f"{how}, onnxruntime {name}"] = lambda session=session, some=some: [
                session.run(None, {"frame": part}) for part in some
            ]
    taken = take_turns(jobs, rounds, "frame encoder")

    product_flops_per_s = 10 * 2 * _MATRIX**3 / np.array(taken.pop("matrix product").cpu_s)  # [rounds]
    for how in _HOW:
        for name in sessions:
            ours, theirs = taken[f"{how}, {name}"], taken[f"{how}, onnxruntime {name}"]
            report.ratios.append(Ratio.of(f"{how}, {name}", "onnxruntime", ours, theirs, 1.0))
        fp32, int8 = taken[f"{how}, fp32"], taken[f"{how}, int8"]
        report.ratios.append(Ratio.of(f"{how}, int8", "fp32", int8, fp32, 0.5))
        flops_per_s = _FRAMES * facts["frame_flops"] / np.array(fp32.cpu_s)
        share = Spread.of(list(flops_per_s / product_flops_per_s))
        what = f"{how}, fp32: operations a second"
        report.ratios.append(Ratio(what, "matrix product", share, 0.75, at_least=True))
    if "int8" in sessions:
        true = scorers["fp32"].encode_pieces("video", frames)  # [_FRAMES,D]
        told = {"ours": scorers["int8"].encode_pieces("video", frames)}
        told["onnxruntime's"] = sessions["int8"].run(None, {"frame": frames})[0]
        off = {side: np.linalg.norm(tokens - true) / np.linalg.norm(true) for side, tokens in told.items()}
        report.facts["tokens of int8, off those of fp32"] = ", ".join(
            f"{who} {100 * by:.0f} %" for who, by in off.items()
        )
    for name, row in taken.items():
        report.cpu_ms[name] = _ms(row, _FRAMES)
    report.facts["a frame"] = f"{facts['frame_flops'] / 1e9:.3f} thousand million operations"
    report.facts["matrix product"] = f"{np.median(product_flops_per_s) / 1e9:.0f} thousand million operations a second"


def _onnx_sessions(report: Report) -> dict[str, Any]:
    try:
        import onnxruntime
    except ImportError:
        report.absent.append("onnxruntime")
        return {}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    files = {name: BUNDLE / f"frame_encoder_{name}.onnx" for name in ("fp32", "int8")}
    return {
        name: onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        for name, file in files.items()
        if file.exists()
    }


def _parts(scorers: dict[str, LiteRTScorer], rounds: int, report: Report) -> None:
    """What a hop of sound and the joining of a window cost, each alone."""
    spec = scorers["fp32"].spec
    hops = np.random.default_rng(1).normal(0, 0.1, (_FRAMES, spec.audio.hop_samples)).astype(np.float32)
    size, many = spec.network.token_size, spec.hops * spec.network.tokens_per_hop
    counts, presence = {"video": spec.frames, "audio": many}, np.ones((_FRAMES, 2), bool)
    tokens = {name: np.zeros((_FRAMES, count, size), np.float32) for name, count in counts.items()}
    jobs: dict[str, Callable[[], object]] = {}
    for name, scorer in scorers.items():
        jobs[f"hop, {name}"] = lambda scorer=scorer: scorer.encode_pieces("audio", hops)
        jobs[f"joining, {name}"] = lambda scorer=scorer: scorer.fuse(tokens, presence)
    for name, row in take_turns(jobs, rounds, "parts").items():
        report.cpu_ms[name] = _ms(row, _FRAMES)


def _windows(scorers: dict[str, LiteRTScorer], rounds: int, report: Report) -> None:
    """Windows that overlap by three quarters: sharing what they share, beside working each out anew."""
    minute = material.made(material.MINUTE, material.FOLDER)
    spec = scorers["fp32"].spec
    stride_s = Stride.of(spec).seconds
    clips = list(iter_clips(minute, spec, stride_s))

    def shared(scorer: LiteRTScorer) -> None:
        windows = WindowScorer(scorer)
        for clip in clips:
            windows([clip])

    def anew(scorer: LiteRTScorer) -> None:
        for clip in clips:
            scorer(prepare([clip], spec))

    for name, scorer in scorers.items():
        jobs = {"shared": partial(shared, scorer), "anew": partial(anew, scorer)}
        taken = take_turns(jobs, rounds, f"windows, {name}")
        what = f"windows, {stride_s:g} of {spec.window_s:g} s apart, {name}"
        report.ratios.append(Ratio.of(what, "each anew", taken["shared"], taken["anew"], 0.35))


def _files(scorers: dict[str, LiteRTScorer], rounds: int, report: Report) -> None:
    """From a file to its labels, beside only reading the same windows."""
    path = material.made(material.TEN_SECONDS, material.FOLDER)
    spec = scorers["fp32"].spec
    stride_s = Stride.of(spec).seconds
    jobs: dict[str, Callable[[], object]] = {
        name: lambda scorer=scorer: Recognizer(scorer).predict(path) for name, scorer in scorers.items()
    }
    jobs["reading"] = lambda: sum(1 for _ in iter_clips(path, spec, stride_s))
    taken = take_turns(jobs, rounds, "files")
    for name, goal in (("fp32", 1.4), ("int8", 1.2)):
        report.ratios.append(Ratio.of(f"10 s file to labels, {name}", "reading", taken[name], taken["reading"], goal))
    for name, row in taken.items():
        report.cpu_ms["10 s file, only read" if name == "reading" else f"10 s file to labels, {name}"] = _ms(row)


def _live(scorers: dict[str, LiteRTScorer], files: dict[str, Path], rounds: int, report: Report) -> None:
    """How many times faster than real time, four frames and all sound a second, decoding included."""
    minute = material.made(material.MINUTE, material.FOLDER)
    spec = scorers["int8"].spec
    quick = replace(spec, video=replace(spec.video, frames_hz=_LIVE_HZ))
    reading_s = take_turns({"read": lambda: sum(1 for _ in iter_clips(minute, quick))}, rounds, "live")["read"].cpu_s
    hops_hz = 1 / spec.audio.hop_s
    for name in scorers:
        parts = ("frame of a stream", "hop", "joining")
        frame, hop, join = (report.cpu_ms[f"{part}, {name}"].median for part in parts)
        ms = _LIVE_HZ * frame + hops_hz * hop + hops_hz * join  # an answer at every hop of sound
        read_ms = 1000 * float(np.median(reading_s)) / material.MINUTE.seconds
        report.facts[f"a live second, {name}"] = (
            f"{ms:.1f} ms of network at {_LIVE_HZ:g} frames a second, {read_ms:.1f} ms of decoding 640x360 at 30"
        )
        spare = Spread.of([1000 / (ms + 1000 * row / material.MINUTE.seconds) for row in reading_s])
        report.ratios.append(Ratio(f"real time, {name}, decoding included", "one core", spare, 10.0, at_least=True))
        size_mb = files[name].stat().st_size / 1e6
        goal = 5.0 if name == "int8" else None
        report.ratios.append(Ratio(f"size of the file, {name}", "1 MB", Spread(size_mb, size_mb, size_mb), goal))


def _first_answer(files: dict[str, Path], rounds: int, report: Report) -> None:
    """A new process until its first answer: imports, loading, one clip; and the same with LiteRT and NumPy alone."""
    for name, file in files.items():
        jobs = {
            side: lambda script=script, file=file: subprocess.run(
                [sys.executable, "-c", script, str(file)], check=True, capture_output=True
            )
            for side, script in (("ours", _OURS), ("bare LiteRT", _BARE))
        }
        taken = take_turns(jobs, rounds, f"first answer, {name}")
        what = f"first answer, {name}"
        report.ratios.append(Ratio.of(what, "bare LiteRT", taken["ours"], taken["bare LiteRT"], 1.5))
        report.cpu_ms |= {f"{what}, {side}": _ms(row) for side, row in taken.items()}


def _long_file(file: Path, report: Report) -> None:
    """Ten minutes beside one: ten times the work, and no more memory."""
    minute = material.made(material.MINUTE, material.FOLDER)
    longer = {1: minute, 10: material.made_longer(minute, 10, material.FOLDER / "ten_minutes.mp4")}
    peaks_mb = {}

    def walk(minutes: int) -> None:
        command = [sys.executable, "-c", _WALK, str(file), str(longer[minutes])]
        peaks_mb[minutes] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    taken = take_turns({f"{minutes} min": lambda m=minutes: walk(m) for minutes in longer}, 3, "long file")
    report.ratios.append(Ratio.of("10 min to labels, int8", "1 min", taken["10 min"], taken["1 min"], 10.5))
    report.facts["peak memory"] = ", ".join(f"{minutes} min {peak:.0f} MB" for minutes, peak in peaks_mb.items())


def _some_frames(scorer: LiteRTScorer) -> np.ndarray:
    """uint8 [n,H,W,3] out of the minute."""
    minute = material.made(material.MINUTE, material.FOLDER)
    found: list[Clip] = []
    for clip in iter_clips(minute, scorer.spec):
        found.append(clip)
        if len(found) * scorer.spec.frames >= _FRAMES:
            break
    return np.concatenate([clip.frames for clip in found])[:_FRAMES]


def _ms(taken: Taken, pieces: int = 1) -> Spread:
    """Milliseconds of CPU time of one of so many pieces."""
    return Spread.of(taken.cpu_s).times(1000 / pieces)


_TEXT = """The preset "edge" as exported, by LiteRT on one thread, beside what bounds it. Ratios are of CPU time and
count, those on the clock stand beside them; milliseconds belong to the machine named below.

```text
{table}
```

onnxruntime runs the frame encoder made by tf2onnx from the same network, and its own static quantization of it with the
same products left in float as in our file, both given as many frames at once as our runtime gives LiteRT of a file,
seven, or one, as of a stream. A single frame in floats takes LiteRT longer: its kernels work on several places of a
picture at a time, and the late, small maps of one frame leave them partly empty. The matrix product is NumPy's,
float32, on one thread. Reading is `iter_clips` over the same windows; as it takes less, what comes on top of it weighs
more. Bare LiteRT is a script that imports NumPy and LiteRT, loads the file and calls `classify` once.
"""


def _lines(report: Report) -> Iterator[str]:
    yield from ratio_lines(report.ratios, 42, 16)
    yield f"{'milliseconds of CPU time':<42} {'median':>8} spread"
    for what, cpu_ms in report.cpu_ms.items():
        yield f"{what:<42} {cpu_ms.columns(3 if cpu_ms.median < 10 else 1, 8)}"
    for what, fact in report.facts.items():
        yield f"{what}: {fact}"
    yield from last_lines(report)


if __name__ == "__main__":
    sys.exit(main())
