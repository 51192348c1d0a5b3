"""`vu demo`: the whole path on clips it makes itself, each step being a command that anyone can type."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from video_understanding.cli.quiet import LEVEL

HELP = "show the whole path on clips it makes itself, in a few minutes"
EXAMPLE = "  vu demo\n  vu demo --out /tmp/demo --seed 3"

CLIPS, NEW_CLIPS = 192, 48
# Half of each label is in the picture, the other half in the sound: neither modality alone can be right.
DRAWN = {"mode": "halves", "difficulty": 0.0, "duration_s": 4.0, "width_px": 160, "height_px": 128}
PEOPLE, NEW_PEOPLE = 6, 3
STEPS = (
    ("Is this data set fit to learn from?", "vu check {clips}"),
    (
        "Learns, with some people kept apart to judge by.",
        "vu train {clips} --out {model} --preset edge --epochs 30 --seed {seed}{resume}",
    ),
    ("How good is it on people it has never seen?", "vu evaluate {model} {new_clips} --out {judged}"),
    (
        "One file for every device, each compared with Keras before it is kept.",
        "vu export {model} --formats saved_model,fp32,int8 --calibrate {clips}",
    ),
    ("Do all of them say the same of a media file, decoding and resizing included?", "vu verify {model} {clip}"),
    ("What happens in a clip, and why does the model say so?", "vu predict {model} {clip}"),
    ("", "vu explain {model} {clip} --out {why}"),
    ("And in a longer video, in which it changes?", "vu predict {model} {longer} --picture {picture} --report {page}"),
    ("The same on a device, without TensorFlow.", "vu-edge {model}/model_int8.tflite {clip}"),
)
LONGER = (  # and for how many seconds
    ("wave_bell", "happy", 9.0),
    ("bounce_rattle", "grumpy", 6.0),
    ("bounce_bell", "angry", 6.0),
    ("wave_rattle", "calm", 6.0),
)
SHIPPED_STEP = (
    "What the model in the box says of a clip like nothing it has learned from.",
    "vu predict {shipped} {clip}",
)
SHIPPED = Path(__file__).resolve().parents[2] / "saved_models"
PROGRAMS = {"vu": "video_understanding", "vu-edge": "video_understanding.edge.program"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="FOLDER", help="where everything goes (default: demo)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of clips and training (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.media.synthetic import make_dataset

    out, began_s = arguments.out, time.monotonic()
    print("Draws clips of figures that move and of faces that speak: six people to learn from, three others to ask.")
    print(
        "Half of each label is seen (wave or bounce, smile or frown), half is heard (bell or rattle, lively or quiet)."
    )
    clips = make_dataset(out / "clips", seed=arguments.seed, clips=CLIPS, subjects=PEOPLE, **DRAWN)
    new_clips = make_dataset(
        out / "new_clips", seed=arguments.seed + 1, clips=NEW_CLIPS, subjects=NEW_PEOPLE, first_subject=PEOPLE, **DRAWN
    )
    longer = _longer(out / "drawn.mp4", arguments.seed)
    model = out / "model"
    names = {
        "clips": clips,
        "new_clips": new_clips,
        "clip": sorted((new_clips.parent / "media").iterdir())[0],
        "model": model,
        "judged": out / "judged",
        "why": out / "why",
        "longer": longer,
        "picture": out / "timeline.png",
        "page": out / "timeline.html",
        "seed": arguments.seed,
        "resume": " --resume" if model.exists() else "",  # a demo that was stopped goes on where it was
    }
    shipped = sorted(file.parent for file in SHIPPED.glob("*/bundle.json"))
    steps = [*STEPS, SHIPPED_STEP] if shipped else STEPS
    for words, command in steps:
        code = _step(words, command.format(shipped=shipped[0] if shipped else "", **names))
        if code:
            return code
    print(f"\nDone in {time.monotonic() - began_s:.0f} s. What it made:")
    for path, meaning in _made(out):
        print(f"  {path!s:<36}  {meaning}")
    return 0


def _longer(file: Path, seed: int) -> Path:
    """A video of two people whom the model has not learned from, doing one thing after the other."""
    from video_understanding.media.synthetic import Halves, write_timeline

    parts = [
        (Halves(action, emotion, PEOPLE + number // 2, DRAWN["difficulty"], seed + number), duration_s)
        for number, (action, emotion, duration_s) in enumerate(LONGER)
    ]
    size = {side: 2 * DRAWN[side] for side in ("width_px", "height_px")}
    return write_timeline(file, parts, **size)


def _step(words: str, command: str) -> int:
    """One command as a person would type it: in a process of its own, which loads what it needs and nothing else."""
    print(f"\n{words}\n$ {command}" if words else f"$ {command}", flush=True)
    program, *arguments = shlex.split(command)
    environment = {
        name: value for name, value in os.environ.items() if name != LEVEL
    }  # each keeps TensorFlow quiet itself
    words = [sys.executable, "-m", PROGRAMS[program], *arguments]
    return subprocess.run(words, env=environment, check=False).returncode


def _made(out: Path) -> list[tuple[Path, str]]:
    known = {
        "clips/clips.csv": "the labelled clips",
        "model": "the trained model: its card, results and exports",
        "model/report.html": "how it learned and how good it became",
        "judged/report.html": "how good it is on people it has never seen",
        "timeline.png": "what it said of a longer video",
        "timeline.html": "the same as a page, and which modality carried it",
        "why": "why it said what it said, in pictures",
        "model/model_int8.tflite": "the model for small devices, in one file",
    }
    return [(out / name, meaning) for name, meaning in known.items() if (out / name).exists()]
