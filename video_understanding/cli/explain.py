"""`vu explain`: why a trained model says what it says of a file."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from video_understanding.modality import MODALITIES

if TYPE_CHECKING:
    from video_understanding.explain.explanation import Explanation
    from video_understanding.explain.reasons import Attention, HeadReasons

HELP = "show why a model says what it says of a file: modalities, places in the picture, moments of the sound"
EXAMPLE = (
    "  vu explain saved_models/mine clip.mp4 --out why\n"
    "  vu explain saved_models/mine clip.mp4 --out why --start 12.5 --json > why.json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a trained model")
    parser.add_argument("file", metavar="FILE", help="video or sound file")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="folder for the pictures and explanation.json")
    parser.add_argument(
        "--start",
        type=float,
        metavar="S",
        help="explain the window that begins at S seconds (default: the one that the model is surest of)",
    )
    parser.add_argument("--json", action="store_true", help="print the explanation as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.explain import explain

    explanation = explain(arguments.bundle, arguments.file, arguments.start)
    files = explanation.draw(arguments.out)
    if arguments.json:
        print(json.dumps({**explanation.to_dict(), "files": [str(file) for file in files]}, indent=2))
    else:
        print(describe(explanation))
        print(f"written to {arguments.out}: {', '.join(file.name for file in files)}")
    return 0


def describe(explanation: Explanation) -> str:
    """The explanation in a few lines of text."""
    clip = explanation.clip
    lines = [f"{clip.source}, {clip.start_s:.2f} to {clip.end_s:.2f} s: {explanation.chosen}"]
    for head, reasons in explanation.heads.items():
        lines += _head_lines(explanation, head, reasons)
    lines.append(f"  attention  {_attention_words(explanation.attention)}")
    return "\n".join([*lines, *(f"  note       {note}" for note in clip.notes)])


def _head_lines(explanation: Explanation, head: str, reasons: HeadReasons) -> list[str]:
    answer, shares = reasons.answer, reasons.shares
    told = f"{answer.words}, {100 * answer.confidence:.1f} %"
    if answer.label != reasons.label:
        told += f"; explained is {reasons.label}, {100 * shares.confidence:.1f} %"
    without = [f"{100 * value:.1f} % without {name}" for name, value in shares.without.items()]
    lines = [f"  {head:<10} {told}", f"    shares   {'; '.join([shares.words, *without])}"]
    if reasons.heat is not None and not reasons.heat.strength:
        lines.append("    picture  adds nothing")
    elif reasons.heat is not None:
        frame = int(reasons.heat.of_frames.argmax())
        lines.append(f"    picture  {reasons.heat.warmest_place}, most in the frame at {_frame_s(explanation, frame)}")
    if reasons.sound is not None:
        telling = reasons.sound.most_telling_s
        lines.append(f"    sound    {f'{telling[0]:.2f} to {telling[1]:.2f} s' if telling else 'no moment of it'}")
    return lines


def _frame_s(explanation: Explanation, number: int) -> str:
    return f"{explanation.frame_times_s[number]:.2f} s"


def _attention_words(attention: Attention | str) -> str:
    if isinstance(attention, str):
        return attention
    first, second, weights = attention.pairs[0]
    row, column = divmod(int(weights.argmax()), weights.shape[1])
    return (
        f"{MODALITIES[first].words} at {attention.times_s[first][row]:.2f} s attends most to "
        f"{MODALITIES[second].words} at {attention.times_s[second][column]:.2f} s"
    )
