"""Faces by a network that takes pictures of 128 x 128 pixels: whole frames, and squares of them for small faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from video_understanding.faces.face import Face
from video_understanding.faces.resample import resize

SIZE_PX = 128
GRIDS = (16, 8)  # cells each way; every cell says whether a face is there, and where
CELLS = sum(cells * cells for cells in GRIDS)
SAME_FACE = 0.3  # boxes that overlap more are one face
_CUT = 0.02  # of the side of a square: boxes that come nearer to its edge are cut by it
_SIDE_OF = {cells: SIZE_PX / cells for cells in GRIDS}

DetectorNetwork = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Pictures uint8 [n,128,128,3] -> logits float32 [n,320] and places float32 [n,320,8], as `decode` reads them."""


class NetworkDetector:
    """A face detector that runs a network on the whole frame, and then on squares of it.

    Args:
        network: what finds faces in pictures of 128 x 128 pixels.
        least_score: of faces that are returned.
        levels: 1 is the whole frame alone; 2 adds squares as high as the frame's shorter side, 3 squares of half
            that side, in which a face of 16/128 of the square's side is still found.
    """

    def __init__(self, network: DetectorNetwork, least_score: float = 0.5, levels: int = 2) -> None:
        self._network, self._least_score, self._levels = network, least_score, levels

    def __call__(self, frame: np.ndarray) -> list[Face]:
        """The faces of a frame uint8 [H,W,3], the most certain one first."""
        windows = looks(*frame.shape[:2], self._levels)
        pictures = np.stack([_square(frame, *window) for window in windows])  # [n,128,128,3]
        logits, places = self._network(pictures)
        found = []
        for (left, top, side), own_logits, own_places in zip(windows, logits, places, strict=True):
            scores, numbers = decode(own_logits, own_places, self._least_score)
            scale = side / SIZE_PX
            numbers = numbers * scale
            numbers[:, [0, 1, 4, 5, 6, 7]] += np.tile([left, top], 3)
            whole = _is_whole(numbers, (left, top, left + side, top + side), frame.shape[:2])
            found.append(np.column_stack([scores, numbers])[whole])
        return [_face(row) for row in merged(np.concatenate(found))]


def looks(height_px: int, width_px: int, levels: int) -> list[tuple[float, float, float]]:
    """(left, top, side) in pixels of the squares that are looked at; the first holds the whole frame."""
    longer, shorter = max(height_px, width_px), min(height_px, width_px)
    found = [((width_px - longer) / 2, (height_px - longer) / 2, float(longer))]
    for level in range(1, levels):
        side = shorter / 2 ** (level - 1)
        if side > 0.9 * found[-1][2] or side < SIZE_PX / 2:
            continue
        found += [(left, top, side) for top in _begins(height_px, side) for left in _begins(width_px, side)]
    return found


def decode(logits: np.ndarray, places: np.ndarray, least_score: float) -> tuple[np.ndarray, np.ndarray]:
    """What one picture's cells say.

    Args:
        logits: float32 [320], of the cells of 16 x 16 and then of 8 x 8.
        places: float32 [320,8]: the middle of the box from the middle of the cell and the logarithms of its size, then
            both eyes from the middle of the cell; lengths in sides of the cell.
        least_score: cells below it are left out.

    Returns:
        Scores [k] and numbers [k,8]: middle and size of the box and the two eyes, in pixels of the picture.
    """
    scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
    chosen = np.flatnonzero(scores >= least_score)
    middles, sides = cell_middles()[chosen], cell_sides()[chosen, None]
    numbers = places[chosen].astype(np.float64) * sides
    numbers[:, 2:4] = np.exp(np.clip(places[chosen, 2:4].astype(np.float64), -4, 4)) * sides
    numbers[:, [0, 1, 4, 5, 6, 7]] += np.tile(middles, 3)
    return scores[chosen], numbers


