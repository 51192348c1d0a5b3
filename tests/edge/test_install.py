"""The extra "edge" alone is enough: installed into a clean environment, it gives the answers of the Keras model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import venv
from pathlib import Path

import numpy as np
import pytest

from tests.edge.test_program import assert_same

PROJECT = Path(__file__).resolve().parents[2]
READER = ("av", "av.libs")  # PyAV and its FFmpeg
INSTALLER = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")
_SCORE = """
import sys
import numpy as np
from video_understanding.edge import LiteRTScorer
from video_understanding.scorer import ModelInputs
inputs = np.load(sys.argv[2])
arrays = {"video": inputs["frames"], "audio": inputs["waveform"]}
scores = LiteRTScorer(sys.argv[1])(ModelInputs(arrays, inputs["presence"]))
np.savez(sys.argv[3], **scores.heads)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A clean environment with the extra installed; needs the package index."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder / "venv", with_pip=True)
    copy = folder / "project"  # what is built leaves its folders beside the sources
    shutil.copytree(PROJECT / "video_understanding", copy / "video_understanding")
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(PROJECT / name, copy)
    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", f"{copy}[edge]"], check=True)
    return folder / "venv"


def run(environment, *words):
    """A program of the environment, which sees nothing of this one."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [environment / "bin" / words[0], *map(str, words[1:])],
        capture_output=True,
        text=True,
        cwd=environment,
        env=clean,
        check=False,
    )


@pytest.mark.slow
def test_the_program_answers_as_the_keras_model(environment, world):
    done = run(environment, "vu-edge", world.model, *world.clips, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert_same(json.loads(done.stdout), world.predictions)


@pytest.mark.slow
def test_frames_and_sound_of_the_caller_are_answered_as_by_the_keras_model(environment, world, tmp_path):
    inputs = world.inputs
    np.savez(tmp_path / "in.npz", frames=inputs["video"], waveform=inputs["audio"], presence=inputs.presence)
    done = run(environment, "python", "-c", _SCORE, world.model, tmp_path / "in.npz", tmp_path / "out.npz")
    assert done.returncode == 0, done.stderr
    scores = np.load(tmp_path / "out.npz")
    for head, expected in world.expected.items():
        np.testing.assert_allclose(scores[head], expected, atol=1e-4)


@pytest.mark.slow
def test_tensorflow_is_not_there_and_the_whole_is_small(environment):
    (packages,) = (environment / "lib").glob("python*/site-packages")
    sizes = {
        place.name: sum(file.stat().st_size for file in place.rglob("*") if file.is_file()) / 1e6
        for place in packages.iterdir()
        if place.is_dir() and not place.name.startswith(INSTALLER)
    }
    assert not sizes.keys() & {"tensorflow", "keras", "librosa", "cv2", "scipy", "matplotlib"}
    assert sum(sizes.values()) <= 260, sizes
    assert sum(size for name, size in sizes.items() if name not in READER) <= 150, sizes
