"""The program's stderr holds what the program says: nothing of TensorFlow's log, unless the user asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
_LOAD = """
from video_understanding.cli.quiet import quieten_tensorflow
from video_understanding.stderr_lines import allow_redirecting
allow_redirecting()  # as the program does, and the program alone
quieten_tensorflow()
import os
import video_understanding.export.make, video_understanding.export.verify
import tensorflow as tf
tf.constant(1) + 1
os.write(2, b"a word of our own")
"""


@pytest.mark.parametrize(("level", "quiet"), [(None, True), ("0", False)])
def test_tensorflow_loads_without_a_word_unless_asked_for(level, quiet):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    if level:
        environment["TF_CPP_MIN_LOG_LEVEL"] = level
    done = subprocess.run(
        [sys.executable, "-c", _LOAD], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stderr == "a word of our own") == quiet
    assert done.stderr.endswith("a word of our own")


def test_what_tensorflow_logs_in_python_is_left_out_too():
    """Each fold of a cross-validation traces its functions anew, and TensorFlow warned of that for each."""
    code = """
from video_understanding.cli.quiet import quieten_tensorflow
quieten_tensorflow()
import logging
logging.getLogger("tensorflow").warning("5 out of the last 5 calls triggered retracing")
logging.getLogger("tensorflow").error("an error")
"""
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == "an error\n"
