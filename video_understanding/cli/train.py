"""`vu train`: fits a model on labelled clips and writes a bundle."""

from __future__ import annotations

import argparse
import dataclasses
import json

from video_understanding.bundle import Bundle
from video_understanding.cli.options import add_data
from video_understanding.presets import PRESETS

HELP = "fit a model on labelled clips and write a bundle"
EXAMPLE = (
    "  vu train clips.csv --out saved_models/mine\n"
    "  vu train clips.csv --out saved_models/mine --preset edge --epochs 60 --seed 7\n"
    "  vu train clips.csv --out saved_models/mine --heads action,scene\n"
    "  vu train clips.csv --out saved_models/mine --resume"
)
FUSIONS = ("cross_attention", "early", "late", "hybrid", "self_attention", "gcn", "gat")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--out", required=True, metavar="BUNDLE", help="folder that the model is written to")
    add_training_arguments(parser)
    parser.add_argument("--resume", action="store_true", help="go on with a training that was stopped")
    parser.add_argument("--json", action="store_true", help="print what was measured as one JSON document")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of every command that trains."""
    parser.add_argument("--preset", choices=tuple(PRESETS), default="tiny", help="size of the model (default: tiny)")
    parser.add_argument("--fusion", choices=FUSIONS, help="how picture and sound are joined")
    parser.add_argument("--backbone", metavar="NAME", help="CNN for the frames, such as small or efficientnet_lite0")
    parser.add_argument(
        "--zoom",
        type=int,
        metavar="N",
        help="read pictures N times as large, up to 4, and look at the part where most moves",
    )
    parser.add_argument(
        "--multi-label",
        action="append",
        metavar="HEAD",
        help="a clip may show several classes of this head, or none; may be given for each head",
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="how often to go through the clips at most")
    parser.add_argument("--batch-size", type=int, metavar="N", help="clips at a time")
    parser.add_argument("--learning-rate", type=float, metavar="RATE", help="the highest learning rate")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is random (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.datasets.manifest import load_manifest
    from video_understanding.training.train import train

    manifest = load_manifest(*arguments.data, heads=arguments.heads)
    spec, settings = chosen(arguments)
    bundle = train(manifest, spec, arguments.out, settings, resume=arguments.resume)
    if arguments.json:
        print(json.dumps(bundle.to_dict(), indent=2))
    else:
        print(summary(bundle))
    return 130 if bundle.facts["training"]["interrupted"] else 0


def chosen(arguments: argparse.Namespace) -> tuple:
    """The spec and the settings that the arguments ask for."""
    from video_understanding.presets import preset
    from video_understanding.training.settings import TrainingSettings

    spec = preset(arguments.preset)
    network = {
        name: getattr(arguments, name) for name in ("fusion", "backbone", "multi_label") if getattr(arguments, name)
    }
    spec = dataclasses.replace(spec, network=dataclasses.replace(spec.network, **network))
    if arguments.zoom is not None:
        spec = dataclasses.replace(spec, video=dataclasses.replace(spec.video, zoom=arguments.zoom))
    names = ("epochs", "batch_size", "learning_rate", "seed")
    settings = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    return spec, TrainingSettings(**settings)


def summary(bundle: Bundle) -> str:
    """A few lines: how long it took, how well it does, where it lies."""
    training = bundle.facts["training"]
    stopped = ", stopped by hand" if training["interrupted"] else ""
    took = f"{training['epochs']} epochs in {training['seconds']:.0f} s{stopped}"
    lines = [f"{took}; the best was epoch {training['best_epoch']}"]
    for part in ("validation", "test"):
        for head, result in bundle.facts["metrics"].get(part, {}).get("heads", {}).items():
            lines.append(
                f"{part}: {head} {100 * result['accuracy']:.1f} % right, UAR {100 * result['uar']:.1f} %, "
                f"{result['clips']} clips"
            )
    lines += [f"warning: {warning}" for warning in bundle.facts.get("warnings", ())]
    return "\n".join(
        [
            *lines,
            f"written to {bundle.folder}",
            f"report: {bundle.folder / 'report.html'}",
            f"report with clips and people: {bundle.folder / 'training' / 'report.html'}",
        ]
    )
