"""One training on some folds and what it says of all others, kept as JSON: what is done is not done again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from benchmarks.accuracy.alike import heard_alike
from benchmarks.accuracy.frozen_parts import Ear, Eye
from benchmarks.accuracy.person import loud_hops, person_answers
from benchmarks.accuracy.remembered import Remembered
from benchmarks.accuracy.senses import KnownScorer, OneSense
from benchmarks.accuracy.sets import speaker_of
from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.frozen_split import Split
from video_understanding.datasets.grouping import clip_ids
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.rows import Row
from video_understanding.evaluation import HeadReport
from video_understanding.evaluation.answers import Answers
from video_understanding.evaluation.evaluate import evaluate_inputs
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.listeners.weights import WEIGHTS
from video_understanding.models.load import save_model
from video_understanding.spec import ModelSpec
from video_understanding.training.fit import Trained, fit
from video_understanding.training.settings import TrainingSettings
from video_understanding.whole_file import whole_file

FOLDER = Path("build") / "accuracy"
PERSON = "person"  # what is asked of a model that is used to the person
WITHOUT: dict[str, str | None] = {"both": None, "video": "audio", "audio": "video"}  # what is asked -> taken away


@dataclass(frozen=True)
class Recipe:
    """How one training is done: the network's settings that differ from the spec's, and those of the training."""

    network: Mapping[str, object]
    training: Mapping[str, object]

    def spec(self, plain: ModelSpec) -> ModelSpec:
        """The spec with this network."""
        return dataclasses.replace(plain, network=dataclasses.replace(plain.network, **self.network))


class Pieces:
    """The trainings of one set: `senses` says what they learn from ("both", or one alone).

    Of `people`, who are heard, it is also told how they are recognised once the model is used to them.
    """

    def __init__(
        self,
        manifest: Manifest,
        spec: ModelSpec,
        senses: str,
        folder: Path,
        changed: int = 2,
        people: bool = False,
    ) -> None:
        self.manifest = manifest
        self.folds = sorted({row.fold for row in manifest})
        self._spec = spec
        self._senses = senses
        self._folder = folder
        self._changed = changed
        self._people = people and senses != "video"

    def answers(self, name: str, recipe: Recipe, learned: frozenset[int], seed: int) -> dict[str, dict[str, Answers]]:
        """What is asked -> head -> the answers of all clips outside the folds `learned`."""
        file = self._folder / f"{self._senses}_{name}_{''.join(map(str, sorted(learned)))}_{seed}.json"
        about = self._about(recipe)
        kept = json.loads(file.read_text()) if file.exists() else {}
        if kept.get("about") != json.loads(json.dumps(about)):
            kept = {"about": about, "answers": self._learn(recipe, learned, seed)}
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as unfinished:
                unfinished.write_text(json.dumps(kept) + "\n", encoding="utf-8")
        return {
            asked: {head: self._read(told) for head, told in heads.items()} for asked, heads in kept["answers"].items()
        }

    def model(self, name: str, recipe: Recipe, seed: int) -> VideoUnderstandingModel:
        """A model that has learned from all folds, with the weights of its backbone."""
        about = json.dumps(self._about(recipe), sort_keys=True)
        file = self._folder / f"{name}_{hashlib.sha256(about.encode()).hexdigest()[:12]}_{seed}.keras"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            save_model(self._fit(recipe, frozenset(self.folds), seed).model, file)
        return keras.models.load_model(file, compile=False)

    def _about(self, recipe: Recipe) -> dict[str, object]:
        told = {
            "network": dict(recipe.network),
            "training": dict(recipe.training),
            "spec": self._spec.to_dict(),
            "changed": self._changed,
        }
        weights = WEIGHTS[self._spec.network.listener].read_bytes()
        return {**told, "listener": hashlib.sha256(weights).hexdigest()[:12]}

    def _learn(self, recipe: Recipe, learned: frozenset[int], seed: int) -> dict[str, dict[str, dict]]:
        trained = self._fit(recipe, learned, seed)
        scorer = KnownScorer(trained.model, self._seen[0], self._heard[0])
        told = {
            asked: {
                head: _written(report.answers)
                for head, report in evaluate_inputs(
                    scorer,
                    trained.prepared,
                    trained.rows_of("test"),
                    lambda numbers, without=without: scorer.inputs(trained.prepared, numbers, without),
                    batch_size=32,
                    progress=False,
                    seed=0,
                ).heads.items()
            }
            for asked, without in WITHOUT.items()
            if self._senses in ("both", asked)
        }
        if self._people:
            own = trained.rows_of("test")
            used = person_answers(trained.model, scorer, trained.prepared, self._heard[0], own, seed)
            told[PERSON] = {head: _written(answers) for head, answers in used.items()}
        return told

    def _fit(self, recipe: Recipe, learned: frozenset[int], seed: int) -> Trained:
        with tempfile.TemporaryDirectory() as folder:
            return fit(
                self.manifest,
                learned_only(self.manifest, learned),
                recipe.spec(self._spec),
                Path(folder),
                TrainingSettings(**recipe.training, seed=seed),
                cache=ClipCache() if self._senses == "both" else OneSense(self._senses),
                progress=False,
                look=lambda *_: self._seen,
                hear=lambda *_: self._heard,
            )

    # Looked at and listened to only when something has to be learned.
    @cached_property
    def _seen(self) -> np.ndarray:
        """float16 [looks,windows,T,F]."""
        return Remembered(Eye(self._spec), self._changed).of(self._prepared)

    @cached_property
    def _heard(self) -> np.ndarray:
        """float16 [looks,windows,M,S,C]; of people also as if all had the same usual voice."""
        ear = Ear(self._spec)
        heard = Remembered(ear, self._changed).of(self._prepared)
        speakers = np.array([speaker_of(self._prepared.rows[row]) or "" for row in self._prepared.row_numbers])
        if not speakers.any():
            return heard
        loud = loud_hops(self._prepared, np.arange(len(self._prepared)))  # [windows,M]
        return np.concatenate([heard, heard_alike(heard, loud, speakers, *ear.usual)])

    @cached_property
    def _prepared(self) -> PreparedClips:
        return ClipCache().prepare(self.manifest.rows, self._spec)

    @cached_property
    def _rows(self) -> dict[str, Row]:
        return {str(row.path.relative_to(row.root.parent)): row for row in self.manifest}

    def _read(self, told: dict) -> Answers:
        rows = tuple(self._rows[name] for name in told["clips"])
        return Answers(tuple(told["classes"]), rows, np.array(told["truth"]), np.array(told["scores"]))


def learned_only(manifest: Manifest, learned: frozenset[int]) -> Split:
    """The split that learns from these folds, guided by nothing, and is tested on all others."""
    parts = ["train" if row.fold in learned else "test" for row in manifest]
    members = {
        part: tuple(place for place, own in enumerate(parts) if own == part) for part in ("train", "validation", "test")
    }
    return Split(members, clip_ids(manifest.rows), 0, ())


def of_folds(answers: Answers, folds: frozenset[int]) -> Answers:
    """The answers of the clips in these folds."""
    own = np.array([row.fold in folds for row in answers.rows])  # [K]
    rows = tuple(row for row, mine in zip(answers.rows, own, strict=True) if mine)
    return Answers(answers.classes, rows, answers.truth[own], answers.scores[own])


def uar(answers: Answers) -> float:
    """In percent."""
    return 100 * HeadReport.of(answers).uar


def _written(answers: Answers) -> dict:
    return {
        "classes": list(answers.classes),
        "clips": [str(row.path.relative_to(row.root.parent)) for row in answers.rows],
        "truth": answers.truth.tolist(),
        "scores": np.round(answers.scores, 5).tolist(),
    }
