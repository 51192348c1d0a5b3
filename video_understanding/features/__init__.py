"""From clips to the arrays that models take."""

from video_understanding.features.prepare import from_prepared, prepare

__all__ = ["from_prepared", "prepare"]
