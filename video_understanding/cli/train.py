"""`vu train`: fits a model on labelled clips and writes a bundle."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

from video_understanding.bundle import Bundle
from video_understanding.cli.options import add_data
from video_understanding.errors import VideoUnderstandingError
from video_understanding.network_spec import MISSING
from video_understanding.presets import DEFAULT, PRESETS

HELP = "fit a model on labelled clips and write a bundle"
EXAMPLE = (
    "  vu train clips.csv --out saved_models/mine\n"
    "  vu train clips.csv --out saved_models/mine --zoom 4\n"
    "  vu train clips.csv --out saved_models/mine --preset edge --epochs 60 --seed 7\n"
    "  vu train clips.csv --out saved_models/mine --heads action,scene\n"
    "  vu train more.csv --out saved_models/newer --from saved_models/mine\n"
    "  vu train clips.csv --out saved_models/mine --resume"
)
_DOUBTFUL = 3  # labels in the terminal
_OF_NETWORKS = ("fusion", "epochs", "patience", "batch_size", "learning_rate", "mixup", "unsure")
FUSIONS = ("cross_attention", "early", "late", "hybrid", "self_attention", "gcn", "gat")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--out", required=True, metavar="BUNDLE", help="folder that the model is written to")
    parser.add_argument(
        "--from",
        dest="origin",
        metavar="BUNDLE",
        help="train on the clips of this bundle's training and on DATA together, with its settings; what is encoded "
        "already comes from the cache, so that a closed form takes seconds",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the bundle that --out holds")
    add_training_arguments(parser)
    parser.add_argument("--resume", action="store_true", help="go on with a training that was stopped")
    parser.add_argument("--json", action="store_true", help="print what was measured as one JSON document")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of every command that trains."""
    parser.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        default=DEFAULT,
        help=f"encoders, window and classifier (default: {DEFAULT}: pretrained encoders and a closed form)",
    )
    parser.add_argument(
        "--classifier",
        choices=("linear", "network"),
        help="linear: a closed form on frozen pretrained encoders; network: a fusion trained by gradients (default: as "
        "the preset has it)",
    )
    parser.add_argument(
        "--modalities",
        type=lambda words: tuple(words.split(",")),
        metavar="NAMES",
        help="what the model takes in (default: video,audio)",
    )
    parser.add_argument(
        "--missing",
        choices=MISSING,
        help="clips that lack a modality: ignore learns a token in its place, drop leaves them out of the training, "
        "fill takes the mean of the other clips (default: ignore)",
    )
    parser.add_argument("--fusion", choices=FUSIONS, help="how the network joins video and audio")
    parser.add_argument("--backbone", metavar="NAME", help="CNN for the frames, such as small or efficientnet_lite0")
    parser.add_argument("--audio-encoder", metavar="NAME", help="encoder of the sound: separable or conv1d")
    parser.add_argument("--window", type=float, metavar="SECONDS", help="length of one window")
    parser.add_argument("--size", type=int, metavar="PX", help="height and width of the frames")
    parser.add_argument(
        "--zoom",
        type=int,
        metavar="N",
        help="read frames N times as large, up to 4, and crop to the part where most moves (default: 1, or what a "
        "closed form finds better of 1 and 4)",
    )
    parser.add_argument(
        "--multi-label",
        action="append",
        metavar="HEAD",
        help="a clip may show several classes of this head, or none; may be given for each head",
    )
    parser.add_argument(
        "--views", type=int, metavar="N", help="augmented views of the frames for a closed form (default: 2)"
    )
    parser.add_argument(
        "--epochs", type=int, metavar="N", help="how often to go through the clips at most (default: 40)"
    )
    parser.add_argument(
        "--patience", type=int, metavar="N", help="epochs without a better validation loss (default: 8)"
    )
    parser.add_argument("--batch-size", type=int, metavar="N", help="clips at a time (default: 16)")
    parser.add_argument(
        "--learning-rate", type=float, metavar="RATE", help="the highest learning rate (default: 0.001)"
    )
    parser.add_argument("--mixup", type=float, metavar="ALPHA", help="strength of mixing clips in pairs (default: 0)")
    parser.add_argument(
        "--unsure", type=float, metavar="SHARE", help="weight of clips without a label for a head (default: 0)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is random (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.datasets.manifest import load_manifest
    from video_understanding.training.origin import Origin
    from video_understanding.training.train import train

    if arguments.origin:
        _refuse_with_origin(arguments)
        origin = Origin.read(arguments.origin)
        manifest = origin.joined_with(arguments.data, arguments.heads)
        spec, settings = origin.spec, origin.settings
    else:
        manifest = load_manifest(*arguments.data, heads=arguments.heads)
        spec, settings = chosen(arguments)
    flags = {"resume": arguments.resume, "overwrite": arguments.overwrite}
    bundle = train(manifest, spec, arguments.out, settings, **flags)
    if arguments.json:
        print(json.dumps(bundle.to_dict(), indent=2))
    else:
        print(summary(bundle))
    return 130 if bundle.facts["training"]["interrupted"] else 0


def _refuse_with_origin(arguments: argparse.Namespace) -> None:
    """Refuses options that a training from a bundle takes from that bundle."""
    parser = argparse.ArgumentParser()
    add_training_arguments(parser)
    usual = vars(parser.parse_args([]))
    given = [name for name, value in usual.items() if getattr(arguments, name) != value]
    if given or arguments.resume:
        option = f"--{(given or ['resume'])[0].replace('_', '-')}"
        raise VideoUnderstandingError(
            option, "cannot be given with --from, which has it from its bundle", "Leave it out."
        )


def chosen(arguments: argparse.Namespace) -> tuple:
    """The spec and the settings that the arguments ask for."""
    from video_understanding.presets import preset
    from video_understanding.training.settings import TrainingSettings

    spec = preset(arguments.preset)
    network = {name: getattr(arguments, name) for name in ("fusion", "backbone", "missing", "multi_label")}
    network |= {"listener": arguments.audio_encoder, "classifier": arguments.classifier}
    if "linear" in (arguments.classifier, spec.network.classifier) and arguments.classifier != "network":
        network |= {"unfrozen_blocks": 0, "unfrozen_listener_blocks": 0}  # a closed form needs frozen encoders
    _refuse_idle(arguments, arguments.classifier or spec.network.classifier)
    video = {"zoom": arguments.zoom, "height_px": arguments.size, "width_px": arguments.size}
    spec = dataclasses.replace(
        spec,
        window_s=arguments.window or spec.window_s,
        modalities=arguments.modalities or spec.modalities,
        video=dataclasses.replace(spec.video, **_given(video)),
        network=dataclasses.replace(spec.network, **_given(network)),
    )
    names = ("views", "epochs", "patience", "batch_size", "learning_rate", "mixup", "unsure", "seed")
    settings = {name: getattr(arguments, name) for name in names}
    return spec, TrainingSettings(**_given({**settings, "close_up": None if arguments.zoom is None else False}))


def _refuse_idle(arguments: argparse.Namespace, classifier: str) -> None:
    """Refuses an option that would change nothing: a closed form has no epochs, and a network no views."""
    idle = _OF_NETWORKS if classifier == "linear" else ("views",)
    given = [name for name in idle if getattr(arguments, name) is not None]
    if given:
        option = f"--{given[0].replace('_', '-')}"
        cure = "Add --classifier network, or --preset edge." if classifier == "linear" else "Add --classifier linear."
        raise VideoUnderstandingError(option, f"changes nothing in a training of a {classifier} classifier", cure)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def summary(bundle: Bundle) -> str:
    """A few lines: how long it took, how well it does, where it lies."""
    training = bundle.facts["training"]
    stopped = ", stopped by hand" if training["interrupted"] else ""
    if "closed_form" in training:
        lines = [f"closed form in {training['closed_form_seconds']:.1f} s, with encoding {training['seconds']:.0f} s"]
        if len(tried := training["log_loss_left_out"]) > 1:
            losses = ", ".join(f"{name} {loss:.3f}" for name, loss in tried.items())
            lines.append(f"log loss on subjects left out: {losses}; frames are read at zoom {bundle.spec.video.zoom}")
    else:
        took = f"{training['epochs']} epochs in {training['seconds']:.0f} s{stopped}"
        lines = [f"{took}; the best was epoch {training['best_epoch']}"]
    for part in ("validation", "test"):
        for head, result in bundle.facts["metrics"].get(part, {}).get("heads", {}).items():
            lines.append(
                f"{part}: {head} {100 * result['accuracy']:.1f} % right, UAR {100 * result['uar']:.1f} %, "
                f"{result['clips']} clips"
            )
    lines += [f"warning: {warning}" for warning in bundle.facts.get("warnings", ())]
    lines += _study_lines(bundle)
    return "\n".join(
        [
            *lines,
            f"written to {bundle.folder}",
            f"report: {bundle.folder / 'report.html'}",
            f"report with clips and people: {bundle.folder / 'training' / 'report.html'}",
        ]
    )


def _study_lines(bundle: Bundle) -> list[str]:
    """The learning curve and the most doubtful labels, as the report of the clips has them."""
    from video_understanding.evaluation.data_study import CurvePoint, would_help

    told, lines = json.loads((bundle.folder / "training" / "report.json").read_text(encoding="utf-8")), []
    for head, points in told.get("learning_curve", {}).items():
        shares = ", ".join(f"{100 * point['uar']:.1f} from {point['clips_per_class'] or 'all'}" for point in points)
        gained = would_help([CurvePoint(**point) for point in points])
        lines.append(f"learning curve, {head}: UAR % {shares} clips of a class. {gained}")
    for head, doubtful in told.get("doubtful_labels", {}).items():
        first = "; ".join(f"{one['clip']} is {one['label']}, likely {one['likely']}" for one in doubtful[:_DOUBTFUL])
        if first:
            lines.append(f"doubtful labels, {head}, {len(doubtful)} in the report with clips: {first}")
    return lines
