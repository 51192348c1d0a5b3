"""From a file to its labels as one finds it elsewhere: Transformers' pipeline, and OpenCV with librosa and Keras.

    python -m benchmarks.tutorials FILE     # writes the Keras model of the second, with random weights

Each is made once and called with a file; imports stand inside, for each starts a process of its own, too.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

FRAMES, SIDE_PX, CLASSES = 16, 160, 6
_RATE_HZ, _BANDS = 16_000, 64
_SEED = 5


class TransformersPipeline:
    """Video classification by VideoMAE, which hears nothing; its frames are spread over the file as far as told."""

    def __init__(self, folder: Path) -> None:
        from transformers import VideoMAEImageProcessorPil, pipeline

        looks = VideoMAEImageProcessorPil.from_pretrained(folder)
        self._pipeline = pipeline("video-classification", model=str(folder), image_processor=looks, device="cpu")

    def __call__(self, path: Path, every: int) -> list[dict[str, Any]]:
        """Labels from sixteen frames, each so many after the last; by itself it would take the first sixteen."""
        return self._pipeline(str(path), frame_sampling_rate=every)


class KerasTutorial:
    """All frames by OpenCV, sound by the ffmpeg program and librosa, and `predict` of a Keras model."""

    def __init__(self, file: Path) -> None:
        import cv2  # noqa: F401  before anything that brings codec libraries of its own
        import keras

        self._model = keras.models.load_model(file, compile=False)

    def __call__(self, path: Path) -> np.ndarray:
        """Probabilities [C]."""
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "sound.wav"
            write_wav(path, wav)
            return self.answer(path, wav)

    def answer(self, path: Path, wav: Path) -> np.ndarray:
        """Probabilities [C] of a file whose sound was written as WAV before."""
        frames, sound = read_frames(path), read_mel(wav)
        return self._model.predict([frames[None], sound[None]], verbose=0)[0]


def read_frames(path: Path) -> np.ndarray:
    """uint8 RGB [T,H,W,3]: every frame of the file is read and scaled, and as many as are wanted are taken evenly."""
    import cv2

    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = capture.read()
        if not there:
            break
        frames.append(cv2.cvtColor(cv2.resize(frame, (SIDE_PX, SIDE_PX)), cv2.COLOR_BGR2RGB))
    capture.release()
    return np.stack([frames[place] for place in np.linspace(0, len(frames) - 1, FRAMES).astype(int)])


def write_wav(path: Path, wav: Path) -> None:
    """The file's sound as the ffmpeg program writes it."""
    import imageio_ffmpeg

    program = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([program, "-nostdin", "-v", "error", "-y", "-i", str(path), "-vn", str(wav)], check=True)


def read_mel(wav: Path) -> np.ndarray:
    """Decibels float32 [steps,bands] of a WAV file."""
    import librosa

    waveform, rate_hz = librosa.load(wav, sr=_RATE_HZ)
    mel = librosa.feature.melspectrogram(y=waveform, sr=rate_hz, n_mels=_BANDS)  # [bands,steps]
    return librosa.power_to_db(mel, ref=np.max).T.astype(np.float32)


def make_model() -> keras.Model:
    """Frames [B,T,H,W,3] and decibels [B,steps,bands] -> probabilities [B,C]: MobileNetV2 over time, and Conv1D."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(_SEED)
    frames = keras.Input((FRAMES, SIDE_PX, SIDE_PX, 3))
    mel = keras.Input((None, _BANDS))
    looks = keras.applications.MobileNetV2(
        (SIDE_PX, SIDE_PX, 3), include_top=False, weights=None, pooling="avg", name="looks"
    )
    seen = layers.TimeDistributed(looks)(layers.Rescaling(1 / 127.5, -1)(frames))  # [B,T,1280]
    seen = layers.GlobalAveragePooling1D()(layers.Conv1D(128, 3, padding="same", activation="relu")(seen))
    heard = mel
    for channels in (64, 128, 128):
        heard = layers.Conv1D(channels, 5, 2, padding="same", activation="relu")(heard)
    both = layers.Concatenate()([seen, layers.GlobalAveragePooling1D()(heard)])
    return keras.Model([frames, mel], layers.Dense(CLASSES, activation="softmax")(both))


if __name__ == "__main__":
    make_model().save(sys.argv[1])
