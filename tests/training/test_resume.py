"""A training that is resumed finds its last good state, and notices what is not as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training.test_fit import SETTINGS, SPEC, data, run, same, weights  # noqa: F401  data is a fixture
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import load_manifest
from video_understanding.errors import TrainingError
from video_understanding.training.fingerprints import changed_clips, fingerprints
from video_understanding.training.keeper import Keeper
from video_understanding.training.states import read_state, write_state
from video_understanding.training.train import train


@pytest.fixture(scope="module")
def stopped(data, tmp_path_factory):  # noqa: F811
    """The folder of a training that was stopped in its third epoch, and the weights it comes to uninterrupted."""
    folder = tmp_path_factory.mktemp("stopped")
    whole = weights(run(data, folder / "whole"))
    with pytest.MonkeyPatch.context() as patch:
        save = Keeper.on_epoch_end

        def stop(self, epoch, logs=None):
            if epoch == 2:
                raise ZeroDivisionError
            save(self, epoch, logs)

        patch.setattr(Keeper, "on_epoch_end", stop)
        with pytest.raises(ZeroDivisionError):
            run(data, folder / "out")
    return folder / "out", whole


@pytest.fixture
def out(stopped, tmp_path) -> Path:
    shutil.copytree(stopped[0], tmp_path / "out")
    return tmp_path / "out"


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


def empty(_: bytes) -> bytes:
    return b""


def damage(file: Path, how) -> None:
    file.write_bytes(how(file.read_bytes()))


def test_from_a_damaged_state_it_goes_back_one_epoch_and_ends_the_same(data, stopped, out, capfd):  # noqa: F811
    damage(out / "training" / "state.npz", flipped)
    left = out / "training" / ".partial.1.1.state.npz"
    left.write_bytes(b"half")  # by one that was killed
    assert same(weights(run(data, out, resume=True)), stopped[1])
    assert "state.npz: is damaged. Going on from the epoch before, number 1." in capfd.readouterr().err
    assert not left.exists()


@pytest.mark.parametrize("how", [cut, flipped, empty])
def test_a_damaged_state_is_passed_over_for_the_one_before(tmp_path, how):
    for epoch in range(3):
        write_state(tmp_path, {"epoch": np.array(epoch)})
    values, damaged = read_state(tmp_path)
    assert (values["epoch"], damaged) == (2, [])
    damage(tmp_path / "state.npz", how)
    values, damaged = read_state(tmp_path)
    assert (values["epoch"], damaged) == (1, [tmp_path / "state.npz"])
    damage(tmp_path / "state_before.npz", how)
    with pytest.raises(TrainingError, match=r"state\.npz: is damaged.*train anew"):
        read_state(tmp_path)


def test_a_clip_that_changed_between_the_runs_is_named(data, out, tmp_path):  # noqa: F811
    clips = tmp_path / "data"
    shutil.copytree(data / "clips", clips / "clips")
    shutil.copytree(data / "cache", clips / "cache")
    media = sorted((clips / "clips" / "media").iterdir())
    os.utime(media[1])  # touched, and the same
    shutil.copy(media[5], media[3])
    with pytest.raises(TrainingError, match=r"was begun with other clips: changed since are .*Restore") as caught:
        run(clips, out, resume=True)
    rows = [row for row in load_manifest(clips / "clips").rows if row.path.name == media[3].name]
    assert rows[0].origin in str(caught.value) and str(caught.value).count("clips.csv") == 1


def test_fingerprints_follow_the_content_and_the_order(data):  # noqa: F811
    rows = load_manifest(data / "clips").rows[:3]
    prepared = [ClipCache(data / "cache").prepare(own, SPEC) for own in (rows, rows, rows[::-1], rows[:2])]
    first, same_again, turned, fewer = map(fingerprints, prepared)
    assert changed_clips(first, same_again) == []
    assert len(changed_clips(first, turned)) == 2
    assert changed_clips(first, fewer) == [first[2][0]]


def test_a_second_training_into_the_folder_is_told_of_the_first(data, tmp_path):  # noqa: F811
    hold = """
import sys
from pathlib import Path
from video_understanding.errors import TrainingError
from video_understanding.locks import one_owner
with one_owner(Path(sys.argv[1]), "training", TrainingError):
    print("ready", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        first.stdout.readline()
        for resume in (False, True):
            with pytest.raises(TrainingError, match=f"in use: process {first.pid} does its training there"):
                train(load_manifest(data / "clips"), SPEC, tmp_path, SETTINGS, resume=resume)
        first.kill()
