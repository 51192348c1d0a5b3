"""Reference reader: decodes everything, then selects frames by timestamp."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from video_understanding.media.container import Clock, open_media
from video_understanding.media.picture import PictureMaker
from video_understanding.spec import ModelSpec


def pictures_by_decoding_everything(
    file: Path, spec: ModelSpec, start_s: float = 0.0
) -> list[tuple[float, np.ndarray] | None]:
    """For each instant of the window (when its picture was shown first, uint8 [H,W,3]), or None before the first."""
    import av

    with open_media(file) as media:
        clock = Clock(media.picture, media.zero_s)
        make = PictureMaker(spec.video, media.pixel_aspect)
        best: list[tuple[float, av.VideoFrame] | None] = [None] * spec.frames
        for packet in media.container.demux(media.picture):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            for frame in frames:
                time_s = clock.time_s(frame.pts)
                for place, instant_s in enumerate(spec.instants_s(start_s)):
                    if time_s <= instant_s and (best[place] is None or time_s >= best[place][0]):
                        best[place] = (time_s, frame)
        return [None if found is None else (found[0], make(found[1])) for found in best]


def assert_same_pictures(clip, expected) -> None:
    """Every present frame of the clip has the pixels and the time that decoding everything gives."""
    assert clip.frame_present.any()
    for place in np.flatnonzero(clip.frame_present):
        time_s, pixels = expected[place]
        assert clip.frame_times_s[place] == time_s, f"frame {place}"
        assert np.array_equal(clip.frames[place], pixels), f"frame {place}"
