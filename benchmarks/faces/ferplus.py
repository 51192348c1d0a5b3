"""FER+: 48x48 grey faces and what ten people each saw in them."""

from __future__ import annotations

import csv
import dataclasses
import io
import zipfile
from pathlib import Path

import cv2
import numpy as np

from video_understanding.models.faces.encoder import EXPRESSIONS

_OTHER = ("unknown", "not_a_face")  # what people may vote for besides the expressions


@dataclasses.dataclass(frozen=True)
class Faces:
    """Crops uint8 [N,48,48] and votes int [N,10]: the eight expressions, then unknown and not a face."""

    crops: np.ndarray
    votes: np.ndarray

    def __len__(self) -> int:
        return len(self.crops)

    def part(self, chosen: np.ndarray) -> Faces:
        """The faces of these numbers, or where the mask is true."""
        return Faces(self.crops[chosen], self.votes[chosen])

    @property
    def has_expression(self) -> np.ndarray:
        """Bool [N]: whether anybody saw an expression."""
        return self.votes[:, : len(EXPRESSIONS)].sum(1) > 0

    @property
    def plurality(self) -> np.ndarray:
        """Int [N]: what most people chose; the first of equals."""
        return self.votes.argmax(1)

    @property
    def clear_majority(self) -> np.ndarray:
        """Int [N]: what more than half of the votes are for, as FER+ was published; -1 where there is none.

        As there, a single vote for something counts as a mistake, and is dropped before the others are counted.
        """
        counted = np.where(self.votes > 1, self.votes, 0)  # [N,10]
        clear = 2 * counted.max(1) > counted.sum(1)
        return np.where(clear & (counted.argmax(1) < len(EXPRESSIONS)), counted.argmax(1), -1)


def read_faces(folder: Path, part: str) -> Faces:
    """Reads "train" or "test" of the data set in the folder."""
    rows = list(csv.DictReader(io.StringIO((folder / f"{part}.csv").read_text(encoding="utf-8"))))
    votes = np.array([[int(row[name]) for name in (*EXPRESSIONS, *_OTHER)] for row in rows])
    with zipfile.ZipFile(folder / f"{part}.zip") as archive:
        crops = [_grey(archive.read(row["name"])) for row in rows]
    return Faces(np.stack(crops), votes)


def split(faces: Faces, share: float = 0.1, seed: int = 0) -> tuple[Faces, Faces]:
    """Splits faces into two parts, the second of them the given share."""
    order = np.random.default_rng([seed, 7]).permutation(len(faces))
    cut = round(share * len(faces))
    return faces.part(np.sort(order[cut:])), faces.part(np.sort(order[:cut]))


def soft_labels(faces: Faces) -> tuple[np.ndarray, np.ndarray]:
    """Targets float32 [N,8], the shares of the expressions, and weights [N], the share that chose an expression."""
    votes = faces.votes[:, : len(EXPRESSIONS)].astype(np.float32)
    chosen = votes.sum(1)
    return votes / np.maximum(chosen, 1)[:, None], chosen / faces.votes.sum(1).astype(np.float32)


def accuracy(logits: np.ndarray, faces: Faces) -> dict[str, float]:
    """Accuracy in percent against the clear majority (the published protocol) and against the plurality."""
    found = logits.argmax(1)
    clear, most = faces.clear_majority, faces.plurality
    return {
        "clear_majority": 100 * float((found == clear)[clear >= 0].mean()),
        "plurality": 100 * float((found == most)[most < len(EXPRESSIONS)].mean()),
    }


def _grey(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
