"""Files left by a killed process are removed, those of a running one are not, and two cannot work in one folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from video_understanding.errors import TrainingError
from video_understanding.locks import LOCK_FILE, one_owner
from video_understanding.whole_file import remove_abandoned, unfinished_folder, whole_file

pytest.importorskip("fcntl", reason="this system has no locks that end with their owner")

_WORK = """
import sys
from pathlib import Path
from video_understanding.errors import TrainingError
from video_understanding.locks import one_owner
from video_understanding.whole_file import unfinished_folder, whole_file
folder = Path(sys.argv[1])
with one_owner(folder, "training", TrainingError), whole_file(folder / "model") as file, unfinished_folder(folder, "x"):
    file.write_text("half")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def worker(tmp_path):
    """A process that works in the folder and has written half of a file."""
    command = [sys.executable, "-c", _WORK, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def unfinished(folder: Path) -> list[Path]:
    return sorted(folder.glob(".partial.*"))


def test_files_of_a_running_process_stay_and_those_of_a_killed_one_are_removed(tmp_path, worker):
    (tmp_path / "other").write_text("kept")
    assert len(unfinished(tmp_path)) == 2
    remove_abandoned(tmp_path)
    assert len(unfinished(tmp_path)) == 2
    worker.kill()
    worker.wait()
    remove_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK_FILE, "other"]


def test_a_second_process_is_refused_with_the_id_of_the_first_until_that_ends(tmp_path, worker):
    refused = pytest.raises(TrainingError, match=f"is in use: process {worker.pid} does its training there")
    with refused, one_owner(tmp_path, "training", TrainingError):
        pytest.fail("two at once")
    assert (tmp_path / LOCK_FILE).exists()
    worker.kill()
    worker.wait()
    with one_owner(tmp_path, "training", TrainingError):
        pass
    assert not (tmp_path / LOCK_FILE).exists()


def test_a_new_folder_that_stays_empty_is_removed(tmp_path):
    with pytest.raises(ZeroDivisionError), one_owner(tmp_path / "a" / "b", "training", TrainingError):
        raise ZeroDivisionError
    assert not (tmp_path / "a" / "b").exists()
    with one_owner(tmp_path / "c", "training", TrainingError):
        (tmp_path / "c" / "file").touch()
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["file"]


def test_files_and_folders_appear_whole_or_vanish(tmp_path):
    with whole_file(tmp_path / "a.txt", durable=True) as place:
        place.write_text("all")
        assert not (tmp_path / "a.txt").exists()
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "b.txt") as place, unfinished_folder(tmp_path, "x"):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
