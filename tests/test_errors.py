"""Errors are one line with a cure, and can be pickled to and from a worker process."""

from __future__ import annotations

import pickle

from video_understanding.errors import MediaError, missing_extra


def test_one_line_with_subject_cause_and_cure():
    error = MediaError("a\nb.mp4", "is broken", "Mend it.")
    assert str(error) == "a b.mp4: is broken. Mend it."


def test_a_missing_package_names_its_extra():
    error = missing_extra("opencv-python-headless", "to read a camera", "camera")
    assert "pip install '.[camera]'" in str(error)


def test_errors_can_be_pickled():
    for error in (MediaError("a.mp4", "is broken", "Mend it."), missing_extra("x", "to y", "z")):
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), str(back)) == (type(error), str(error))
