"""`vu info`: what a trained model is, as far as its bundle tells."""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from video_understanding.bundle import Bundle, odd_facts_refused
from video_understanding.prediction import SHOWN_FROM

if TYPE_CHECKING:
    from video_understanding.bundle_card import HeadResult
    from video_understanding.labels import HeadSpec

HELP = "show what a trained model is: labels, inputs, results, files, and the licences of its data"
EXAMPLE = "  vu info saved_models/mine\n  vu info saved_models/mine --json > facts.json"

_LABEL_WIDTH = 14


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a trained model")
    parser.add_argument("--json", action="store_true", help="print all that is known as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    bundle = Bundle.read(arguments.bundle)
    if arguments.json:
        files = [{"file": name, "bytes": size} for name, size in sizes_bytes(bundle.folder).items()]
        print(json.dumps({"folder": str(bundle.folder), **bundle.to_dict(), "files": files}, indent=2))
    else:
        print(describe(bundle))
    return 0


@odd_facts_refused
def describe(bundle: Bundle) -> str:
    """The model as text of at most 80 columns."""
    from video_understanding.bundle_card import in_words, results
    from video_understanding.bundle_words import words_sentences
    from video_understanding.evaluation.text import aligned

    facts, spec = bundle.facts, bundle.spec
    video = spec.video
    seen = f"{spec.frames} frames of {video.width_px}x{video.height_px} in {spec.window_s:g} s"
    seen += f", where most moves in {video.read_width_px}x{video.read_height_px}" if video.zoom > 1 else ""
    versions = ", ".join(f"{package} {version}" for package, version in facts.get("versions", {}).items())
    lines = [
        str(bundle.folder),
        *_entry("name", bundle.name),
        *_entry("made", f"{facts.get('created', 'unknown')}, with {versions or 'unknown versions'}"),
        *_entry("video", seen),
        *_entry("audio", f"{spec.samples} samples at {spec.audio.sample_rate_hz} Hz in {spec.hops} hops"),
        *_entry("network", spec.network.words.replace("`", "")),
    ]
    for head in bundle.heads:
        lines += [*_entry(head.name, _classes(head)), *_entry("", _threshold(bundle, head))]
    training = dict(facts.get("training") or {})
    settings, speakers = training.pop("settings", {}), training.pop("speaker_normalisation", None)
    lines += _entry("parameters", f"{facts['parameters']:,}" if "parameters" in facts else "unknown")
    lines += _entry("trained", in_words(training) or "unknown")
    if speakers and "personalised" not in facts:
        lines += _entry("speakers", f"adapts to them (--speaker-of): {in_words(speakers)}")
    lines += _entry("settings", "; ".join(in_words({name: value}) for name, value in settings.items()) or "unknown")
    for sentence in words_sentences(bundle):
        lines += _entry("words", sentence.replace("`", ""))
    for warning in facts.get("warnings", ()):
        lines += _entry("warning", warning)
    lines += _entry("split", facts.get("split_hash", "unknown"))
    for label, told in (
        ("result", [_result(result) for result in results(bundle)]),
        ("data", [_data(entry) for entry in facts.get("data", ())]),
        ("weights", _weights(facts.get("licences"))),
        ("export", [_export(bundle, *export) for export in facts.get("exports", {}).items()] or ["none recorded"]),
    ):
        for text in told or ["unknown"]:
            lines += _entry(label, text)
    files = aligned([[name, _size(size)] for name, size in sizes_bytes(bundle.folder).items()])
    return "\n".join([*lines, "", *files])


def sizes_bytes(folder: Path) -> dict[str, int]:
    """The size of every file, and of all in every folder (its name ends with "/"), that lies in `folder`."""
    sizes = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            sizes[f"{path.name}/"] = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        else:
            sizes[path.name] = path.stat().st_size
    return sizes


def _entry(label: str, text: str) -> list[str]:
    from video_understanding.evaluation.text import WIDTH

    first = f"  {label}".ljust(_LABEL_WIDTH)
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=" " * _LABEL_WIDTH, break_on_hyphens=False
    )


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.1f} kB"


def _classes(head: HeadSpec) -> str:
    from video_understanding.evaluation.text import many

    at_once = ", several at once" if head.is_multi else ""
    return f"{many(len(head.classes), 'class')}{at_once}: {', '.join(head.classes)}."


def _threshold(bundle: Bundle, head: HeadSpec) -> str:
    if head.is_multi:
        return f"A class is shown from a score of {SHOWN_FROM:g} on."
    below = bundle.unknown_below(head.name)
    return f'It answers "unknown" below a confidence of {below:.3g}.' if below else 'It never answers "unknown".'


def _result(result: HeadResult) -> str:
    from video_understanding.evaluation.text import between, many, percent

    measures = [("accuracy", result.accuracy, result.accuracy_interval), ("UAR", result.uar, result.uar_interval)]
    if (mean := result.found.get("mean_average_precision")) is not None:
        measures.insert(0, ("mAP", mean, None))
    told = [
        f"{name} {percent(share)} %" + (f" ({between(interval)})" if interval else "")
        for name, share, interval in measures
    ]
    return f"{result.part}, {result.head}: {', '.join(told)} of {many(result.clips, 'clip')}"


def _data(entry: dict[str, Any]) -> str:
    from video_understanding.evaluation.text import many

    clips = many(entry["clips"], "clip") if "clips" in entry else "clips unknown"
    return f"{entry.get('name', 'name unknown')}, {clips}, {entry.get('licence') or 'licence unknown'}"


def _weights(licences: dict[str, str] | None) -> list[str]:
    if licences is None:
        return []
    return [f"{name}, {licence}" for name, licence in licences.items()] or ["random at the beginning"]


def _export(bundle: Bundle, file: str, facts: dict[str, Any]) -> str:
    from video_understanding.bundle_card import in_words

    gone = "" if (bundle.folder / file).exists() else ", is not in the folder any more"
    return ": ".join(part for part in (file + gone, in_words(facts)) if part)
