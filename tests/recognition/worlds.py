"""Scorers with known answers: they really look at pixels and samples, and count what they were asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from video_understanding.labels import Labels
from video_understanding.media.synthetic.tracks import PictureTrack, SoundTrack, write_tracks
from video_understanding.scorer import PartwiseScorer, Scores, Tokens
from video_understanding.spec import AudioSpec, LogMelSpec, ModelSpec, NetworkSpec, VideoSpec

LABELS = Labels(action=("red", "green", "blue"), emotion=("quiet", "loud"))
COLOURS = {"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200)}
LOUD = 0.4


def small_spec(**network: object) -> ModelSpec:
    """Two seconds of eight frames and four hops; sound of so low a rate that hours of it are quickly made."""
    return ModelSpec(
        window_s=2.0,
        video=VideoSpec(frames_hz=4, height_px=8, width_px=8),
        audio=AudioSpec(
            sample_rate_hz=1000, hop_s=0.5, log_mel=LogMelSpec(window_s=0.05, low_hz=20, high_hz=400, bands=8)
        ),
        network=NetworkSpec(token_size=4, tokens_per_hop=1, **network),
    )


class ColourScorer(PartwiseScorer):
    """The action is the colour that most of the window shows, the emotion how loud most of it is.

    What it is less sure of, it says less surely: scores are shares of the window, as of a model that cannot tell when.
    """

    def __init__(self, spec: ModelSpec | None = None, labels: Labels = LABELS) -> None:
        self.spec, self.labels = spec or small_spec(), labels
        size = self.spec.network.token_size
        self.token_shapes = {
            "video": (self.spec.frames, size),
            "audio": (self.spec.hops * self.spec.network.tokens_per_hop, size),
        }
        self.frames_seen = self.hops_heard = self.windows_fused = 0

    def encode_pieces(self, modality: str, pieces: np.ndarray) -> np.ndarray:
        return self._encode_frames(pieces) if modality == "video" else self._encode_hops(pieces)

    def _encode_frames(self, frames: np.ndarray) -> np.ndarray:
        self.frames_seen += len(frames)
        tokens = np.zeros((len(frames), self.spec.network.token_size), np.float32)
        for token, frame in zip(tokens, frames, strict=True):
            token[:3] = 0.01
            token[int(frame.reshape(-1, 3).sum(axis=0).argmax())] = 0.98
            token[3] = frame[0, 0, 0] / 255  # so that no two frames have the same token by chance
        return tokens

    def _encode_hops(self, hops: np.ndarray) -> np.ndarray:
        self.hops_heard += len(hops)
        network = self.spec.network
        tokens = np.zeros((len(hops), network.tokens_per_hop, network.token_size), np.float32)
        for token, hop in zip(tokens, hops, strict=True):
            token[:, 0] = 0.98 if np.sqrt(np.mean(hop.astype(np.float64) ** 2)) > LOUD / 4 else 0.02
            token[:, 1] = np.abs(hop).mean()
        return tokens

    def fuse(self, tokens: Tokens, presence: np.ndarray) -> Scores:
        picture, sound = tokens["video"], tokens["audio"]
        self.windows_fused += len(picture)
        heads = {head: np.zeros((len(picture), len(self.labels.names(head))), np.float32) for head in self.labels.heads}
        for place, (video, audio) in enumerate(presence):
            shares = picture[place, :, :3].mean(axis=0) if video else np.full(3, 1 / 3)
            loud = float(sound[place, :, 0].mean()) if audio else 0.02
            heads["action"][place] = shares
            if "emotion" in heads:
                heads["emotion"][place] = 1 - loud, loud
        return Scores(self.labels, heads)

    def embed(self, tokens: Tokens, presence: np.ndarray) -> np.ndarray:
        picture, sound = tokens["video"], tokens["audio"]
        there = presence.astype(np.float32)[:, :, None]  # [B,2,1]
        return np.concatenate([picture.mean(axis=1) * there[:, 0], sound.mean(axis=1) * there[:, 1]], axis=1)  # [B,2D]


def frame_of(colour: str, spec: ModelSpec, shade: int = 0) -> np.ndarray:
    """uint8 [H,W,3] of one colour; `shade` makes frames differ without changing what they show."""
    return np.clip(np.full(spec.frames_shape[1:], COLOURS[colour]) + shade % 20, 0, 255).astype(np.uint8)


def tone(samples: int, loud: bool, first: int = 0) -> np.ndarray:
    """float32 [samples] of a tone, loud or very quiet, from sample number `first` on; no two hops are alike."""
    numbers = np.arange(first, first + samples)
    return ((LOUD if loud else 0.002) * np.sin(numbers * 0.31 + 1e-4 * numbers**1.1)).astype(np.float32)


def write_colours(
    path: Path,
    colour_at: Callable[[float], str],
    is_loud_at: Callable[[float], bool] | None,
    duration_s: float,
    *,
    frames_hz: float = 12.5,
    frame_times_s: np.ndarray | None = None,
    sound_rate_hz: int = 16_000,
    sound_start_s: float = 0.0,
    sound_end_s: float | None = None,
) -> Path:
    """A real file whose colour and loudness at each moment are known."""
    constant = frame_times_s is None
    times_s = np.arange(round(duration_s * frames_hz)) / frames_hz if constant else np.asarray(frame_times_s, float)

    def frames() -> Iterator[np.ndarray]:
        for time_s in times_s:
            yield np.broadcast_to(np.array(COLOURS[colour_at(time_s + 1e-6)], np.uint8), (48, 64, 3)).copy()

    picture = PictureTrack(frames(), times_s, duration_s, 48, 64, frames_hz if constant else None)
    sound = None
    if is_loud_at is not None:
        end_s = duration_s if sound_end_s is None else sound_end_s
        numbers = np.arange(round(sound_start_s * sound_rate_hz), round(end_s * sound_rate_hz))
        loud = np.array([is_loud_at(number / sound_rate_hz) for number in range(0, int(end_s * sound_rate_hz), 160)])
        height = np.where(loud[np.minimum(numbers // 160, len(loud) - 1)], LOUD, 0.002)
        wave = (height * np.sin(numbers * 0.31)).astype(np.float32)[:, None]
        sound = SoundTrack([wave], sound_rate_hz, 1, sound_start_s)
    return write_tracks(path, picture, sound)
