"""The eye and the ear of the model, as far as they are frozen: a backbone over frames, a listener over hops."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from video_understanding.clip import Clip
from video_understanding.datasets.augment import sound_augmentation
from video_understanding.datasets.augment.augmentation import Chain
from video_understanding.datasets.augment.colour import Colour
from video_understanding.datasets.augment.crop import Crop
from video_understanding.datasets.augment.flip import Flip
from video_understanding.features.prepare import prepare_sound
from video_understanding.models.audio_encoder import last_norm_of, listener_of, make_hop_encoder
from video_understanding.models.backbones import make_backbone
from video_understanding.models.listeners.weights import WEIGHTS
from video_understanding.spec import ModelSpec


class Eye:
    """Frames of windows -> features float32 [W,T,F]."""

    # Another light, another camera, nearer, from the other side: the sets must not be told by these.
    changes = Chain(
        (
            (Crop(area_fraction=(0.4, 1.0)), 0.9),
            (Flip(), 0.5),
            (Colour((0.6, 1.6), (0.6, 1.5), (0.3, 1.6), (-20, 20)), 0.9),
        )
    )

    def __init__(self, spec: ModelSpec) -> None:
        video = spec.video
        backbone = make_backbone(spec.network.backbone, video.height_px, video.width_px)
        self.about = ["eye", spec.to_dict()["video"], spec.network.backbone]
        self.shape = (spec.frames, backbone.output_shape[-1])
        self._see = tf.function(lambda frames: backbone(tf.cast(frames, tf.float32), training=False))

    def notices(self, clip: Clip) -> bool:
        return clip.has_video

    def __call__(self, clips: Sequence[Clip]) -> np.ndarray:
        return np.stack([self._see(tf.constant(clip.frames)).numpy() for clip in clips])


class Ear:
    """The sound of windows -> what is heard in their hops, float32 [W,M,S,C].

    `usual` tells the mean and the variance of it that the listener was taught with.
    """

    changes = sound_augmentation()

    def __init__(self, spec: ModelSpec) -> None:
        encoder = make_hop_encoder(spec)
        listener, norm = listener_of(encoder), last_norm_of(encoder)
        weights = hashlib.sha256(WEIGHTS[spec.network.listener].read_bytes()).hexdigest()
        self.about = ["ear", spec.to_dict()["audio"], spec.network.listener, weights]
        self.shape = (spec.hops, *listener.output_shape[1:])
        self.usual = [keras.ops.convert_to_numpy(kept) for kept in (norm.moving_mean, norm.moving_variance)]  # [C] each
        self._spec = spec
        self._hear = tf.function(lambda hops: listener(hops, training=False), reduce_retracing=True)

    def notices(self, clip: Clip) -> bool:
        return clip.has_audio

    def __call__(self, clips: Sequence[Clip]) -> np.ndarray:
        waveform, _ = prepare_sound(list(clips), self._spec)  # [W,N]
        heard = self._hear(tf.constant(waveform.reshape(-1, self._spec.audio.hop_samples)))  # [W*M,S,C]
        return heard.numpy().reshape(len(clips), *self.shape)
