"""From a file to its labels: ours, beside Transformers' pipeline and what tutorials do with OpenCV, librosa and Keras.

    python -m benchmarks.whole_path [--quick] [--json FILE] [--page FILE]

All sides take turns in one run, with as many threads as they take by themselves (LiteRT: one). Weights of the others
are random, for only time and memory are measured. Ratios are ours over theirs, of CPU time and on the clock.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from benchmarks import material
from benchmarks.edge_files import BUNDLE, made_edge
from benchmarks.processors import SideBySide
from benchmarks.tables import FIRST_ANSWER_ROUNDS, Compared, last_lines, machine, ratio_lines, read_options, tell
from benchmarks.turns import Taken, take_turns
from benchmarks.tutorials import FRAMES, KerasTutorial, TransformersPipeline, write_wav
from benchmarks.video_mae import made_video_mae
from video_understanding.edge import LiteRTScorer
from video_understanding.recognition import Recognizer
from video_understanding.runtimes import load

_TUTORIAL, _WAV = material.FOLDER / "tutorial.keras", material.FOLDER / "tutorial.wav"
_PACKAGES = (
    "ai-edge-litert",
    "tensorflow",
    "torch",
    "transformers",
    "opencv-python-headless",
    "librosa",
    "numpy",
    "av",
)

_LITERT = """
from video_understanding.edge import LiteRTScorer
from video_understanding.recognition import Recognizer
Recognizer(LiteRTScorer(sys.argv[1])).predict(sys.argv[2])
"""
_KERAS = """
import video_understanding as vu
vu.load(sys.argv[1]).predict(sys.argv[2])
"""
_PIPELINE = """
from pathlib import Path
from benchmarks.tutorials import TransformersPipeline
TransformersPipeline(Path(sys.argv[1]))(Path(sys.argv[2]), int(sys.argv[3]))
"""
_OPENCV = """
from pathlib import Path
from benchmarks.tutorials import KerasTutorial
KerasTutorial(Path(sys.argv[1]))(Path(sys.argv[2]))
"""
_PEAK = """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) / 1024)
"""

# Where our time goes: functions by file and name; what is called within another part counts there, and not here.
_PARTS = {
    "open": (("container.py", "open_media"),),
    "packets and plan": (("walk.py", "clips"),),
    "decode pictures": (("pictures.py", "_decode"),),
    "scale": (("picture.py", "__call__"),),
    "sound": (("walk.py", "_decode_sound"), ("sound.py", "take"), ("sound.py", "finish")),
    "encoders": (("litert_scorer.py", "encode_pieces"),),
    "joining": (("litert_scorer.py", "fuse"),),
    "segments": (("segments.py", "push"), ("segments.py", "finish")),
}
_WITHIN = {"scale": "decode pictures", "decode pictures": "packets and plan", "sound": "packets and plan"}


@dataclass(frozen=True)
class Side:
    """One way to the labels: its job for a file, and the script of a new process with what it is told."""

    jobs: tuple[Callable[[Path, int], object], ...]
    """Of a file, and how many frames lie between two of sixteen. One that runs a program is a job by itself, for the
    program's CPU time is all that counts of it; their times are added up."""
    script: str
    loads: Path


@dataclass
class Report(Compared):
    """All that was measured."""

    peak_mb: dict[str, float] = field(default_factory=dict)
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    """For each of our sides, of its CPU time by part."""


def main() -> int:
    options = read_options(__doc__)
    report = Report(machine=machine(_PACKAGES, options.rounds))
    subprocess.run([sys.executable, "-m", "benchmarks.material"], check=True)
    theirs = _peers(report)  # before anything else imports av: cv2 has to come first
    ours = _ours()
    files = {"10 s": material.TEN_SECONDS} | ({} if options.quick else {"60 s": material.MINUTE})
    for length, kind in files.items():
        path, every = material.made(kind, material.FOLDER), kind.seconds * kind.frames_hz // FRAMES
        sides = ours | theirs
        jobs = {
            f"{name} {number}": partial(job, path, every)
            for name, side in sides.items()
            for number, job in enumerate(side.jobs)
        }
        taken = take_turns(jobs, options.rounds, length, undisturbed=SideBySide())
        together = {
            name: _together([taken[f"{name} {number}"] for number in range(len(side.jobs))])
            for name, side in sides.items()
        }
        report.compare(f"{length} file", together, ours, list(theirs))
    path = material.made(material.TEN_SECONDS, material.FOLDER)
    if not options.quick:
        _first_answers(ours, theirs, path, min(options.rounds, FIRST_ANSWER_ROUNDS), report)
    for mode, file in made_edge().items():
        report.shares[f"LiteRT {mode}"] = shares(Recognizer(LiteRTScorer(file)), path, options.rounds)
    tell(report, options, lines=list(_lines(report)), title="Whole path", text=_TEXT)
    return 0


def _together(parts: list[Taken]) -> Taken:
    """What parts of one way took in each round, added up."""
    wall_s = [sum(row) for row in zip(*(part.wall_s for part in parts), strict=True)]
    cpu_s = [sum(row) for row in zip(*(part.cpu_s for part in parts), strict=True)]
    return Taken(wall_s, cpu_s, parts[0].again)


