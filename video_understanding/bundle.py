"""A trained model on disk: a folder, and the bundle.json in it that says what the model is and what is known of it."""

from __future__ import annotations

import functools
import json
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from video_understanding.errors import BundleError, ManifestError, SpecError
from video_understanding.labels import HeadSpec, Labels
from video_understanding.spec import ModelSpec
from video_understanding.strict_json import strict_json
from video_understanding.whole_file import write_whole

BUNDLE_FORMAT = 1  # raised when an older reader would misunderstand a newer bundle
BUNDLE_FILE = "bundle.json"
KERAS_FILE = "model.keras"
SPEAKER_FILE = "speaker.npz"  # the second weights, for speakers who are known
WORDS_FILE = "words.npz"  # the common space of sentences and clips
SAVED_MODEL_FOLDER = "saved_model"
CARD_FILE = "README.md"
TFLITE_MODES = ("fp32", "fp16", "dynamic", "int8")  # how the numbers of a TFLite file are stored, exactest first

_OWN = ("format", "spec", "labels")
_RESTORE = "Restore the file from a copy, or train again."
_GIVE_BUNDLE = f"Give the folder that `vu train` wrote, with {BUNDLE_FILE} in it."
_SHOWN = 5
_LARGEST_BYTES = 64 << 20  # of bundle.json; with every measurement of a hundred classes it has 1 MB
# What a head's number may be: scores are computed with a temperature, and must stay numbers.
LIMITS = {"temperature": (1e-3, 1e3), "unknown_below": (0.0, 1.0)}
# What each known fact has to be, and what a mapping or list of them holds.
_FORMS: dict[str, tuple[type, Any, str]] = {
    "name": (str, None, "a text"),
    "created": (str, None, "a text"),
    "split_hash": (str, None, "a text"),
    "versions": (dict, str, "an object of texts"),
    "parameters": (int, None, "a whole number"),
    "training": (dict, object, "an object"),
    "metrics": (dict, dict, "an object of objects"),
    "temperature": (dict, (int, float), "an object of numbers"),
    "unknown_below": (dict, (int, float), "an object of numbers"),
    "data": (list, dict, "a list of objects"),
    "licences": (dict, str, "an object of texts"),
    "exports": (dict, dict, "an object of objects"),
    "warnings": (list, str, "a list of texts"),
    "personalised": (dict, int, "an object of whole numbers"),
}


