"""Model files of older versions: the same weights under other paths, of a model of video and audio."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import h5py

_WEIGHTS = "model.weights.h5"
_CROSS = "fusion/_cross"
# Path before -> path now; a file of an older version has the first of them.
PATHS = {
    "frame_head": "encoders/encoder/head",
    "backbone": "encoders/encoder/backbone",
    "hop_encoder": "encoders/encoder_1/backbone",
    "layers/motion_tokens": "encoders/encoder/context",
    "layers/missing_sense": "layers/missing_modality",
    "layers/missing_sense_1": "layers/missing_modality_1",
    f"{_CROSS}/picture_asks": f"{_CROSS}/attentions/attention",
    f"{_CROSS}/sound_asks": f"{_CROSS}/attentions/attention_1",
    f"{_CROSS}/picture_norm": f"{_CROSS}/norms/layer_normalization",
    f"{_CROSS}/sound_norm": f"{_CROSS}/norms/layer_normalization_1",
    "fusion/_picture_step": "fusion/_steps/feed_forward",
    "fusion/_sound_step": "fusion/_steps/feed_forward_1",
    "fusion/_picture_pool": "fusion/_pools/temporal_pooling",
    "fusion/_sound_pool": "fusion/_pools/temporal_pooling_1",
}


@contextmanager
def with_current_paths(file: Path) -> Iterator[Path]:
    """The `.keras` file itself, or of one that an older version wrote a copy with the paths of now, for so long."""
    with zipfile.ZipFile(file) as archive:
        with archive.open(_WEIGHTS) as member, h5py.File(member) as stored:
            is_current = next(iter(PATHS)) not in stored
        if not is_current:
            members = {name: archive.read(name) for name in archive.namelist()}
    if is_current:
        yield file
        return
    weights = BytesIO(members[_WEIGHTS])
    with h5py.File(weights, "r+") as stored:
        for before, now in PATHS.items():
            if before in stored:
                stored.move(before, now)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / file.name
        with zipfile.ZipFile(made, "w") as archive:
            for name, content in {**members, _WEIGHTS: weights.getvalue()}.items():
                archive.writestr(name, content)
        yield made
