"""From a file to its labels as one finds it elsewhere: Transformers' pipeline, and OpenCV with librosa and Keras.

    python -m benchmarks.peers.whole_files video_mae | tutorial     # writes the model, with random weights

Each is made once and called with a file; imports stand inside, for each starts a process of its own, too.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clips import FOLDER, BenchClip
from benchmarks.peers.readers import add_ffmpeg_program, read_opencv_and_librosa, reading_spec

FRAMES, SIDE_PX = 16, 160
VIDEO_MAE, TUTORIAL = FOLDER / "video_mae_small", FOLDER / "tutorial.keras"
WEIGHTS = VIDEO_MAE / "model.safetensors"
_RATE_HZ, _BANDS, _SEED = 16_000, 64, 5


def video_mae() -> Path:
    """The folder of VideoMAE-small, made unless it is there; an ImportError where Transformers is not installed."""
    import torch  # noqa: F401
    import transformers  # noqa: F401

    return _made(VIDEO_MAE, "video_mae")


def transformers_pipeline() -> Callable[[BenchClip], Any]:
    """Video classification by VideoMAE, which takes no sound."""
    from transformers import VideoMAEImageProcessorPil, pipeline

    processor = VideoMAEImageProcessorPil.from_pretrained(video_mae())
    classify = pipeline("video-classification", model=str(VIDEO_MAE), image_processor=processor, device="cpu")
    # Its sixteen frames are spread over the file; by itself it would take the first sixteen.
    return lambda clip: classify(str(clip.path), frame_sampling_rate=clip.seconds * clip.frames_hz // FRAMES)


def keras_tutorial() -> Callable[[BenchClip], Any]:
    """Frames by OpenCV, sound by librosa (which has the ffmpeg program read it), and `predict` of a Keras model."""
    import cv2  # noqa: F401  before anything that brings codec libraries of its own
    import librosa

    add_ffmpeg_program()
    import keras

    model = keras.models.load_model(_made(TUTORIAL, "tutorial"), compile=False)

    def classify(clip: BenchClip) -> np.ndarray:
        frames, sound = read_opencv_and_librosa(clip.path, reading_spec(clip.seconds, FRAMES / clip.seconds), 0.0)
        mel = librosa.feature.melspectrogram(y=sound, sr=_RATE_HZ, n_mels=_BANDS)  # [bands,steps]
        decibels = librosa.power_to_db(mel, ref=np.max).T.astype(np.float32)
        return model.predict([frames[None], decibels[None]], verbose=0)[0]

    return classify


def _made(path: Path, name: str) -> Path:
    if not path.exists():
        subprocess.run([sys.executable, "-m", "benchmarks.peers.whole_files", name], check=True)
    return path


def _write_tutorial() -> None:
    """Frames [B,T,H,W,3] and decibels [B,steps,bands] -> probabilities [B,C]: MobileNetV2 over time, and Conv1D."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(_SEED)
    frames, audio = inputs = keras.Input((FRAMES, SIDE_PX, SIDE_PX, 3)), keras.Input((None, _BANDS))
    backbone = keras.applications.MobileNetV2((SIDE_PX, SIDE_PX, 3), include_top=False, weights=None, pooling="avg")
    video = layers.TimeDistributed(backbone)(layers.Rescaling(1 / 127.5, -1)(frames))  # [B,T,1280]
    video = layers.GlobalAveragePooling1D()(layers.Conv1D(128, 3, padding="same", activation="relu")(video))
    for channels in (64, 128, 128):
        audio = layers.Conv1D(channels, 5, 2, padding="same", activation="relu")(audio)
    both = layers.Concatenate()([video, layers.GlobalAveragePooling1D()(audio)])
    keras.Model(inputs, layers.Dense(6, activation="softmax")(both)).save(TUTORIAL)


def _write_video_mae() -> None:
    """VideoMAE-small, written as Transformers writes models."""
    import torch
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification, VideoMAEImageProcessorPil

    torch.manual_seed(_SEED)
    size = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "intermediate_size": 4 * 384}
    config = VideoMAEConfig(**size, num_frames=FRAMES, image_size=224, num_labels=400)
    crop = {"height": 224, "width": 224}
    VideoMAEImageProcessorPil(size={"shortest_edge": 224}, crop_size=crop).save_pretrained(VIDEO_MAE)
    VideoMAEForVideoClassification(config).save_pretrained(VIDEO_MAE)


if __name__ == "__main__":
    {"video_mae": _write_video_mae, "tutorial": _write_tutorial}[sys.argv[1]]()
