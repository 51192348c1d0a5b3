"""Where in the frames the answer comes from: integrated Grad-CAM, or a covered picture where no map lies inside.

Grad-CAM multiplies a map inside the network by the gradient of the answer. Where the answer is sure, that gradient is
nearly flat and says little; so it is averaged over the way from plain frames (each in its mean colour) to the real
ones. What all cells have is then, in sum, what the real frames add to the log-odds of the class.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from video_understanding.explain.question import Question
from video_understanding.explain.reasons import Heat

STEPS = 32  # on the way from plain frames to the real ones
COVERED_GRID = 6  # cells each way, where a backbone has no map inside


def heat_of(question: Question, halves: tuple[keras.Model, keras.Model] | None) -> dict[str, Heat]:
    """Head -> what each place of each frame adds to the log-odds of its class; `halves` are those of the backbone."""
    if halves is None:
        return {
            head: Heat("covering a cell at a time", "the frames themselves", lost, _picture_adds(question, head, lost))
            for head, lost in covered(question).items()
        }
    before, after = halves
    frames = question.inputs["video"][0].astype(np.float32)  # [T,H,W,3]
    plain = np.broadcast_to(frames.mean(axis=(1, 2), keepdims=True), frames.shape)
    real_map, plain_map = before(frames, training=False), before(plain, training=False)  # [T,h,w,C]
    way = real_map - plain_map
    steps = tf.cast((tf.range(STEPS, dtype=tf.float32) + 0.5) / STEPS, way.dtype)
    path = plain_map + steps[:, None, None, None, None] * way  # [steps,T,h,w,C]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(path)
        features = after(tf.reshape(path, (-1, *path.shape[2:])), training=False)  # [steps*T,F]
        features = tf.reshape(features, (*path.shape[:2], -1))  # [steps,T,F]
        tokens = question.model.encoders["video"].tokens(features, training=False)  # [steps,T,D]
        odds = question.log_odds("video", tokens)  # [steps] of each head
    found = {}
    for head, values in odds.items():
        slope = tf.reduce_mean(tape.gradient(values, path), axis=0)  # [T,h,w,C]
        adds = tf.reduce_sum(tf.cast(way * slope, tf.float32), axis=-1).numpy()  # [T,h,w]
        found[head] = Heat("integrated Grad-CAM", f"the map {before.name}", adds, _picture_adds(question, head, adds))
    return found


def _picture_adds(question: Question, head: str, adds: np.ndarray) -> float:
    """The log-odds that go with the picture; of a clip without sound those that all cells [T,h,w] add."""
    return question.shares[head].drop.get("video", float(adds.sum()))


def covered(question: Question) -> dict[str, np.ndarray]:
    """Head -> float32 [T,G,G]: the log-odds lost when a cell of one frame is covered by the frame's mean colour."""
    frames = question.inputs["video"][0]  # [T,H,W,3]
    cells = [(row, column) for row in range(COVERED_GRID) for column in range(COVERED_GRID)]
    lost = {head: np.zeros((len(frames), COVERED_GRID, COVERED_GRID), np.float32) for head in question.told}
    for number, frame in enumerate(frames):
        changed = np.repeat(frame[None], len(cells), axis=0)  # [G*G,H,W,3]
        for one, (row, column) in zip(changed, cells, strict=True):
            one[_part(row, frame.shape[0]), _part(column, frame.shape[1])] = frame.mean(axis=(0, 1))
        for head, values in question.without_pieces("video", changed, np.full(len(cells), number)).items():
            lost[head][number] = values.reshape(COVERED_GRID, COVERED_GRID)
    return lost


def _part(cell: int, size_px: int) -> slice:
    return slice(cell * size_px // COVERED_GRID, (cell + 1) * size_px // COVERED_GRID)