def _ours() -> dict[str, Side]:
    sides = {}
    for mode, file in made_edge().items():
        recognizer = Recognizer(LiteRTScorer(file))
        sides[f"LiteRT {mode}"] = Side((partial(_recognise, recognizer),), _LITERT, file)
    sides["Keras"] = Side((partial(_recognise, load(BUNDLE)),), _KERAS, BUNDLE)
    return sides


def _recognise(recognizer: Recognizer, path: Path, every: int) -> object:  # noqa: ARG001  ours looks by the clock
    return recognizer.predict(path)


def _peers(report: Report) -> dict[str, Side]:
    sides: dict[str, Side] = {}
    try:
        import cv2  # noqa: F401
        import imageio_ffmpeg  # noqa: F401
        import librosa  # noqa: F401

        if not _TUTORIAL.exists():
            subprocess.run([sys.executable, "-m", "benchmarks.tutorials", str(_TUTORIAL)], check=True)
        tutorial = KerasTutorial(_TUTORIAL)
        jobs = (lambda path, _: write_wav(path, _WAV), lambda path, _: tutorial.answer(path, _WAV))
        sides["OpenCV, librosa, Keras"] = Side(jobs, _OPENCV, _TUTORIAL)
    except ImportError as error:
        report.absent.append(f"OpenCV, librosa, Keras ({error.name})")
    try:
        folder = made_video_mae()
        sides["Transformers"] = Side((TransformersPipeline(folder),), _PIPELINE, folder)
    except ImportError as error:
        report.absent.append(f"Transformers ({error.name})")
    return sides


def _first_answers(ours: dict[str, Side], theirs: dict[str, Side], path: Path, rounds: int, report: Report) -> None:
    """A new process from its first import to its first answer, and the most memory that it had."""
    every = material.TEN_SECONDS.seconds * material.TEN_SECONDS.frames_hz // FRAMES

    def first(name: str, side: Side) -> None:
        command = [sys.executable, "-c", "import sys" + side.script + _PEAK, str(side.loads), str(path), str(every)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        report.peak_mb[name] = float(done.stdout.split()[-1])

    jobs = {name: partial(first, name, side) for name, side in (ours | theirs).items()}
    # No round to warm up in: this process has read the same files.
    taken = take_turns(jobs, rounds, "first answer", warm_rounds=0)
    report.compare("first answer", taken, ours, list(theirs))


def shares(recognizer: Recognizer, path: Path, rounds: int) -> dict[str, float]:
    """What share of the CPU time each part of our way has, as the profiler of Python finds it."""
    profile = cProfile.Profile(time.process_time)
    for _ in range(rounds):
        profile.runcall(recognizer.predict, path)
    stats = pstats.Stats(profile)
    whole = {part: _seconds(stats, functions) for part, functions in _PARTS.items()}
    found = dict(whole)
    for inner, outer in _WITHIN.items():
        found[outer] -= whole[inner]
    found["rest"] = stats.total_tt - sum(found.values())
    return {part: seconds / stats.total_tt for part, seconds in found.items()}


def _seconds(stats: pstats.Stats, functions: tuple[tuple[str, str], ...]) -> float:
    """Of all calls of these functions, with what they call; one that is never called is an error: it has a new name."""
    total_s = 0.0
    for file, name in functions:
        rows = [row for (path, _, own), row in stats.stats.items() if own == name and Path(path).name == file]
        if not rows:
            raise LookupError(f"{name} of {file} was not called: look for its new name")
        total_s += sum(row[3] for row in rows)
    return total_s


_TEXT = """From a file of 640x360 pixels to its labels, by the preset "edge". **The weights of the others are random:
nothing is said here of accuracy.** Ratios are ours over theirs.

```text
{table}
```

Transformers is its video-classification pipeline with VideoMAE-small (22 million parameters), which decodes with PyAV
and hears nothing; its sixteen frames are spread over the file, while by itself it would look at the first sixteen. The
other is what tutorials do: OpenCV reads every frame and scales it to 160 pixels, the ffmpeg program writes a WAV file,
librosa makes a mel spectrogram, and `predict` runs MobileNetV2 over sixteen frames and Conv1D over the sound (3 million
parameters). Ours looks at two frames a second of 80 pixels and hears everything. A first answer is that of a new
process, from its first import on, of the file of ten seconds. By Keras much of it is the import of TensorFlow. Where
our time goes is told by Python's profiler with CPU time as its clock, which makes small functions look larger than they
are: only shares are told. Packets and plan are reading the container and choosing what to decode; the rest is
everything between the parts.
"""


def _lines(report: Report) -> Iterator[str]:
    yield from ratio_lines(report.ratios, 30, 24)
    yield f"{'milliseconds':<40} {'CPU':>8} {'spread':<19} {'clock':>8} spread"
    for what, cpu_ms in report.cpu_ms.items():
        yield f"{what:<40} {cpu_ms.columns(1, 8)} {report.wall_ms[what].columns(1, 8)}"
    if report.peak_mb:
        peaks = ", ".join(f"{name} {mb:.0f} MB" for name, mb in report.peak_mb.items())
        yield f"peak memory of a new process: {peaks}"
    yield ""
    yield f"{'of our 10 s, by the profiler':<30} " + " ".join(f"{name:>12}" for name in report.shares)
    parts = next(iter(report.shares.values()))
    for part in sorted(parts, key=parts.get, reverse=True):
        yield f"{part:<30} " + " ".join(f"{100 * row[part]:>10.1f} %" for row in report.shares.values())
    yield from last_lines(report)


if __name__ == "__main__":
    sys.exit(main())
