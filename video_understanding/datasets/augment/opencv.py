"""OpenCV, fetched only when pictures are really changed: reading and listening do without it."""

from __future__ import annotations

from types import ModuleType

from video_understanding.errors import missing_extra


def opencv() -> ModuleType:
    """The module `cv2`, or an error that says how to install it."""
    try:
        import cv2
    except ImportError as error:
        raise missing_extra("opencv-python-headless", "to augment pictures", "train") from error
    return cv2
