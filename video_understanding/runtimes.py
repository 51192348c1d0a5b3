"""A trained model made ready to recognise: by Keras, as a SavedModel, or as a TFLite file without TensorFlow."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from video_understanding.bundle import TFLITE_MODES
from video_understanding.errors import BundleError

if TYPE_CHECKING:
    from video_understanding.bundle import Bundle
    from video_understanding.recognition.recognizer import Recognizer
    from video_understanding.scorer import PartwiseScorer

# Plain "tflite" takes the first mode that is there.
RUNTIMES = ("keras", "saved_model", "tflite", *(f"tflite:{mode}" for mode in TFLITE_MODES))
_TFLITE = ".tflite"


def load(path: str | Path, runtime: str | None = None) -> Recognizer:
    """The recognizer of a bundle's folder, or of a .tflite file alone.

    `runtime` is one of `RUNTIMES`: by default Keras for a bundle, or where TensorFlow is not installed, the bundle's
    first TFLite file, which needs none.
    """
    from video_understanding.bundle import Bundle
    from video_understanding.recognition.recognizer import Recognizer

    path = Path(path)
    if runtime is not None and runtime not in RUNTIMES:
        raise BundleError(f"runtime {runtime!r}", "is not known", f"Use one of: {', '.join(RUNTIMES)}.")
    if path.suffix.lower() == _TFLITE and not path.is_dir():
        return _load_file(path, runtime or "tflite")
    bundle = Bundle.read(path)
    unknown_below = {head: bundle.unknown_below(head) for head in bundle.labels.heads}
    return Recognizer(
        make_scorer(bundle, runtime) if runtime else _usual_scorer(bundle),
        {head: below for head, below in unknown_below.items() if below is not None},
        bundle.folder,
    )


def quickest_runtime(path: str | Path) -> str | None:
    """The runtime that gives a program its first answer soonest, as `load` takes it.

    Starting TensorFlow takes many times as long as recognising a short clip, so that is a TFLite file where the bundle
    names one among its exports, the most exact first: an export of another training that was left there is not named.

    Returns:
        One of `RUNTIMES`, or None where there is no such file or LiteRT is not installed: then `load` chooses.
    """
    from video_understanding.bundle import BUNDLE_FILE, Bundle

    if not (Path(path) / BUNDLE_FILE).is_file() or find_spec("ai_edge_litert") is None:
        return None
    bundle = Bundle.read(path)
    there = {file.name for file in bundle.tflite_files.values()} & bundle.facts.get("exports", {}).keys()
    return next((f"tflite:{mode}" for mode in TFLITE_MODES if f"model_{mode}{_TFLITE}" in there), None)


def _usual_scorer(bundle: Bundle) -> PartwiseScorer:
    try:
        return make_scorer(bundle, "keras")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("tensorflow", "keras") or not bundle.tflite_files:
            raise
        return make_scorer(bundle, "tflite")


def make_scorer(bundle: Bundle, runtime: str) -> PartwiseScorer:
    """What computes a bundle's scores in this runtime, one of `RUNTIMES`; an export that is not there is an error."""
    if runtime == "keras":
        from video_understanding.models.load import keras_scorer

        return keras_scorer(bundle)
    if runtime == "saved_model":
        from video_understanding.models.saved_model_scorer import SavedModelScorer

        return SavedModelScorer(bundle.saved_model_folder, bundle.spec, bundle.labels)
    from video_understanding.edge.litert_scorer import LiteRTScorer

    return LiteRTScorer(_tflite_file(bundle, runtime))


def _tflite_file(bundle: Bundle, runtime: str) -> Path:
    files = bundle.tflite_files
    wanted = runtime.partition(":")[2]
    names = [f"model_{mode}" for mode in ([wanted] if wanted else TFLITE_MODES)]
    for name in names:
        if name in files:
            return files[name]
    lacking = f"{names[0]}{_TFLITE}" if wanted else "TFLite file"
    there = f"; it has {', '.join(file.name for file in files.values())}" if files else ""
    raise BundleError(
        bundle.folder,
        f"has no {lacking}{there}",
        f"Make it with: vu export {bundle.folder} --formats {wanted or TFLITE_MODES[0]}",
    )


def _load_file(path: Path, runtime: str) -> Recognizer:
    from video_understanding.edge.litert_scorer import LiteRTScorer
    from video_understanding.recognition.recognizer import Recognizer

    kind, _, mode = runtime.partition(":")
    if kind != "tflite":
        raise BundleError(path, f"is a TFLite file, which runtime {runtime!r} cannot use", "Give the bundle's folder.")
    scorer = LiteRTScorer(path)
    if mode and scorer.mode != mode:
        raise BundleError(path, f"is a file of mode {scorer.mode}, not {mode}", "Leave the runtime out.")
    return Recognizer(scorer, scorer.unknown_below, path.parent)
