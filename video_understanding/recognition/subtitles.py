"""A prediction as subtitles: every segment is a line that players show over the video."""

from __future__ import annotations

from video_understanding.prediction import Prediction, Segment


def srt(prediction: Prediction) -> str:
    """The segments in SubRip form (.srt), for any player; times in milliseconds."""
    blocks = [
        f"{number}\n{_time(segment.start_s)} --> {_time(segment.end_s)}\n{_words(segment)}\n"
        for number, segment in enumerate(prediction.segments, start=1)
    ]
    return "\n".join(blocks)


def _words(segment: Segment) -> str:
    # Players take < as the beginning of a style, and an arrow as that of a time.
    told = (f"{answer.words} {100 * answer.confidence:.0f} %" for answer in segment.heads.values())
    return " | ".join(told).replace("<", "(").replace("-->", "->").replace("\n", " ")


def _time(time_s: float) -> str:
    """ "00:01:02,345", as SubRip wants it."""
    seconds, milliseconds = divmod(round(time_s * 1000), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02},{milliseconds:03}"
