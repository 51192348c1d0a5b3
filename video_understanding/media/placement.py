"""The geometry of fitting a picture into another shape: sizes and offsets, no pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from video_understanding.errors import MediaError, SpecError
from video_understanding.spec import FITS


@dataclass(frozen=True)
class Placement:
    """The size a picture is scaled to, and the offset between the scaled picture and the target.

    height_px, width_px  the scaled picture, each at least 1
    top_px, left_px      never negative; for "crop" where the target begins inside the scaled picture,
                         for "pad" where the scaled picture begins inside the target, for "stretch" zero
    """

    height_px: int
    width_px: int
    top_px: int
    left_px: int


def placement(
    source_height: int,
    source_width: int,
    height_px: int,
    width_px: int,
    fit: str,
    pixel_aspect: float = 1.0,
) -> Placement:
    """How a picture of `source_height` x `source_width` pixels is fitted into `height_px` x `width_px`.

    "crop" scales until the target is covered, "pad" until all is inside, "stretch" scales each side by
    itself. `pixel_aspect` is the width of a source pixel over its height as it is to be shown (a DV
    tape has 16/15); the target's pixels are square. A width that is free is made even. An odd remainder
    leaves the extra row or column at the bottom or right.
    """
    if min(source_height, source_width, height_px, width_px) < 1:
        raise MediaError(
            f"picture of {source_width}x{source_height}",
            f"cannot be fitted into {width_px}x{height_px}",
            "Both need at least one pixel each way.",
        )
    if not (math.isfinite(pixel_aspect) and pixel_aspect > 0):
        raise MediaError("pixel aspect", f"is {pixel_aspect!r}", "Give a ratio above zero; 1.0 means square pixels.")
    if fit == "stretch":
        return Placement(height_px, width_px, 0, 0)
    tall_scale = height_px / source_height
    wide_scale = width_px / (source_width * pixel_aspect)
    if fit == "crop":
        height, width = height_px, width_px
        if tall_scale > wide_scale:
            width = max(width_px, _even(source_width * pixel_aspect * tall_scale))
        else:
            height = _rounded(source_height * wide_scale)
        return Placement(height, width, (height - height_px) // 2, (width - width_px) // 2)
    if fit == "pad":
        height, width = height_px, width_px
        if tall_scale < wide_scale:
            width = min(width_px, max(1, _even(source_width * pixel_aspect * tall_scale)))
        else:
            height = max(1, _rounded(source_height * wide_scale))
        return Placement(height, width, (height_px - height) // 2, (width_px - width) // 2)
    raise SpecError("video.fit", f"{fit!r} is not known", f"Use one of: {', '.join(FITS)}.")


def _rounded(length: float) -> int:
    # Halves are rounded up; round() would round them to the even neighbour.
    return math.floor(length + 0.5)


def _even(length: float) -> int:
    # FFmpeg's scaler takes three times as long for an odd width as for the even one beside it.
    return 2 * _rounded(length / 2)
