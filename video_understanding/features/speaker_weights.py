"""The second weights of a linear classifier, for audio statistics from which the speaker was taken out, as one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.archive import read_arrays
from video_understanding.bundle import SPEAKER_FILE
from video_understanding.errors import BundleError
from video_understanding.features.speaker_normalisation import SpeakerNormalisation
from video_understanding.features.statistics import POOLINGS
from video_understanding.labels import Labels
from video_understanding.whole_file import disk_errors_as, whole_file

_FORMAT = 1
_LARGEST_BYTES = 256 << 20  # of the file and of what it unpacks to; that of a hundred classes has 3 MB
_MOST_WINDOWS = 1000
_RESTORE = "Restore it from a copy, or train again; without it only --speaker-of is missing."
_VECTORS = ("usual", "within", "between")


@dataclass(frozen=True)
class SpeakerForm:
    """Logits of one head from the standardised statistics of a set of modalities: float32 [P,C] each, and bias [C]."""

    weights: Mapping[str, np.ndarray]
    bias: np.ndarray


@dataclass(frozen=True)
class SpeakerWeights:
    """What a bundle needs to adapt to a speaker by recordings of theirs.

    normalisation     of the audio statistics [P] of clips
    voice_axes        float32 [P,r], in which speakers differ most, beside how their own clips do
    voices            of the audio statistics in these axes: how far speakers are from each other
    windows_per_clip  how many windows the clips have whose statistics it was made of, on average
    poolings          modality -> by which of `features.statistics.POOLINGS` tokens become statistics
    standards         modality -> mean and scale float32 [P] of its statistics: (x - mean) / scale
    heads             head -> modalities present -> the form; a head, or a set of modalities, for which speaker
                      normalisation does not help is absent
    """

    normalisation: SpeakerNormalisation
    voice_axes: np.ndarray
    voices: SpeakerNormalisation
    windows_per_clip: int
    poolings: Mapping[str, str]
    standards: Mapping[str, tuple[np.ndarray, np.ndarray]]
    heads: Mapping[str, Mapping[tuple[str, ...], SpeakerForm]]

    def audio_statistics(self, tokens: np.ndarray) -> np.ndarray:
        """Audio tokens [B,n,D] -> statistics [B,P]."""
        return POOLINGS[self.poolings["audio"]](tokens)

    def logits(self, head: str, statistics: Mapping[str, np.ndarray]) -> np.ndarray:
        """float32 [C] of one window by its statistics [P] of each modality that it has, the speaker taken out."""
        form = self.heads[head][tuple(name for name in self.standards if name in statistics)]
        logits = form.bias
        for name, values in statistics.items():
            mean, scale = self.standards[name]
            logits = logits + ((values - mean) / scale) @ form.weights[name]
        return logits

    def write(self, folder: Path) -> None:
        """Writes it into the folder of a bundle, whole or not at all."""
        forms = [(head, own, form) for head, sets in self.heads.items() for own, form in sets.items()]
        about = {
            "format": _FORMAT,
            "windows_per_clip": self.windows_per_clip,
            "poolings": dict(self.poolings),
            "forms": [{"head": head, "modalities": list(own)} for head, own, _ in forms],
        }
        arrays = {name: getattr(self.normalisation, name) for name in _VECTORS}
        arrays |= {"voice_axes": self.voice_axes, **{f"voice_{name}": getattr(self.voices, name) for name in _VECTORS}}
        for name, (mean, scale) in self.standards.items():
            arrays |= {f"mean_{name}": mean, f"scale_{name}": scale}
        for number, (_, own, form) in enumerate(forms):
            arrays |= {f"weights_{number}_{name}": form.weights[name] for name in own}
            arrays[f"bias_{number}"] = form.bias
        file = folder / SPEAKER_FILE
        with (
            disk_errors_as(file, BundleError),
            whole_file(file, durable=True) as unfinished,
            unfinished.open("wb") as out,
        ):
            np.savez(out, about=np.array(json.dumps(about)), **arrays)

    @classmethod
    def read(cls, folder: Path, labels: Labels) -> SpeakerWeights | None:
        """Those of the bundle in a folder, for the heads of `labels`; None where it has none.

        Raises:
            BundleError: the file is damaged, too large, of another format, or for other labels.
        """
        file = folder / SPEAKER_FILE
        if not file.exists():
            return None
        return read_arrays(
            file, _FORMAT, _LARGEST_BYTES, _RESTORE, lambda about, arrays: cls._from_values(about, arrays, labels)
        )

    @classmethod
    def _from_values(cls, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray], labels: Labels) -> SpeakerWeights:
        windows, poolings = about["windows_per_clip"], about["poolings"]
        if type(windows) is not int or not 1 <= windows <= _MOST_WINDOWS:
            raise ValueError(f"windows_per_clip is {windows!r}")
        if "audio" not in poolings or not set(poolings.values()) <= set(POOLINGS):
            raise ValueError(f"poolings are {poolings!r}")
        sizes = {name: arrays[f"mean_{name}"].size for name in poolings}
        audio = (sizes["audio"],)
        normalisation = SpeakerNormalisation(*(_numbers(arrays, name, audio) for name in _VECTORS))
        voices = (arrays["voice_usual"].size,)
        axes = _numbers(arrays, "voice_axes", audio + voices)
        in_axes = SpeakerNormalisation(*(_numbers(arrays, f"voice_{name}", voices) for name in _VECTORS))
        if any((own.within < 0).any() or (own.between < 0).any() for own in (normalisation, in_axes)):
            raise ValueError("a variance is negative")
        standards = {
            name: tuple(_numbers(arrays, f"{kind}_{name}", (size,)) for kind in ("mean", "scale"))
            for name, size in sizes.items()
        }
        if not all((scale > 0).all() for _, scale in standards.values()):
            raise ValueError("a scale is not positive")
        heads: dict[str, dict[tuple[str, ...], SpeakerForm]] = {}
        for number, form in enumerate(about["forms"]):
            head, own = form["head"], tuple(form["modalities"])
            if head not in labels.heads or "audio" not in own or not set(own) <= set(sizes):
                raise ValueError(f"has weights of {head!r} from {own}, which the model does not have")
            classes = len(labels.names(head))
            weights = {name: _numbers(arrays, f"weights_{number}_{name}", (sizes[name], classes)) for name in own}
            heads.setdefault(head, {})[own] = SpeakerForm(weights, _numbers(arrays, f"bias_{number}", (classes,)))
        return cls(normalisation, axes, in_axes, windows, dict(poolings), standards, heads)


def _numbers(arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    found = arrays[name]
    if found.dtype != np.float32 or found.shape != shape or not np.isfinite(found).all():
        raise ValueError(f"{name} is not float32 {list(shape)} of finite numbers")
    return found
