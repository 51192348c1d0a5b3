"""OpenCV, imported only when frames are changed: reading and audio work without it."""

from __future__ import annotations

from types import ModuleType

from video_understanding.errors import missing_extra


def opencv() -> ModuleType:
    """The module `cv2`, or an error with the command that installs it."""
    try:
        import cv2
    except ImportError as error:
        raise missing_extra("opencv-python-headless", "to augment pictures", "train") from error
    return cv2
