"""Recognising: from files, cameras and streams to answers, segments of time, and the forms they are told in."""

from video_understanding.recognition.answers import WindowAnswer, WindowScorer
from video_understanding.recognition.recognizer import Recognizer
from video_understanding.recognition.segments import SegmentMaker, segments_of
from video_understanding.recognition.streaming import StreamEvent, StreamingRecognizer
from video_understanding.recognition.strides import Stride

__all__ = [
    "Recognizer",
    "SegmentMaker",
    "StreamEvent",
    "StreamingRecognizer",
    "Stride",
    "WindowAnswer",
    "WindowScorer",
    "segments_of",
]
