"""Augmentation of clips: one idea in each file, with its ranges in decibels, seconds, pixels or fractions.

augmentation = default_augmentation()
parameters = augmentation.draw(clip, generator)     # random; a plain dict, to be logged as JSON
changed = augmentation.apply(clip, parameters)      # deterministic: the same result each time
"""

from video_understanding.datasets.augment.augmentation import Augmentation, Chain
from video_understanding.datasets.augment.colour import Colour
from video_understanding.datasets.augment.crop import Crop
from video_understanding.datasets.augment.default import default_augmentation, sound_augmentation
from video_understanding.datasets.augment.flip import Flip
from video_understanding.datasets.augment.gain import Gain
from video_understanding.datasets.augment.masks import BandMask, FrameMask, TimeMask
from video_understanding.datasets.augment.mixup import drawn_pairs, mixed_clip, mixed_inputs, mixed_targets
from video_understanding.datasets.augment.noise import Noise
from video_understanding.datasets.augment.timing import Speed, TimeShift
from video_understanding.datasets.augment.tone import Throat, Tone

__all__ = [
    "Augmentation",
    "BandMask",
    "Chain",
    "Colour",
    "Crop",
    "Flip",
    "FrameMask",
    "Gain",
    "Noise",
    "Speed",
    "Throat",
    "TimeMask",
    "TimeShift",
    "Tone",
    "default_augmentation",
    "drawn_pairs",
    "mixed_clip",
    "mixed_inputs",
    "mixed_targets",
    "sound_augmentation",
]
