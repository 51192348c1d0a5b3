"""The face networks as TFLite files of eight bits: how large they are, and how long one picture takes."""

from __future__ import annotations

import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from video_understanding.export.quiet import quiet

_TIMED = 200
_ROUNDS = 7


def int8_file(network: keras.Model, examples: np.ndarray, folder: Path) -> Path:
    """Converts a network of one input, with the ranges of these pictures uint8 [n,h,w,c]; returns the file."""
    saved = folder / network.name
    shape = (1, *network.input_shape[1:])
    function = tf.function(
        lambda picture: network(tf.cast(picture, tf.float32), training=False),
        input_signature=[tf.TensorSpec(shape, tf.uint8, name="picture")],
    )
    with quiet():
        archive = keras.export.ExportArchive()
        archive.track(network)
        archive.add_endpoint("serve", function)
        archive.write_out(str(saved), verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved), signature_keys=["serve"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([one[None]] for one in examples)
        converted = converter.convert()
    file = folder / f"{network.name}.tflite"
    file.write_bytes(converted)
    return file


def run_file(file: Path, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """What the file says of pictures uint8 [n,h,w,c], each by itself: name -> [n,...]."""
    runner = Interpreter(str(file), num_threads=1).get_signature_runner("serve")
    answers = [runner(picture=one[None]) for one in pictures]
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def milliseconds(file: Path, picture: np.ndarray) -> float:
    """Processor time of one picture on one thread: the least of a few rounds, for others work here, too."""
    runner = Interpreter(str(file), num_threads=1).get_signature_runner("serve")
    rounds = []
    for _ in range(_ROUNDS):
        began_s = time.process_time()
        for _ in range(_TIMED // _ROUNDS):
            runner(picture=picture[None])
        rounds.append((time.process_time() - began_s) / (_TIMED // _ROUNDS))
    return 1e3 * min(rounds)
