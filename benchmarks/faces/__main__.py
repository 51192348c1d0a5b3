"""Makes the weights of the face encoder and of the face detector anew, and measures both.

    python -m benchmarks.faces encoder --data DIR --work DIR [--epochs N]

What is interrupted goes on where it was when the command is given again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import tensorflow as tf

from benchmarks.faces.ferplus import read_faces, split
from benchmarks.faces.teach_encoder import train_encoder


def encoder(data: Path, work: Path, epochs: int) -> None:
    """Trains the face encoder on nine tenths of the training part of FER+."""
    train, held_out = split(read_faces(data / "faces_ferplus", "train"))
    train = train.part(train.votes[:, :8].sum(1) > 0)
    print(f"{len(train)} faces to learn from, {len(held_out)} held out", flush=True)
    model = train_encoder(train, held_out, work, epochs)
    model.save(work / "face_encoder.keras")


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["encoder"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("work/faces"))
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(chosen.threads)
    cv2.setNumThreads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    encoder(chosen.data, chosen.work, chosen.epochs)


if __name__ == "__main__":
    main()
