"""Feeds damaged bundles and .tflite files to the programs: an answer or one line of error may come out, and soon.

    python -m tests.fuzz.fuzz_models --models 200 --seed 1
    python -m tests.fuzz.fuzz_models --read fuzz-findings/model-1-42

Every mutant follows from --seed and its number, so a run can be repeated. The programs run in child processes under
limits; a mutant that ends otherwise than it should is kept as a finding.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import filecmp
import io
import json
import math
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tests.fuzz.child import Child, finding
from tests.fuzz.model_mutations import BUNDLE, KERAS, TFLITE, mutate_bundle

_MODULE = "tests.fuzz.fuzz_models"
_BATCH = 100  # mutants one child reads before a fresh one takes over
_LIMIT_BYTES = 3 << 30
_LIMIT_CPU_S = 60
_LIMIT_WALL_S = 300  # generous, for the machine may be busy; only a program that sleeps meets it
_LONGEST_LINE = 4000
_CLIP = "clip.mp4"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=200, help="how many mutants to try")
    parser.add_argument("--seed", type=int, default=0, help="which mutants")
    parser.add_argument(
        "--seed-dir", type=Path, default=Path("build/fuzz-model"), help="the undamaged bundle; made if it is not there"
    )
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"), help="where bad mutants are kept")
    parser.add_argument("--read", type=Path, help="only try this mutant, and say what happened")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return _serve(arguments.seed_dir)
    _make_seed(arguments.seed_dir)
    if arguments.read:
        answer = _judge(arguments.read, arguments.seed_dir)
        print("\n".join(f"{name}: {value}" for name, value in answer.items()))
        return 1 if answer["outcome"] == "finding" else 0
    return _fuzz(arguments.models, arguments.seed, arguments.seed_dir, arguments.findings)


def _fuzz(models: int, seed: int, seed_dir: Path, findings_dir: Path) -> int:
    counts: Counter[str] = Counter()
    causes: dict[str, list[str]] = {}
    child = None
    with tempfile.TemporaryDirectory() as scratch:
        for number in tqdm(range(models), unit="model", disable=None):
            mutant = Path(scratch) / f"model-{seed}-{number}"
            mutant.mkdir()
            for name in (BUNDLE, KERAS, TFLITE):
                shutil.copy(seed_dir / name, mutant)
            damage = mutate_bundle(mutant, np.random.default_rng([seed, number]))
            child = child or Child(
                _MODULE, "--seed-dir", str(seed_dir), limit_cpu_s=_LIMIT_CPU_S, limit_wall_s=_LIMIT_WALL_S
            )
            answer = child.read(mutant)
            counts[answer["outcome"]] += 1
            if answer["outcome"] == "finding":
                kept = causes.setdefault(answer["cause"], [])
                kept.append(f"{mutant.name} ({damage}): {answer['text']}")
                tqdm.write(f"FINDING {answer['cause']}: {kept[-1]}")
                place = findings_dir / mutant.name
                shutil.copytree(mutant, place, dirs_exist_ok=True)
                (place / "finding.txt").write_text(f"{kept[-1]}\n\n{answer.get('details', '')}\n", errors="replace")
            shutil.rmtree(mutant)
            if child.ended or child.served == _BATCH:
                child.end()
                child = None
        if child is not None:
            child.end()
    print(f"{models} mutants of a bundle: " + ", ".join(f"{count} {what}" for what, count in counts.most_common()))
    for cause, kept in causes.items():
        print(f"FINDING x{len(kept)} {cause}: {kept[0]}")
    return 1 if causes else 0


def _make_seed(folder: Path) -> None:
    """A small bundle with a Keras model and a TFLite file, and a clip to recognise."""
    if (folder / "made").exists():
        return
    from tests.edge.small_model import LABELS, SPEC, TEMPERATURE, UNKNOWN_BELOW
    from video_understanding.bundle import Bundle
    from video_understanding.export.make import export_bundle
    from video_understanding.media.synthetic.calibration import write_calibration_clip
    from video_understanding.models.build import VideoUnderstandingModel
    from video_understanding.models.load import save_model

    folder.mkdir(parents=True, exist_ok=True)
    model = VideoUnderstandingModel(SPEC, LABELS, seed=7)
    report = {"accuracy": 0.9, "uar": 0.8, "clips": 20, "intervals": {"accuracy": [0.8, 0.95], "uar": None}}
    facts = {
        "name": "small",
        "created": "2026-01-01T00:00:00+00:00",
        "temperature": TEMPERATURE,
        "unknown_below": UNKNOWN_BELOW,
        "versions": {"keras": "3"},
        "training": {"settings": {"epochs": 2}, "seed": 1, "epochs": 2, "best_epoch": 1, "seconds": 1.5},
        "metrics": {"test": {"heads": {"action": report}}},
        "data": [{"name": "drawn", "clips": 20, "licence": None}],
        "licences": {},
    }
    bundle = Bundle.write(folder, SPEC, LABELS, facts)
    save_model(model, folder / KERAS)
    export_bundle(bundle, ["fp32"], model=model, progress=False)
    write_calibration_clip(folder / _CLIP, duration_s=1.0)
    (folder / "made").touch()


# ---- the child: tries one mutant after the other under limits ----


def _serve(seed_dir: Path) -> int:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    faulthandler.enable()
    faulthandler.register(signal.SIGXCPU, chain=True)
    first = _judge(seed_dir, seed_dir)  # what a first run loads and sets up is not the mutants' doing
    if first["outcome"] != "an answer":
        raise SystemExit(f"the undamaged bundle gives {first}")
    limit = _virtual_bytes() + _LIMIT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for line in sys.stdin:
        print(json.dumps(_judge(Path(line.rstrip("\n")), seed_dir)), file=answers)
    return 0


def _judge(folder: Path, seed_dir: Path) -> dict[str, Any]:
    """What the programs make of the mutant, within a limit of CPU time."""
    began_s = time.process_time()
    _, hard_limit_s = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(began_s) + _LIMIT_CPU_S, hard_limit_s))
    answer = _outcome(folder, str(seed_dir / _CLIP))
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, hard_limit_s))
    return answer | {"cpu_s": round(time.process_time() - began_s, 2)}


def _outcome(folder: Path, clip: str) -> dict[str, Any]:
    from video_understanding.cli.main import main as vu
    from video_understanding.edge.program import main as vu_edge

    # Each program that reads a damaged file.
    info = [(vu, ["info", str(folder)]), (vu, ["info", str(folder), "--json"])]
    by_keras = [(vu, ["predict", str(folder), clip, "--json", "--quiet"])]
    by_litert = [(vu_edge, [str(folder / TFLITE), clip, "--json"])]
    readers = {BUNDLE: [*info, *by_keras], KERAS: by_keras, TFLITE: by_litert}
    damaged = [name for name in readers if not filecmp.cmp(folder / name, Path(clip).with_name(name), shallow=False)]
    ways: dict[str, tuple[Callable[[list[str]], int], list[str]]] = {
        " ".join(words): (program, words) for name in damaged or readers for program, words in readers[name]
    }
    codes = []
    for program, words in ways.values():
        told, errors = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(told), contextlib.redirect_stderr(errors):
                code = program(words)
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in where if "video_understanding/" in frame.filename] or where
            cause = f"{type(error).__name__} in {Path(ours[-1].filename).name}:{ours[-1].lineno}"
            return finding(cause, f"{words[:1]}: {error}"[:_LONGEST_LINE]) | {"details": traceback.format_exc()[-6000:]}
        fault = _fault(code, told.getvalue(), errors.getvalue(), "--json" in words)
        if fault:
            return finding(fault, f"{words}: code {code}, {errors.getvalue()[:300]!r}, {told.getvalue()[:300]!r}")
        codes.append(code)
    return {"outcome": "an error" if any(codes) else "an answer"}


def _fault(code: int, told: str, errors: str, as_json: bool) -> str:
    """What is wrong with an outcome; empty if nothing is."""
    if code not in (0, 2):
        return "an odd exit code"
    if code == 2 and (errors.count("\n") != 1 or len(errors) > _LONGEST_LINE):
        return "an error of no line, several or a long one"
    if any(ord(letter) < 32 and letter not in "\n\t" for letter in told + errors):
        return "control characters"
    if code == 0 and as_json:
        try:
            json.loads(told, parse_constant=_no_constant)
        except ValueError:
            return "no JSON"
    return ""


def _no_constant(word: str) -> None:
    raise ValueError(word)


def _virtual_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmSize:"):
            return int(line.split()[1]) << 10
    raise KeyError("VmSize")


if __name__ == "__main__":
    sys.exit(main())
