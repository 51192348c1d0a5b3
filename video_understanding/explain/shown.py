"""The frames that an explanation shows: the file's own, and which part of them the network takes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from video_understanding.clip import Clip
from video_understanding.explain.reasons import ShownFrames
from video_understanding.media.closer import closer, moving_part
from video_understanding.media.container import open_media
from video_understanding.media.decode import read_clip
from video_understanding.media.picture import orientation
from video_understanding.media.placement import placement
from video_understanding.spec import ModelSpec, VideoSpec

LONGEST_PX = 960  # of a frame's sides: no panel shows more pixels, and many frames stay in memory


def shown_frames(clip: Clip, spec: ModelSpec, file: str | Path | None) -> ShownFrames:
    """The frames of a clip as its file holds them, upright and with square pixels.

    They are read again at the clip's instants. Without a file, or where its pictures cannot be read again, they are
    those that the network takes.

    Args:
        clip: As it was read, before the part in which most moves is chosen.
        spec: With which it was read.
        file: From where, if it was a file.
    """
    size = _own_size_px(file) if file is not None and clip.frame_present.any() else None
    if size is None:
        frames = closer(clip, spec).frames
        return ShownFrames(frames, (0, 0, *frames.shape[1:3]))
    height_px, width_px = size
    scale = min(1.0, LONGEST_PX / max(size))
    shown_px = max(1, round(height_px * scale)), max(1, round(width_px * scale))
    video = VideoSpec(spec.video.frames_hz, *shown_px, fit="stretch")
    own = read_clip(file, dataclasses.replace(spec, video=video), clip.start_s)
    return ShownFrames(own.frames, _part_px(clip, spec.video, size, shown_px))


def _own_size_px(file: str | Path) -> tuple[int, int] | None:
    """Height and width of the file's upright picture in square pixels; None if it has none that can be decoded."""
    import av

    with open_media(file) as media:
        if media.picture is None:
            return None
        try:
            frame = next(media.container.decode(media.picture), None)
        except av.error.FFmpegError:
            return None
        if frame is None:
            return None
        height, width = frame.height, frame.width * media.pixel_aspect()
        return (round(width), height) if orientation(frame)[0] else (height, round(width))


def _part_px(
    clip: Clip, video: VideoSpec, size: tuple[int, int], shown_px: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Where the network's part lies in the shown frame: as the frame was fitted and, with zoom, cut."""
    read_px = video.read_height_px, video.read_width_px
    place = placement(*size, *read_px, video.fit)
    into = (place.top_px, place.left_px) if video.fit == "crop" else (-place.top_px, -place.left_px)
    network_px = video.height_px, video.width_px
    start = moving_part(clip.frames, clip.frame_present, *network_px) if video.zoom > 1 else (0, 0)
    edges = []
    for side, (scaled_px, shown) in enumerate(zip((place.height_px, place.width_px), shown_px, strict=True)):
        first = start[side] + into[side]
        edges.append([round(edge * shown / scaled_px) for edge in (first, first + network_px[side])])
    (top, bottom), (left, right) = edges
    return top, left, bottom - top, right - left
