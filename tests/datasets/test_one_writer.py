"""A file with one writer: other processes wait, and take over from a writer that failed or died."""

import threading

import pytest

from video_understanding.datasets.one_writer import one_writer


def write(path, text):
    with one_writer(path, path.exists) as file:
        if file is not None:
            file.write(text)
        return file is not None


def test_it_appears_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "a.clips"
    with one_writer(path, path.exists) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
        file.write(b", and half")
    assert path.read_bytes() == b"half, and half"
    assert list(tmp_path.iterdir()) == [path]
    assert not write(path, b"again") and path.read_bytes() == b"half, and half"


def test_a_second_process_waits_and_finds_the_file(tmp_path):
    path, wrote = tmp_path / "a.clips", []
    with one_writer(path, path.exists) as file:
        others = [threading.Thread(target=lambda: wrote.append(write(path, b"another's"))) for _ in range(4)]
        for other in others:
            other.start()
        others[0].join(0.2)
        assert not wrote
        file.write(b"the first one's")
    for other in others:
        other.join(10)
    assert wrote == [False] * 4
    assert path.read_bytes() == b"the first one's" and list(tmp_path.iterdir()) == [path]


def test_a_waiting_process_takes_over_from_a_writer_that_fails(tmp_path):
    path, wrote = tmp_path / "a.clips", []
    other = threading.Thread(target=lambda: wrote.append(write(path, b"short")))
    with pytest.raises(ZeroDivisionError), one_writer(path, path.exists) as file:
        other.start()
        other.join(0.2)
        file.write(b"much longer than the other's")
        raise ZeroDivisionError
    other.join(10)
    assert wrote == [True] and path.read_bytes() == b"short" and list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_written_over(tmp_path):
    path = tmp_path / "a.clips"
    path.with_suffix(".unfinished").write_bytes(b"longer than what comes now")
    assert write(path, b"whole") and path.read_bytes() == b"whole"
