"""What a model can be exported to, and how far each may differ from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from video_understanding.bundle import SAVED_MODEL_FOLDER
from video_understanding.errors import ExportError


@dataclass(frozen=True)
class Format:
    """One kind of export.

    name       as the user says it
    file       its name within the bundle
    drift      how far a probability may be from that of the Keras model
    cosine     how similar an embedding must be to the model's own, at least: the cosine of the angle between them
    agreement  share of answers that must name the same class
    needs_clips  whether it can only be made, or judged, with clips of the user's own
    """

    name: str
    file: str
    drift: float
    cosine: float
    agreement: float = 1.0
    needs_clips: bool = False

    @property
    def is_tflite(self) -> bool:
        return self.file.endswith(".tflite")


FORMATS: dict[str, Format] = {
    made.name: made
    for made in (
        Format("saved_model", SAVED_MODEL_FOLDER, drift=1e-4, cosine=0.9999),
        Format("fp32", "model_fp32.tflite", drift=1e-4, cosine=0.9999),
        Format("fp16", "model_fp16.tflite", drift=5e-3, cosine=0.999),
        Format("dynamic", "model_dynamic.tflite", drift=5e-2, cosine=0.9, agreement=0.99, needs_clips=True),
        Format("int8", "model_int8.tflite", drift=0.1, cosine=0.9, agreement=0.99, needs_clips=True),
    )
}
WITHOUT_CLIPS = tuple(name for name, made in FORMATS.items() if not made.needs_clips)


def chosen_formats(names: Sequence[str] | None, has_clips: bool) -> list[Format]:
    """The formats of these names, each once and in the order of `FORMATS`; by default all that can be made."""
    if names is None:
        names = tuple(FORMATS) if has_clips else WITHOUT_CLIPS
    for name in names:
        if name not in FORMATS:
            raise ExportError(f"format {name!r}", "is not known", f"Use some of: {','.join(FORMATS)}.")
        if FORMATS[name].needs_clips and not has_clips:
            raise ExportError(
                f"format {name}",
                "needs clips of your own: they show which numbers occur in the network, and what the export changes",
                f"Add --calibrate with a few dozen clips, or take --formats {','.join(WITHOUT_CLIPS)}.",
            )
    if not names:
        raise ExportError("formats", "are none", f"Use some of: {','.join(FORMATS)}.")
    return [made for name, made in FORMATS.items() if name in names]
