"""Small devices: our TFLite files, run by LiteRT without TensorFlow, and the program `vu-edge`."""

from video_understanding.edge.litert_scorer import LiteRTScorer
from video_understanding.edge.tflite_file import TFLiteFile

__all__ = ["LiteRTScorer", "TFLiteFile"]
