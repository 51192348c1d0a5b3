"""Presets of the spec: best for most accuracy from few clips, edge for small devices, tiny to try things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from video_understanding.errors import SpecError
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec

_MOST_CHANGES = 3  # a spec with more of them has little to do with the preset

DEFAULT = "best"
PRESETS: dict[str, ModelSpec] = {
    "best": ModelSpec(  # frozen pretrained encoders, and a linear classifier solved in closed form
        # Two seconds, and the whole picture scaled to a square: a window beyond a clip's end would reveal its length,
        # and the aspect ratio of the picture the camera.
        window_s=2.0,
        video=VideoSpec(frames_hz=4, height_px=160, width_px=160, fit="stretch"),
        audio=AudioSpec(hop_s=0.5),
        network=NetworkSpec(
            backbone="efficientnet_lite0",
            unfrozen_blocks=0,
            listener="separable",
            unfrozen_listener_blocks=0,
            classifier="linear",
        ),
    ),
    "tiny": ModelSpec(
        window_s=2.0,
        video=VideoSpec(frames_hz=4, height_px=64, width_px=64),
        audio=AudioSpec(hop_s=0.5),
        network=NetworkSpec(backbone="small", token_size=32),
    ),
    "edge": ModelSpec(  # with int8, both encoders take a fifth of the time of reading a 360p file
        window_s=4.0,
        video=VideoSpec(frames_hz=2, height_px=80, width_px=80),
        audio=AudioSpec(hop_s=0.5),
        network=NetworkSpec(backbone="efficientnet_lite0", unfrozen_blocks=0, token_size=96),
    ),
    "base": ModelSpec(
        window_s=4.0,
        video=VideoSpec(frames_hz=4, height_px=224, width_px=224),
        audio=AudioSpec(hop_s=0.5),
        network=NetworkSpec(backbone="efficientnet_lite0", unfrozen_blocks=0, token_size=192),
    ),
}


def preset(name: str) -> ModelSpec:
    """The spec of a preset by its name."""
    if name not in PRESETS:
        raise SpecError(f"preset {name!r}", "is not known", f"Use one of: {', '.join(PRESETS)}.")
    return PRESETS[name]


def preset_words(spec: ModelSpec) -> str:
    """Which preset a spec is, or is nearest to, and where it differs: "tiny", "edge with network.fusion late"."""
    own = _flat(spec.to_dict())
    changes = {
        name: {field: value for field, value in own.items() if value != known.get(field)}
        for name, known in ((name, _flat(known.to_dict())) for name, known in PRESETS.items())
    }
    name = min(changes, key=lambda name: len(changes[name]))
    if not changes[name]:
        return name
    if len(changes[name]) > _MOST_CHANGES:
        return "none, a spec of its own"
    return f"{name} with {', '.join(f'{field} {value}' for field, value in changes[name].items())}"


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """ "network.fusion" -> value, for all values within values."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{above}{name}.") if isinstance(value, Mapping) else {f"{above}{name}": value}
    return found
