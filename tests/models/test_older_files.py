"""A model file of an older version, whose weights have other paths, gives the very same scores."""

from __future__ import annotations

import zipfile
from io import BytesIO

import h5py
import numpy as np
import pytest

from tests.models.test_model import LABELS, inputs, numbers, small_spec
from video_understanding.bundle import KERAS_FILE, Bundle
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.load import load_model, save_model
from video_understanding.models.older_files import PATHS

WEIGHTS = "model.weights.h5"


@pytest.mark.parametrize("fusion", ["cross_attention", "hybrid"])
def test_its_weights_are_found(fusion, tmp_path):
    spec = small_spec(fusion=fusion, motion=True)
    model = VideoUnderstandingModel(spec, LABELS, seed=1)
    save_model(model, tmp_path / KERAS_FILE)
    bundle = Bundle.write(tmp_path, spec, LABELS, {})
    with zipfile.ZipFile(bundle.keras_file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = BytesIO(members[WEIGHTS])
    with h5py.File(weights, "r+") as stored:
        moved = [stored.move(now, before) for before, now in PATHS.items() if now in stored]
    with zipfile.ZipFile(bundle.keras_file, "w") as archive:
        for name, content in {**members, WEIGHTS: weights.getvalue()}.items():
            archive.writestr(name, content)
    assert len(moved) == (len(PATHS) if fusion == "cross_attention" else 6)
    given = inputs(spec, 2)
    for head, found in numbers(load_model(bundle)(given)).items():
        assert np.array_equal(found, numbers(model(given))[head])
