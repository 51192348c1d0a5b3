"""Video understanding: which action happens and which emotion is expressed in a short clip with sound.

Names are loaded when they are first used, so that what needs little imports little.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
DISTRIBUTION = "video-audio-understanding"  # what is installed; another program owns the name of the import

_HOMES = {
    "AudioSpec": "spec",
    "Bundle": "bundle",
    "Clip": "clip",
    "ClipCache": "datasets.cache",
    "HeadSpec": "labels",
    "Index": "search.index",
    "Labels": "labels",
    "LogMelSpec": "spec",
    "Manifest": "datasets.manifest",
    "ModelInputs": "scorer",
    "ModelSpec": "spec",
    "NetworkSpec": "spec",
    "Prediction": "prediction",
    "Recognizer": "recognition.recognizer",
    "Segment": "prediction",
    "StreamingRecognizer": "recognition.streaming",
    "VideoSpec": "spec",
    "VideoUnderstandingError": "errors",
    "VideoUnderstandingModel": "models.build",
    "check_dataset": "datasets.preflight",
    "crossval": "training.crossval",
    "evaluate": "evaluation",
    "explain": "explain",
    "export": "export.make",
    "inspect_media": "media.inspect",
    "iter_clips": "media.decode",
    "load": "runtimes",
    "load_dataset": "training.dataset",
    "load_manifest": "datasets.manifest",
    "make_folds": "datasets.splits",
    "personalised": "models.personal",
    "prepare": "features.prepare",
    "preset": "presets",
    "read_clip": "media.decode",
    "split_rows": "datasets.splits",
    "train": "training.train",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # asked for once
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
