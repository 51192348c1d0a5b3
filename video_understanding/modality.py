"""What a model can take in: one record for each modality, by its name.

A new one is an encoder file and a line here; what works on any modality goes by a spec's list of their names. Functions
that need more than NumPy are named, not imported: small devices read this registry, too, and have neither Keras nor
whatever detects faces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from video_understanding.clip import Clip

Shape = tuple[int, ...]
NATIVE = ("video", "audio")  # what a clip itself holds; any other is derived from a clip, and kept beside it
DEFAULT = NATIVE
# A linear classifier has weights of its own for each set of modalities that can be present: 15 sets of four.
MOST_MODALITIES = 4


@dataclass(frozen=True)
class Modality:
    """One kind of input. Shapes and times are functions of a `ModelSpec`.

    name          in specs, presence, predictions, signatures and reports
    words         what a sentence calls it: "the picture"
    input         the name of the array of whole windows, as models and signatures take it
    dtype         of that array, np.uint8 or np.float32
    window_shape  spec -> shape of one window's array
    piece_shape   spec -> shape of the pieces that this array is cut into, each of which is encoded by itself
    prepare       "module:function" of (clip, spec), which gives the array of window_shape, or None where the clip lacks
                  the modality; a function that gives other arrays than before needs another name, for they are cached
    encoder       "module:function" of (spec, weights, seed), which makes a `models.encoders.Encoder`
    times_s       (spec, n) -> float64 [n], when each of a window's n tokens is, in seconds within the window
    """

    name: str
    words: str
    input: str
    dtype: type
    window_shape: Callable[[Any], Shape]
    piece_shape: Callable[[Any], Shape]
    prepare: str
    encoder: str
    times_s: Callable[[Any, int], np.ndarray] = lambda spec, n: (2 * np.arange(n) + 1) / (2 * n) * spec.window_s

    @property
    def signature(self) -> str:
        """The signature that encodes its pieces."""
        return f"encode_{self.name}"

    @property
    def tokens(self) -> str:
        """What its tokens are called in signatures."""
        return f"{self.name}_tokens"

    def pieces(self, spec: Any) -> int:
        """Into how many pieces a window's array is cut."""
        return int(np.prod(self.window_shape(spec)) // np.prod(self.piece_shape(spec)))

    def cut(self, windows: np.ndarray, spec: Any) -> np.ndarray:
        """Windows [B,...] -> their pieces [B*P,...], without copying."""
        return windows.reshape(-1, *self.piece_shape(spec))

    def prepared(self, clip: Clip, spec: Any) -> np.ndarray | None:
        """The array of a clip, or None where the clip lacks the modality; what was derived before is taken as it is."""
        return clip.derived[self.name] if self.name in clip.derived else named(self.prepare)(clip, spec)


def with_derived(clip: Clip, spec: Any) -> Clip:
    """The clip with the arrays of all modalities of the spec that are derived from it; those that it has are kept."""
    missing = [name for name in spec.derived if name not in clip.derived]
    if not missing:
        return clip
    return replace(clip, derived={**clip.derived, **{name: MODALITIES[name].prepared(clip, spec) for name in missing}})


def named(path: str) -> Callable[..., Any]:
    """The function that "module:function" names."""
    module, _, function = path.partition(":")
    return getattr(import_module(module), function)


_HOST = "video_understanding.features.prepare"
_ENCODERS = "video_understanding.models.encoders"
MODALITIES: dict[str, Modality] = {
    made.name: made
    for made in (
        Modality(
            "video", "the picture", "frames", np.uint8,
            lambda spec: spec.frames_shape, lambda spec: spec.frames_shape[1:],
            f"{_HOST}:frames", f"{_ENCODERS}.video:video_encoder", lambda spec, _: spec.instants_s(),
        ),
        Modality(
            "audio", "the sound", "waveform", np.float32,
            lambda spec: (spec.samples,), lambda spec: (spec.audio.hop_samples,),
            f"{_HOST}:waveform", f"{_ENCODERS}.audio:audio_encoder",
        ),
    )
}  # fmt: skip


def modalities_of(names: Sequence[str]) -> tuple[Modality, ...]:
    """The records of these names, in their order."""
    return tuple(MODALITIES[name] for name in names)
