"""Exports of a model: each is made beside its place, tried against the Keras model, and only then put there."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.bundle import KERAS_FILE, Bundle
from video_understanding.bundle_card import card
from video_understanding.edge.litert_scorer import LiteRTScorer
from video_understanding.errors import ExportError
from video_understanding.export.calibration import calibration_part
from video_understanding.export.convert import convert
from video_understanding.export.exam import Exam, built_in_exam, exam_of
from video_understanding.export.fewer_bits import dynamic_networks, fp16_network, int8_networks
from video_understanding.export.formats import Format, chosen_formats
from video_understanding.export.joined import join_parts
from video_understanding.export.metadata import members, with_metadata
from video_understanding.export.network import read_network, renumber_names, require_builtin, write_network
from video_understanding.export.outcome import ExportReport, Outcome
from video_understanding.export.precision import REPAIRS
from video_understanding.export.quiet import quiet
from video_understanding.export.signatures import write_saved_model
from video_understanding.export.trial import Expected, compare, latency_ms
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.load import load_model, save_model
from video_understanding.models.saved_model_scorer import SavedModelScorer
from video_understanding.scorer import ModelInputs
from video_understanding.signatures import Signatures
from video_understanding.whole_file import remove_abandoned, unfinished_folder, write_whole

_EXTRA = "assets.extra"  # where a SavedModel keeps what is no part of its graph


def export(
    model: VideoUnderstandingModel,
    folder: str | Path,
    *,
    formats: Sequence[str] | None = None,
    clips: ModelInputs | None = None,
    truth: Mapping[str, np.ndarray] | None = None,
    progress: bool | None = None,
) -> Bundle:
    """Writes a model and its exports into a folder: the SavedModel, and TFLite in fp32 and fp16.

    With clips of your own (see `video_understanding.prepare`) come "dynamic" and "int8", whose ranges are set by
    them; `formats` names fewer. `truth` says what the clips show, head -> float32 [n,C+1] as `targets_of` gives it.
    A folder that holds another model is refused, and so is an export that tells something else than the model.
    """
    bundle = _bundle_of(model, Path(folder))
    report = export_bundle(bundle, formats, clips, truth, model=model, progress=progress)
    if report.refused:
        told = "; ".join(f"{outcome.format.name}: {outcome.refused}" for outcome in report.refused)
        raise ExportError(
            bundle.folder, f"has no export of these formats, which differ too much ({told})", "Leave these formats out."
        )
    return report.bundle


def export_bundle(
    bundle: Bundle,
    formats: Sequence[str] | None = None,
    clips: ModelInputs | None = None,
    truth: Mapping[str, np.ndarray] | None = None,
    *,
    model: VideoUnderstandingModel | None = None,
    progress: bool | None = None,
) -> ExportReport:
    """Exports a bundle's model into the bundle; exports that are there and not asked for stay.

    `clips`, `truth` and `formats` are those of `export`. A format that falls short is told of and left out. Steps
    are told on stderr if that is a terminal, or always or never with `progress` True or False.
    """
    chosen = chosen_formats(formats, clips is not None)
    shown = sys.stderr.isatty() if progress is None else progress
    exam = built_in_exam(bundle.spec) if clips is None else exam_of(clips, truth)
    remove_abandoned(bundle.folder)
    with unfinished_folder(bundle.folder, "export") as work:
        exporter = _Exporter(bundle, model or load_model(bundle), exam, clips, work, shown)
        outcomes = tuple(exporter.make(wanted) for wanted in chosen)
    return ExportReport(exporter.bundle, outcomes)


class _Exporter:
    """One model on its way into several formats, which share what they have in common."""

    def __init__(
        self,
        bundle: Bundle,
        model: VideoUnderstandingModel,
        exam: Exam,
        clips: ModelInputs | None,
        work: Path,
        shown: bool,
    ) -> None:
        self.bundle = bundle
        self._model = model
        self._exam = exam
        self._clips = clips
        self._work = work
        self._parts = Signatures.of(bundle.spec.modalities).parts
        self._shown = shown
        self._temperature = {head: bundle.temperature(head) for head in bundle.labels.heads}
        self._unknown_below = {head: bundle.unknown_below(head) or 0.0 for head in bundle.labels.heads}

    def make(self, wanted: Format) -> Outcome:
        """Makes one format, tries it, and puts it into the bundle if it is good enough."""
        made = self._work / "made" / wanted.file
        made.parent.mkdir(exist_ok=True)
        for in_float in self._attempts(wanted, made):
            self._say(f"{wanted.name}: comparing with Keras on {len(self._exam)} clips")
            scorer = self._scorer(wanted, made)
            trial = compare(scorer, self._expected, self._exam, self._unknown_below)
            outcome = Outcome(
                wanted,
                trial,
                _size_bytes(made),
                latency_ms(scorer, self._exam.inputs),
                in_float,
                self._exam.is_real,
                refused=trial.shortfall(wanted),
            )
            if not outcome.refused:
                self._keep(outcome, made)
                break
            self._say(f"{wanted.name}: {outcome.refused}")
        return outcome

    def _keep(self, outcome: Outcome, made: Path) -> None:
        _put(made, self.bundle.folder / outcome.format.file)
        exports = {**self.bundle.facts.get("exports", {}), outcome.format.file: outcome.facts()}
        self.bundle = self.bundle.with_facts(exports=exports)
        write_whole(self.bundle.card_file, card(self.bundle))

    def _attempts(self, wanted: Format, made: Path) -> Iterator[str]:
        """Writes the format to `made`, each time with more of it in float; says what that is."""
        if not wanted.is_tflite:
            shutil.copytree(self._saved_model, made)
            (made / _EXTRA).mkdir()
            for name, text in members(self.bundle, wanted.name).items():
                write_whole(made / _EXTRA / name, text)
            yield ""
            return
        self._say(f"{wanted.name}: converting")
        for repairs, network in enumerate(self._networks(wanted)):
            model = read_network(network)
            require_builtin(model)
            renumber_names(model)
            join_parts(model, self.bundle.spec)
            made.write_bytes(with_metadata(write_network(model), self.bundle, wanted.name))
            yield REPAIRS[repairs] if wanted.needs_clips else ""

    def _networks(self, wanted: Format) -> Iterator[bytes]:
        if wanted.name == "fp32":
            yield self._plain
        elif wanted.name == "fp16":
            yield fp16_network(self._saved_model, self._parts, self._plain)
        elif wanted.name == "dynamic":
            yield from dynamic_networks(self._saved_model, self._parts, self._plain)
        else:
            clips = calibration_part(self._clips, wanted)
            yield from int8_networks(self._saved_model, self._plain, clips, self.bundle.spec)

    def _scorer(self, wanted: Format, made: Path) -> LiteRTScorer | SavedModelScorer:
        if wanted.is_tflite:
            return LiteRTScorer(made)
        with quiet():
            return SavedModelScorer(made, self.bundle.spec, self.bundle.labels)

    @cached_property
    def _saved_model(self) -> Path:
        self._say("writing the SavedModel")
        write_saved_model(self._model, self._temperature, self._work / "source")
        return self._work / "source"

    @cached_property
    def _plain(self) -> bytes:
        return convert(self._saved_model, self._parts, "fp32")

    @cached_property
    def _expected(self) -> Expected:
        self._say(f"scoring {len(self._exam)} clips with Keras")
        return Expected.of(KerasScorer(self._model, self._temperature), self._exam.inputs)

    def _say(self, text: str) -> None:
        if self._shown:
            print(text, file=sys.stderr, flush=True)


def _bundle_of(model: VideoUnderstandingModel, folder: Path) -> Bundle:
    """The bundle of this very model in the folder, written if there is none."""
    if not (folder / "bundle.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        save_model(model, folder / KERAS_FILE)
        return Bundle.write(folder, model.spec, model.labels, {})
    bundle = Bundle.read(folder)
    if (bundle.spec, bundle.labels) == (model.spec, model.labels):
        pairs = zip(load_model(bundle).weights, model.weights, strict=True)
        if all(np.array_equal(*map(_numbers, pair)) for pair in pairs):
            return bundle
    raise ExportError(folder, "holds another model", "Give another folder.")


def _numbers(weight: Any) -> np.ndarray:
    import keras

    return keras.ops.convert_to_numpy(weight)


def _put(made: Path, place: Path) -> None:
    """Gives what was made its place; what stood there goes only then."""
    before = made.with_name(f"old_{made.name}")
    if place.is_dir():  # a file is replaced by renaming, a folder is not
        place.rename(before)
    try:
        made.rename(place)
    except BaseException:
        if before.exists() and not place.exists():
            before.rename(place)
        raise


def _size_bytes(made: Path) -> int:
    files = made.rglob("*") if made.is_dir() else [made]
    return sum(file.stat().st_size for file in files if file.is_file())
