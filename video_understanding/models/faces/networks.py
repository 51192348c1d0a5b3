"""The face detector, as the NumPy rooms call it."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from video_understanding.faces.network_detector import DetectorNetwork, NetworkDetector
from video_understanding.models.faces.detector import make_face_detector
from video_understanding.models.faces.weights import load_face_weights


def detector_network(model: keras.Model) -> DetectorNetwork:
    """A model of `make_face_detector` as a function uint8 [n,128,128,3] -> logits [n,320] and places [n,320,8]."""
    call = tf.function(lambda pictures: model(pictures, training=False), reduce_retracing=True)

    def answers(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = call(tf.constant(pictures.astype(np.float32)))
        return found["scores"].numpy(), found["places"].numpy()

    return answers


def face_detector(least_score: float = 0.5, levels: int = 2) -> NetworkDetector:
    """The detector with its pretrained weights, by Keras; see `NetworkDetector` for the arguments."""
    return NetworkDetector(detector_network(load_face_weights(make_face_detector())), least_score, levels)
