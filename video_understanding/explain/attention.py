"""What the tokens of each modality attended to in the others: the weights of attention over time."""

from __future__ import annotations

import keras
import numpy as np

from video_understanding.explain.question import Question
from video_understanding.explain.reasons import Attention
from video_understanding.modality import MODALITIES


def attention_of(question: Question, start_s: float) -> Attention | str:
    """The attention between the modalities that the clip has, or in words why there is none to show."""
    model, fusion = question.model, question.model.spec.network.fusion
    if not hasattr(model.fusion, "attention"):
        return f"the fusion {fusion} has no attention between modalities to show"
    there = [name for name, is_there in question.present.items() if is_there]
    if len(there) < 2:
        missing = " and no ".join(name for name in question.present if name not in there)
        return f"the clip has no {missing}, so there was nothing to attend to"
    presence = question.inputs.presence.astype(np.float32)
    weights = model.fusion.attention(model.fill_missing(question.tokens, presence))
    times_s = {name: start_s + MODALITIES[name].times_s(model.spec, question.tokens[name].shape[1]) for name in there}
    return Attention(
        fusion,
        times_s,
        {
            name: {other: keras.ops.convert_to_numpy(weights[name][other])[0] for other in there if other != name}
            for name in there
        },
    )