@dataclass(frozen=True, repr=False)
class Bundle:
    """A trained model: what it takes, what it tells, and the facts known of it, all plain values of JSON.

    Known facts, each of which may be absent (others are kept as they are):

    name            what the model is called
    created         when it was made, in ISO form
    versions        package -> version
    split_hash      names the split into clips learned from and clips kept apart
    parameters      how many numbers the network has
    training        "settings", "seed", "epochs" and "best_epoch" (counted from 1), "seconds"
    metrics         "validation", "test" -> `Report.to_dict()`, "crossval" -> `CrossvalSummary.to_dict()`,
                    "robustness" -> `Robustness.to_dict()`
    temperature     head -> what its logits are divided by; 1 where nothing is said
    unknown_below   head -> confidence below which the answer is "unknown"; a head without one always names a class
    data            [{"name", "clips", "licence"}, ...]
    licences        weights the training began with -> their licence; empty means that there were none
    exports         file -> what is known of it
    warnings        why its numbers may be too good, in words that name no clip
    personalised    "files", how many recordings of one person it was made used to
    """

    folder: Path
    spec: ModelSpec
    labels: Labels
    facts: Mapping[str, Any] = field(hash=False)

    @classmethod
    def write(cls, folder: str | Path, spec: ModelSpec, labels: Labels, facts: Mapping[str, Any]) -> Bundle:
        """Writes bundle.json into the folder, which is made if need be; facts that are None are left out."""
        folder = Path(folder)
        file = folder / BUNDLE_FILE
        taken = [name for name in _OWN if name in facts]
        if taken:
            raise BundleError(file, f"cannot have a fact called {taken[0]!r}", "Give it another name.")
        known = {name: value for name, value in facts.items() if value is not None}
        try:
            values = cls(folder, spec, labels, known).to_dict()
            text = json.dumps(values, indent=1, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise BundleError(
                file, f"facts cannot be told in JSON ({error})", "Give plain texts, finite numbers, lists and dicts."
            ) from error
        bundle = cls._from_text(folder, text)  # what will be read back, and refused now if it could not be
        write_whole(file, text, BundleError, durable=True)
        return bundle

    @classmethod
    def read(cls, folder: str | Path) -> Bundle:
        """The bundle in a folder."""
        folder = Path(folder)
        file = folder / BUNDLE_FILE
        try:
            _require_bundle(folder)
            if not file.is_file() or file.stat().st_size > _LARGEST_BYTES:
                cause = f"is no regular file of at most {_LARGEST_BYTES >> 20} MB"
                raise BundleError(file, cause, _RESTORE)
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise BundleError(file, f"cannot be read ({error.strerror})", "Look at its permissions.") from error
        except UnicodeDecodeError as error:
            raise BundleError(file, f"is not text ({error})", _RESTORE) from error
        return cls._from_text(folder, text)

    @classmethod
    def _from_text(cls, folder: Path, text: str) -> Bundle:
        file = folder / BUNDLE_FILE
        try:
            values = strict_json(text)
        except ValueError as error:
            raise BundleError(file, f"is not whole JSON ({error})", _RESTORE) from error
        if not isinstance(values, dict) or "format" not in values:
            raise BundleError(file, "does not describe a trained model", _GIVE_BUNDLE)
        spec, labels = read_model_values(file, values, BUNDLE_FORMAT, _RESTORE)
        facts = {name: value for name, value in values.items() if name not in _OWN}
        _refuse_odd_facts(file, labels, facts)
        return cls(folder, spec, labels, facts)

    def with_facts(self, **changes: Any) -> Bundle:
        """The bundle with some facts changed, written anew; a fact that becomes None is dropped."""
        return Bundle.write(self.folder, self.spec, self.labels, {**self.facts, **changes})

    def to_dict(self) -> dict[str, Any]:
        """All that bundle.json holds, as plain values for JSON."""
        return {
            "format": BUNDLE_FORMAT,
            "spec": self.spec.to_dict(),
            "labels": self.labels.to_dict(),
            **self.facts,
        }

    @property
    def name(self) -> str:
        """What the model is called; where nothing is said, as its folder is."""
        return self.facts.get("name") or self.folder.resolve().name

    @property
    def heads(self) -> tuple[HeadSpec, ...]:
        """What the model answers, in the order of its labels."""
        return self.spec.heads(self.labels)

    @property
    def keras_file(self) -> Path:
        """The trained Keras model; refused where it is not there."""
        return self._there(KERAS_FILE, "Copy it into the folder, or train again.")

    @property
    def saved_model_folder(self) -> Path:
        """The model as a SavedModel; refused where it was not exported."""
        return self._there(SAVED_MODEL_FOLDER, f"Make it with: vu export {self.folder} --formats saved_model")

    @property
    def tflite_files(self) -> dict[str, Path]:
        """The TFLite files that are there, by their names without ".tflite"."""
        return {file.stem: file for file in sorted(self.folder.glob("*.tflite"))}

    @property
    def card_file(self) -> Path:
        """Where the model card is, or will be."""
        return self.folder / CARD_FILE

    def temperature(self, head: str) -> float:
        """What the logits of a head are divided by before they become probabilities."""
        return float(self.facts.get("temperature", {}).get(head, 1.0))

    def unknown_below(self, head: str) -> float | None:
        """The confidence below which a head's answer is "unknown"; None where every answer is told."""
        return self.facts.get("unknown_below", {}).get(head) or None  # 0 means the same in older bundles

    def _there(self, name: str, cure: str) -> Path:
        path = self.folder / name
        if not path.exists():
            raise BundleError(self.folder, f"has no {name}", cure)
        return path

    def __repr__(self) -> str:
        heads = ", ".join(f"{head.name} of {len(head.classes)} classes" for head in self.heads)
        return f"Bundle({self.folder}: {heads})"


def odd_facts_refused(describe: Callable[[Bundle], str]) -> Callable[[Bundle], str]:
    """A function that makes a text of a bundle's facts; facts of a form that it cannot use are a `BundleError`."""

    @functools.wraps(describe)
    def checked(bundle: Bundle) -> str:
        try:
            return describe(bundle)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
            cause = f"holds facts of another form ({type(error).__name__}: {error})"
            raise BundleError(bundle.folder / BUNDLE_FILE, cause, _RESTORE) from error

    return checked


def read_model_values(file: Path, values: Mapping[str, Any], known_format: int, cure: str) -> tuple[ModelSpec, Labels]:
    """What a model takes and what it tells, by the values of a file that describes it, which have a "format".

    A format other than the known one is refused, and so is what does not fit; `cure` says how to have the file again.
    """
    if values["format"] != known_format:
        raise BundleError(
            file,
            f"has format {values['format']!r}, this program reads format {known_format}",
            "Install a newer video-audio-understanding.",
        )
    try:
        spec = ModelSpec.from_dict(values.get("spec"))
        labels = Labels.from_json(json.dumps(values.get("labels")))
    except (SpecError, ManifestError) as error:
        raise BundleError(file, f"{error.subject} {error.cause}", error.cure) from error
    if not labels.heads:
        raise BundleError(file, "names no class of any head", cure)
    return spec, labels


def _require_bundle(folder: Path) -> None:
    """Refuses what is no bundle, and says what it seems to be instead."""
    if not folder.exists():
        raise BundleError(folder, "does not exist", _GIVE_BUNDLE)
    above = folder.resolve().parent
    near = f"Give the folder of its bundle: {above}" if (above / BUNDLE_FILE).exists() else _GIVE_BUNDLE
    if not folder.is_dir():
        raise BundleError(folder, "is a file, not the folder of a trained model", near)
    if (folder / BUNDLE_FILE).exists():
        return
    if (folder / "saved_model.pb").exists():
        raise BundleError(folder, "is a SavedModel, which by itself tells neither labels nor settings", near)
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    bundles = [path.name for path in inside if (path / BUNDLE_FILE).exists()]
    if bundles:
        raise BundleError(folder, f"is not a bundle, but holds some: {_listed(bundles)}", "Give one of them.")
    if (folder / "training").is_dir() and (folder / "history.csv").exists():
        raise BundleError(folder, "holds a training that was not finished", "Finish it with: vu train ... --resume")
    found = f"has no {BUNDLE_FILE}, only {_listed([path.name for path in inside])}" if inside else "is empty"
    if any(_is_data(path) for path in inside):
        cure = f"Train on it first: vu train {folder} --out BUNDLE"
        raise BundleError(folder, f"{found}; it looks like clips, not like a model", cure)
    raise BundleError(folder, found, _GIVE_BUNDLE)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _is_data(path: Path) -> bool:
    """Whether it is a table or a medium, or a folder that has some."""
    names = [child.name for child in path.iterdir()] if path.is_dir() else [path.name]
    kinds = (mimetypes.guess_type(name)[0] or "" for name in names)
    return any(kind == "text/csv" or kind.startswith(("video/", "audio/")) for kind in kinds)


def _refuse_odd_facts(file: Path, labels: Labels, facts: Mapping[str, Any]) -> None:
    for name, (form, inner, words) in _FORMS.items():
        if name not in facts:
            continue
        value = facts[name]
        parts = () if inner is None else value.values() if isinstance(value, dict) else value
        if not isinstance(value, form) or not all(isinstance(part, inner) for part in parts):
            raise BundleError(file, f'"{name}" in it is not {words}', "Write it with Bundle.write.")
    for name in ("temperature", "unknown_below"):
        for head, value in facts.get(name, {}).items():
            if head not in labels.heads:
                raise BundleError(
                    file, f'"{name}" in it is told for {head!r}', f"The model has: {', '.join(labels.heads)}."
                )
            low, high = LIMITS[name]
            if not low <= value <= high:
                cause = f'"{name}" of {head} in it is {value!r}, not from {low:g} to {high:g}'
                raise BundleError(file, cause, "Measure it again.")
