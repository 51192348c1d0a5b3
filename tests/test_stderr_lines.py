"""Unneeded lines on stderr are dropped by their beginnings; the rest is written, however much there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


def stderr_of(program: str) -> str:
    """What a program writes to stderr; its end is marked on stdout."""
    program = (
        "import os, sys\nfrom video_understanding.stderr_lines import allow_redirecting, without_lines\n"
        f"allow_redirecting()\n{program}\nprint('end')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "end\n"
    return done.stderr


@pytest.mark.parametrize("place", ["in_memory=False", "in_memory=True"])
def test_only_lines_that_begin_so_are_dropped_even_if_it_goes_wrong(place):
    program = f"""
try:
    with without_lines(b"INFO: ", b"I0000 ", {place}):
        os.write(2, b"INFO: ready\\nERROR: no INFO: \\nI0000 17:00\\nlast")
        raise ValueError
except ValueError:
    os.write(2, b", then more")
"""
    assert stderr_of(program) == "ERROR: no INFO: \nlast, then more"


@pytest.mark.parametrize(("place", "some_is_lost"), [("in_memory=False", False), ("in_memory=True", True)])
def test_more_than_a_pipe_holds_does_not_block(place, some_is_lost):
    program = f"""
with without_lines(b"INFO: ", {place}):
    for _ in range(3000):
        try:
            os.write(2, b"x" * 99 + b"\\n")
        except BlockingIOError:
            break
"""
    written = stderr_of(program)
    assert 50_000 < len(written) < 100_000 if some_is_lost else written == ("x" * 99 + "\n") * 3000


def test_an_empty_beginning_matches_every_line():
    assert stderr_of('with without_lines(b""):\n    os.write(2, b"one\\n\\ntwo")') == ""


@pytest.mark.parametrize("place", ["in_memory=False", "in_memory=True"])
def test_a_service_without_stderr_works(place):
    assert stderr_of(f'os.close(2)\nwith without_lines(b"INFO: ", {place}):\n    pass') == ""


def test_in_memory_no_module_is_loaded_that_is_slow_to_import():
    assert stderr_of('with without_lines(b"INFO: ", in_memory=True):\n    assert "tempfile" not in sys.modules') == ""


def test_a_library_does_not_redirect():
    """stderr belongs to the program that uses it, and to all of its threads."""
    program = """
import video_understanding.stderr_lines as stderr_lines
stderr_lines._allowed = False  # as it is before a program allows it
before = os.fstat(2)
with without_lines(b""):
    assert os.fstat(2) == before
    os.write(2, b"INFO: ready")
"""
    assert stderr_of(program) == "INFO: ready"


def test_parallel_threads_and_nested_blocks_do_not_block():
    program = """
import threading
def load(number):
    for _ in range(50):
        with without_lines(b"INFO: ", in_memory=True), without_lines(b"I0000 ", in_memory=True):
            os.write(2, b"INFO: ready\\n")
threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
os.write(2, b"last")
"""
    assert stderr_of(program) == "last"


def test_a_child_that_holds_stderr_open_does_not_block():
    program = """
import subprocess
with without_lines(b"INFO: ", in_memory=True):
    child = subprocess.Popen(["sleep", "30"])
child.kill()
"""
    assert stderr_of(program) == ""