def merged(rows: np.ndarray) -> np.ndarray:
    """Rows [k,9] of score, box and eyes -> one for each face: the mean of its boxes, weighted by their scores."""
    rows = rows[np.argsort(-rows[:, 0], kind="stable")]
    found = []
    while len(rows):
        same = _overlaps(rows[0], rows) > SAME_FACE
        same[0] = True
        together = rows[same]
        mean = np.average(together[:, 1:], axis=0, weights=together[:, 0])
        found.append(np.concatenate([together[:1, 0], mean]))
        rows = rows[~same]
    return np.stack(found) if found else np.zeros((0, 9))


def cell_middles() -> np.ndarray:
    """float64 [320,2]: (x, y) in pixels of the middle of every cell."""
    found = []
    for cells in GRIDS:
        at = (np.arange(cells) + 0.5) * _SIDE_OF[cells]
        found.append(np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2))
    return np.concatenate(found)


def cell_sides() -> np.ndarray:
    """float64 [320]: height and width of every cell in pixels."""
    return np.concatenate([np.full(cells * cells, _SIDE_OF[cells]) for cells in GRIDS])


def _begins(length_px: int, side: float) -> list[float]:
    """Where squares begin that cover the length, each overlapping the next by a quarter at least."""
    room = length_px - side
    steps = int(np.ceil(room / (0.75 * side) - 1e-9)) if room > 0 else 0
    return [room * step / steps for step in range(steps + 1)] if steps else [max(room, 0.0) / 2]


def _square(frame: np.ndarray, left: float, top: float, side: float) -> np.ndarray:
    """uint8 [128,128,3] of a square of the frame; black where it reaches beyond."""
    height_px, width_px = frame.shape[:2]
    begin_x, begin_y = max(round(left), 0), max(round(top), 0)
    end_x, end_y = min(round(left + side), width_px), min(round(top + side), height_px)
    part = frame[begin_y:end_y, begin_x:end_x]
    scale = SIZE_PX / side
    size = [min(SIZE_PX, max(1, round(length * scale))) for length in part.shape[:2]]
    picture = np.zeros((SIZE_PX, SIZE_PX, 3), np.uint8)
    row = min(round((begin_y - top) * scale), SIZE_PX - size[0])
    column = min(round((begin_x - left) * scale), SIZE_PX - size[1])
    picture[row : row + size[0], column : column + size[1]] = resize(part, *size)
    return picture


def _is_whole(numbers: np.ndarray, square: tuple[float, ...], size_px: tuple[int, int]) -> np.ndarray:
    """Bool [k]: the boxes of numbers [k,8] that no edge of the square cuts, other than where the frame ends, too.

    What is cut is whole in the next square, which overlaps, or, if it is large, in the one around.
    """
    height_px, width_px = size_px
    margin = _CUT * (square[2] - square[0])
    begin, end = numbers[:, :2] - numbers[:, 2:4] / 2, numbers[:, :2] + numbers[:, 2:4] / 2  # [k,2]
    least = [square[0] + margin if square[0] > 0 else -np.inf, square[1] + margin if square[1] > 0 else -np.inf]
    most = [
        square[2] - margin if square[2] < width_px else np.inf,
        square[3] - margin if square[3] < height_px else np.inf,
    ]
    return ((begin >= least) & (end <= most)).all(axis=1)


def _overlaps(one: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Intersection over union [k] of one row's box with those of rows [k,9]."""
    begin = np.maximum(one[1:3] - one[3:5] / 2, rows[:, 1:3] - rows[:, 3:5] / 2)
    end = np.minimum(one[1:3] + one[3:5] / 2, rows[:, 1:3] + rows[:, 3:5] / 2)
    both = np.clip(end - begin, 0, None).prod(axis=1)
    return both / (one[3] * one[4] + rows[:, 3] * rows[:, 4] - both)


def _face(row: np.ndarray) -> Face:
    score, x, y, wide, high, *eyes = row.tolist()
    box = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
    left, right = sorted([(eyes[0], eyes[1]), (eyes[2], eyes[3])])
    return Face(box, score, (left, right))
