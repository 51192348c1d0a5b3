"""Feeds damaged files to the reader: only a clip or a one-line error may come out, soon, and nothing may leak.

    python -m tests.fuzz.fuzz_reading --files 3000 --seed 1
    python -m tests.fuzz.fuzz_reading --read fuzz-findings/h264_aac.mp4-1-42.mp4

Every mutant follows from --seed and its number, so a run can be repeated. Mutants are read in child
processes under limits; one that ends otherwise than it should is kept as a finding.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import json
import math
import os
import resource
import shlex
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tests.fuzz.child import Child, finding
from tests.fuzz.mutations import mutate
from tests.fuzz.seeds import SECONDS, make_seeds

_HARD = Path(__file__).resolve().parents[2] / "../shared/data/hard"
_LARGEST_SEED_BYTES = 300_000
_BATCH = 250  # files one child reads before a fresh one takes over
_LIMIT_BYTES = 5 << 29  # 2.5 GB
_LIMIT_CPU_S = 10
_LIMIT_WALL_S = 60  # generous, for the machine may be busy; only a reader that sleeps meets it
_MB = 1 << 20
_LEAK_BYTES = 12 * _MB  # what repeated readings of one file, or a batch of readings, may leave behind
_KEPT_PER_CAUSE = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=3000, help="how many mutants to read")
    parser.add_argument("--seed", type=int, default=0, help="which mutants")
    parser.add_argument(
        "--seeds-dir", type=Path, default=Path("build/fuzz-seeds"), help="undamaged files; some are made there"
    )
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"), help="where bad mutants are kept")
    parser.add_argument("--read", type=Path, help="only read this file, and say what happened")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return _serve(arguments.seeds_dir)
    if arguments.read:
        return _show(arguments.read, arguments.seeds_dir)
    return _fuzz(arguments.files, arguments.seed, arguments.seeds_dir, arguments.findings)


# ---- the parent: makes mutants, hands them out, judges ----


def _fuzz(files: int, seed: int, seeds_dir: Path, findings_dir: Path) -> int:
    make_seeds(seeds_dir)
    seeds = sorted(seeds_dir.iterdir())
    if _HARD.is_dir():
        seeds += [path for path in sorted(_HARD.iterdir()) if path.suffix != ".csv"]
    seeds = [path for path in seeds if 0 < path.stat().st_size <= _LARGEST_SEED_BYTES]
    counts: Counter[str] = Counter()
    causes: dict[str, list[str]] = {}
    slowest: list[tuple[float, str]] = []
    largest: list[tuple[int, str]] = []
    child = None
    with tempfile.TemporaryDirectory() as scratch:
        for number in tqdm(range(files), unit="file", disable=None):
            rng = np.random.default_rng([seed, number])
            original = seeds[number % len(seeds)]
            data, damage = mutate(original.read_bytes(), rng)
            mutant = Path(scratch) / f"{original.stem}-{seed}-{number}{original.suffix}"
            mutant.write_bytes(data)
            if child is None:
                child = Child(
                    "tests.fuzz.fuzz_reading", "--seeds-dir", str(seeds_dir),
                    limit_cpu_s=_LIMIT_CPU_S, limit_wall_s=_LIMIT_WALL_S,
                )  # fmt: skip
            answer = child.read(mutant)
            if answer["outcome"] == "finding":
                kept = causes.setdefault(answer["cause"], [])
                kept.append(f"{mutant.name} ({damage}): {answer['text']}")
                if len(kept) <= _KEPT_PER_CAUSE:
                    findings_dir.mkdir(parents=True, exist_ok=True)
                    (findings_dir / mutant.name).write_bytes(data)
                    (findings_dir / f"{mutant.name}.txt").write_text(f"{kept[-1]}\n\n{answer.get('details', '')}\n")
                    tqdm.write(f"FINDING {answer['cause']}: {kept[-1]}\n    {_command(findings_dir / mutant.name)}")
            counts[answer["outcome"]] += 1
            counts["with notes"] += answer.get("noted", False)
            slowest = sorted([*slowest, (answer.get("cpu_s", 0.0), mutant.name)], reverse=True)[:3]
            largest = sorted([*largest, (answer.get("peak_bytes", 0), mutant.name)], reverse=True)[:3]
            mutant.unlink()
            if child.ended or child.served == _BATCH:
                child.end()
                child = None
        if child is not None:
            child.end()
    print(f"{files} mutants of {len(seeds)} files: " + ", ".join(f"{n} {what}" for what, n in counts.most_common()))
    print("most CPU time:", "; ".join(f"{cpu_s:.1f} s {name}" for cpu_s, name in slowest))
    print("most memory:", "; ".join(f"{size // _MB} MB {name}" for size, name in largest))
    for cause, kept in causes.items():
        print(f"FINDING x{len(kept)} {cause}: {kept[0]}")
    return 1 if causes else 0


def _command(path: Path) -> str:
    return f"python -m tests.fuzz.fuzz_reading --read {shlex.quote(str(path))}"


# ---- the child: reads one file after the other under limits ----


def _serve(seeds_dir: Path) -> int:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    _prepare(seeds_dir)
    began_bytes = None
    for number, line in enumerate(sys.stdin):
        path = Path(line.rstrip("\n"))
        answer = _judge(path)
        if number == _BATCH // 5:
            began_bytes = _memory_bytes("VmRSS")  # by now caches are warm
        elif number + 1 == _BATCH and answer["outcome"] != "finding":
            grown = _memory_bytes("VmRSS") - began_bytes
            if grown > 4 * _LEAK_BYTES:
                answer = finding("leak over files", f"{grown // _MB} MB more than {number - _BATCH // 5} files before")
        print(json.dumps(answer), file=answers)
    return 0


def _show(path: Path, seeds_dir: Path) -> int:
    _prepare(seeds_dir)
    answer = _judge(path)
    print("\n".join(f"{name}: {value}" for name, value in answer.items()))
    return 1 if answer["outcome"] == "finding" else 0


def _prepare(seeds_dir: Path) -> None:
    """Sets the limits, and sees to it that a process that dies shows where it was."""
    faulthandler.enable()
    faulthandler.register(signal.SIGXCPU, chain=True)
    _judge(make_seeds(seeds_dir)[0])  # what a first reading loads and sets up is not the mutants' doing
    limit = _memory_bytes("VmSize") + _LIMIT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    warnings.simplefilter("error")  # a warning about strange numbers would reach the user's screen


def _judge(path: Path) -> dict[str, Any]:
    """Reads the file in several ways; a file that leaves memory behind is read again to see whether it always does."""
    before_bytes, before_files = _memory_bytes("VmRSS"), _open_files()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    began_s = time.process_time()
    _, hard_limit_s = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(began_s) + _LIMIT_CPU_S, hard_limit_s))
    answer = _outcome(path)
    answer["cpu_s"] = round(time.process_time() - began_s, 3)
    answer["peak_bytes"] = _memory_bytes("VmHWM") - before_bytes
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, hard_limit_s))
    if answer["outcome"] == "finding":
        return answer
    if _open_files() > before_files:
        return answer | finding("file left open", f"{_open_files() - before_files} more than before")
    grown_bytes = []
    while _memory_bytes("VmRSS") - before_bytes > _LEAK_BYTES:
        if len(grown_bytes) == 3:
            return answer | finding("leak", f"each reading leaves {min(grown_bytes) / _MB:.1f} MB behind")
        again_bytes = _memory_bytes("VmRSS")
        _outcome(path)
        grown_bytes.append(_memory_bytes("VmRSS") - again_bytes)
        if grown_bytes[-1] < _LEAK_BYTES / 4:
            break
    return answer


def _outcome(path: Path) -> dict[str, Any]:
    """Clips, or the error that was told; anything else is a finding."""
    from video_understanding.clip import Clip
    from video_understanding.errors import MediaError, VideoUnderstandingError
    from video_understanding.media.decode import iter_clips, read_clip
    from video_understanding.media.inspect import inspect_media
    from video_understanding.spec import ModelSpec, VideoSpec

    spec = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=4.0, height_px=48, width_px=48))
    readings = {
        "at 0": lambda: [read_clip(path, spec)],
        "in the middle": lambda: [read_clip(path, spec, SECONDS / 2)],
        "close to the end": lambda: [read_clip(path, spec, SECONDS - 0.7)],
        "first windows": lambda: islice(iter_clips(path, spec, 0.5), 3),
        "to the end": lambda: iter_clips(path, spec),
        "by vu inspect": lambda: inspect_media(path, spec) and (),
    }
    clips = noted = 0
    errors = []
    for way, read in readings.items():
        try:
            for clip in read():
                clips += 1
                noted += len(clip.notes)
                if (
                    not isinstance(clip, Clip)
                    or clip.frames.shape != spec.frames_shape
                    or len(clip.waveform) != spec.samples
                ):
                    return finding("not such a clip", f"{way}: {clip!r}")
                if any("\n" in note for note in clip.notes):
                    return finding("a note of several lines", f"{way}: {clip.notes}")
        except VideoUnderstandingError as error:
            errors.append(str(error))
            if not isinstance(error, MediaError) or "\n" in str(error) or str(path) not in str(error):
                return finding("a poor error", f"{way}: {error!r}")
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in where if "video_understanding" in frame.filename] or where
            cause = f"{type(error).__name__} in {Path(ours[-1].filename).name}:{ours[-1].lineno}"
            return finding(cause, f"{way}: {error}") | {"details": traceback.format_exc()}
    return {"outcome": "clips" if clips else "an error", "noted": bool(noted), "clips": clips, "errors": errors}


def _memory_bytes(name: str) -> int:
    """A size of this process as Linux tells it, without what malloc keeps for later."""
    if name == "VmRSS":
        ctypes.CDLL(None).malloc_trim(0)
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) << 10
    raise KeyError(name)


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the listing's own descriptor counts alike each time


if __name__ == "__main__":
    sys.exit(main())
