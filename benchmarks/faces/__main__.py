"""Makes the weights of the face encoder and of the face detector anew, and measures both.

    python -m benchmarks.faces [encoder|detector|measure ...] [--data DIR] [--models DIR] [--work DIR]

Without names it does all three. What is interrupted goes on where it was when the command is given again; a folder of
work begins anew when it is removed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import tensorflow as tf

from benchmarks.faces.ferplus import read_faces, split
from benchmarks.faces.measure import measure_detector, measure_encoder, measure_video
from benchmarks.faces.pool import make_pool
from benchmarks.faces.teach_detector import train_detector
from benchmarks.faces.teach_encoder import train_encoder
from benchmarks.faces.teacher import Teacher
from video_understanding.models.faces.weights import WEIGHTS, write_face_weights

STAGES = ("encoder", "detector", "measure")


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stages", nargs="*", choices=[*STAGES, []], help="what to do; all of it if not given")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the data sets")
    parser.add_argument("--models", type=Path, default=Path("../shared/models"), help="folder of the teachers")
    parser.add_argument("--work", type=Path, default=Path("work/faces"), help="folder of states and of what was read")
    parser.add_argument("--epochs", type=int, default=30, help="of the encoder")
    parser.add_argument("--steps", type=int, default=6000, help="of the detector")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(chosen.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    cv2.setNumThreads(1)
    stages = chosen.stages or STAGES
    if "encoder" in stages:
        train, held_out = split(read_faces(chosen.data / "faces_ferplus", "train"))
        train = train.part(train.has_expression)
        print(f"{len(train)} faces to learn from, {len(held_out)} held out", flush=True)
        model = train_encoder(train, held_out, chosen.work, chosen.epochs)
        write_face_weights(model, WEIGHTS["face_encoder"])
    teacher = Teacher(chosen.models / "face_detection_short_range.tflite")
    if "detector" in stages:
        pool = make_pool(chosen.data, teacher, chosen.work / "pool")
        print(f"{len(pool)} pictures to learn from", flush=True)
        model = train_detector(pool, chosen.work, chosen.steps)
        write_face_weights(model, WEIGHTS["face_detector"])
    if "measure" in stages:
        examples, test = (read_faces(chosen.data / "faces_ferplus", part) for part in ("train", "test"))
        measure_encoder(examples, test)
        if WEIGHTS["face_detector"].exists():
            measure_detector(chosen.data, teacher)
        measure_video(chosen.data, teacher, chosen.work)


if __name__ == "__main__":
    main()
