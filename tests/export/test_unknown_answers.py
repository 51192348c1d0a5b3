"""What an export may differ in: classes that nobody is told or that are tied, and the length of an embedding."""

from __future__ import annotations

import numpy as np

from video_understanding.export.exam import exam_of
from video_understanding.export.formats import FORMATS
from video_understanding.export.trial import Expected, Trial, compare
from video_understanding.labels import Labels
from video_understanding.scorer import ModelInputs, PartwiseScorer, Scores, Tokens
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec

LABELS = Labels(action=("spin", "slide"))
SPEC = ModelSpec(1.0, VideoSpec(1, 2, 2), AudioSpec(hop_s=0.5))


class Fixed(PartwiseScorer):
    """Says the same of every clip."""

    labels, token_shapes = LABELS, {"video": (1, 1), "audio": (1, 1)}

    def __init__(self, *scores: float, embedding: tuple[float, ...] = (1, 0, 0)) -> None:
        self.spec = SPEC
        self._embedding = np.float32(embedding)
        self._scores = np.float32(scores)

    def encode_pieces(self, modality: str, pieces: np.ndarray) -> np.ndarray:
        return np.ones((len(pieces) // (SPEC.hops if modality == "audio" else 1), 1), np.float32)

    def fuse(self, tokens: Tokens, presence: np.ndarray) -> Scores:  # noqa: ARG002
        return Scores(LABELS, {"action": np.tile(self._scores, (len(presence), 1))})

    def embed(self, tokens: Tokens, presence: np.ndarray) -> np.ndarray:  # noqa: ARG002
        return np.tile(self._embedding, (len(presence), 1))

    def classify(self, inputs: ModelInputs) -> Scores:
        return self(inputs)

    def embed_whole(self, inputs: ModelInputs) -> np.ndarray:
        return np.tile(self._embedding, (len(inputs), 1))


def changed(model: Fixed, export: Fixed, below: dict[str, float] | None) -> int:
    return tried(model, export, below).changed


def tried(model: Fixed, export: Fixed, below: dict[str, float] | None = None) -> Trial:
    frames = np.zeros((4, *SPEC.frames_shape), np.uint8)
    inputs = ModelInputs({"video": frames, "audio": np.zeros((4, SPEC.samples), np.float32)}, np.ones((4, 2), bool))
    exam = exam_of(inputs, None)
    return compare(export, Expected.of(model, exam.inputs), exam, below)


def test_only_answers_that_are_told_can_change():
    model, other = Fixed(0.51, 0.49), Fixed(0.49, 0.51)
    assert changed(model, other, None) == 12  # four clips, and each without either modality
    assert changed(model, other, {"action": 0.6}) == 0
    assert changed(model, other, {"action": 0.5}) == 12
    assert changed(model, Fixed(0.3, 0.7), {"action": 0.6}) == 12, "one of both is told"


def test_a_tie_may_fall_either_way():
    assert changed(Fixed(0.504, 0.496), Fixed(0.496, 0.504), None) == 0
    assert changed(Fixed(0.506, 0.494), Fixed(0.494, 0.506), None) == 12
    assert changed(Fixed(0.494, 0.506), Fixed(0.5041, 0.4959), None) == 12  # the model decided


def test_an_export_whose_embeddings_point_elsewhere_falls_short():
    model = Fixed(0.6, 0.4)
    assert tried(model, Fixed(0.6, 0.4, embedding=(2, 0, 0))).shortfall(FORMATS["fp32"]) == ""
    for other in ((0.8, 0.6, 0), (0, 0, 0), (np.nan, 0, 0)):
        trial = tried(model, Fixed(0.6, 0.4, embedding=other))
        assert "embeddings are similar to" in trial.shortfall(FORMATS["int8"])
