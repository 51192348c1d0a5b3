"""`vu evaluate`: how good a trained model is on labelled clips."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from video_understanding.cli.options import add_data, add_runtime
from video_understanding.cli.speakers import add_speaker_of, speaker_weights

if TYPE_CHECKING:
    from video_understanding.bundle import Bundle
    from video_understanding.datasets.manifest import Manifest
    from video_understanding.features.speaker_weights import SpeakerWeights
    from video_understanding.scorer import PartwiseScorer
    from video_understanding.words.space import CommonSpace

HELP = "measure a trained model on labelled clips"
EXAMPLE = (
    "  vu evaluate saved_models/mine clips.csv\n"
    "  vu evaluate saved_models/mine clips.csv --out reports/mine\n"
    "  vu evaluate saved_models/mine clips.csv --runtime tflite:int8\n"
    "  vu evaluate saved_models/mine clips.csv --without audio --json > report.json\n"
    "  vu evaluate saved_models/mine clips.csv --speaker-of subject\n"
    "  vu evaluate saved_models/mine captions.csv --json"
)
_NAME_LETTERS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a trained model")
    add_data(parser)
    add_runtime(parser, "keras")
    parser.add_argument(
        "--with-seen",
        action="store_true",
        help="measure on clips of the model's training, too (default: they are left out)",
    )
    add_speaker_of(parser, columns=True)
    parser.add_argument("--without", metavar="MODALITY", help="take a modality away: video, audio")
    parser.add_argument(
        "--out",
        "--report",
        metavar="FOLDER",
        help="folder for report.html and report.json (default: one named after the data, in BUNDLE/evaluation)",
    )
    parser.add_argument("--anonymous", action="store_true", help="a report that names and shows no clip and no person")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.bundle import Bundle
    from video_understanding.datasets.cache import ClipCache
    from video_understanding.datasets.speakers import speaker_numbers
    from video_understanding.errors import VideoUnderstandingError
    from video_understanding.evaluation import evaluate, robustness
    from video_understanding.evaluation.known_speakers import Encoding, evaluate_known_speakers
    from video_understanding.evaluation.labelled_data import load_labelled
    from video_understanding.evaluation.robustness import SNRS_DB
    from video_understanding.evaluation.words import evaluate_words
    from video_understanding.progress import one_bar
    from video_understanding.report import clearest_mistakes, without_names, write_report
    from video_understanding.runtimes import make_scorer
    from video_understanding.words.words_file import read_words

    bundle = Bundle.read(arguments.bundle)
    manifest, seen = load_labelled(
        arguments.data, bundle.labels, bundle.folder, heads=arguments.heads, with_seen=arguments.with_seen
    )
    weights, notes = _weights(bundle, manifest, arguments)
    space = read_words(bundle.folder) if any(row.texts for row in manifest.rows) else None
    scorer = make_scorer(bundle, arguments.runtime)
    if space is not None and bundle.labels.keys().isdisjoint(manifest.labels):
        return _retrieval_alone(bundle, scorer, space, manifest, seen, arguments)
    prepared = ClipCache().prepare(manifest.rows, bundle.spec)
    # With a modality taken away nothing is left to take; noise would have to be in what adapts to a speaker, too.
    alone = arguments.without or weights is not None
    with one_bar("Evaluating", 1 if alone else 4 + len(SNRS_DB)):
        if weights is not None:
            speakers, source = speaker_numbers(manifest.rows, arguments.speaker_of), Encoding(scorer, prepared)
            report = evaluate_known_speakers(
                scorer, weights, prepared, manifest.rows, speakers, source, without=arguments.without
            )
        else:
            report = evaluate(scorer, prepared, manifest.rows, without=arguments.without)
        table = None if alone else robustness(scorer, prepared, manifest.rows, seed=0)
    retrieval = None if space is None else evaluate_words(scorer, space, prepared, manifest.rows)
    report = dataclasses.replace(report, notes=(*seen, *notes, *report.notes))
    values = {
        "model": bundle.name,
        "data": manifest.name,
        "data_id": _data_id(manifest),
        "runtime": arguments.runtime,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **({"speaker_of": arguments.speaker_of} if weights is not None else {}),
        **report.to_dict(),
        **({} if table is None else {"robustness": table.to_dict()}),
        **({} if retrieval is None else {"retrieval": retrieval.to_dict()}),
    }
    values = without_names(values) if arguments.anonymous else values
    gallery = [] if arguments.anonymous else clearest_mistakes(report, prepared)
    folder = Path(arguments.out) if arguments.out else _folder(bundle, manifest, arguments)
    page, failure = None, None
    try:
        page = write_report(folder, values, gallery=gallery)
    except VideoUnderstandingError as error:  # told after the result, which must not be lost
        failure = error
    if arguments.json:
        print(json.dumps(values, indent=2))
    else:
        print("\n\n".join(part.text() for part in (report, table, retrieval) if part is not None), end="\n\n")
    if failure and arguments.out:
        raise failure
    if failure:
        print(f"vu: no report is kept: {failure}", file=sys.stderr)
    else:
        print(f"report: {page}", file=sys.stderr if arguments.json else sys.stdout)
    return 0


def _retrieval_alone(
    bundle: Bundle,
    scorer: PartwiseScorer,
    space: CommonSpace,
    manifest: Manifest,
    notes: list[str],
    arguments: argparse.Namespace,
) -> int:
    """The result on clips that have sentences and no label of any head."""
    from video_understanding.datasets.cache import ClipCache
    from video_understanding.evaluation.words import evaluate_words
    from video_understanding.whole_file import write_whole

    prepared = ClipCache().prepare(manifest.rows, bundle.spec)
    retrieval = evaluate_words(scorer, space, prepared, manifest.rows)
    notes += [f"Left out: {len(prepared.set_aside)} clip(s) that could not be read."] * bool(prepared.set_aside)
    values = {
        "model": bundle.name,
        "data": manifest.name,
        "runtime": arguments.runtime,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "clips": retrieval.clip_to_text.searches,
        "sentences": retrieval.text_to_clip.searches,
        "retrieval": retrieval.to_dict(),
        "notes": notes,
    }
    document = json.dumps(values, indent=2)
    if arguments.out:
        write_whole(Path(arguments.out) / "report.json", document + "\n")
    print(document if arguments.json else "\n".join([retrieval.text(), *notes]))
    return 0


def _weights(
    bundle: Bundle, manifest: Manifest, arguments: argparse.Namespace
) -> tuple[SpeakerWeights | None, list[str]]:
    """What adapts the model to speakers, None where nothing does, and notes on it."""
    from video_understanding.datasets.speakers import require_speakers
    from video_understanding.errors import VideoUnderstandingError

    of = arguments.speaker_of
    if of is None:
        return None, []
    if arguments.without == "audio":
        raise VideoUnderstandingError(
            "--speaker-of", "adapts to voices, which --without audio takes away", "Leave one of them out."
        )
    require_speakers(manifest.rows, of, manifest.name)
    weights, notes = speaker_weights(bundle.folder, bundle.labels)
    return weights, ([f"Speakers are distinguished by {of}."] if weights else []) + notes


def _data_id(manifest: Manifest) -> str:
    """Tells data sets of the same name apart, without saying where they lie."""
    places = "\n".join(map(str, manifest.sources))
    return hashlib.sha256(places.encode(errors="surrogateescape")).hexdigest()[:12]


def _folder(bundle: Bundle, manifest: Manifest, arguments: argparse.Namespace) -> Path:
    """Inside the bundle, named after all that makes one evaluation another: none takes the place of another."""
    words = [Path(source).stem for source in manifest.sources] + list(arguments.heads or ())
    if arguments.with_seen:
        words += ["with", "seen"]
    if arguments.without:
        words += ["without", arguments.without]
    if arguments.speaker_of:
        words += ["speaker", "of", arguments.speaker_of]
    if arguments.anonymous:
        words.append("anonymous")
    if arguments.runtime != "keras":
        words += arguments.runtime.split(":")
    name = "-".join(words)[:_NAME_LETTERS]
    places = (bundle.folder / "evaluation" / (name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(place for place in places if _is_free(place, _data_id(manifest)))


def _is_free(folder: Path, data_id: str) -> bool:
    """Whether no report of other data lies there."""
    try:
        return json.loads((folder / "report.json").read_text(encoding="utf-8")).get("data_id") == data_id
    except (OSError, ValueError, AttributeError):
        return True
