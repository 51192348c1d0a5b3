"""Which moments of one sense the other looked at: the weights of attention over time."""

from __future__ import annotations

import keras
import numpy as np

from video_understanding.explain.question import Question
from video_understanding.explain.reasons import Attention
from video_understanding.scorer import SENSES


def attention_of(question: Question, start_s: float) -> Attention | str:
    """The attention between the senses, or in words why there is none to show."""
    model = question.model
    fusion = model.spec.network.fusion
    if not hasattr(model.fusion, "attention"):
        return f"the fusion {fusion} has no attention between the senses to show"
    missing = [sense for sense, there in zip(SENSES, question.inputs.presence[0], strict=True) if not there]
    if missing:
        return f"the clip has no {' and no '.join(missing)}, so there was nothing to look at"
    presence = question.inputs.presence.astype(np.float32)
    picture, sound = model.stand_in(question.picture, question.sound, presence)
    to_sound, to_picture = (keras.ops.convert_to_numpy(part)[0] for part in model.fusion.attention(picture, sound))
    return Attention(fusion, model.spec.instants_s(start_s), start_s + model.spec.sound_times_s(), to_sound, to_picture)
