"""The default augmentation of a training: mild variations as between cameras and microphones."""

from __future__ import annotations

from video_understanding.datasets.augment.augmentation import Chain
from video_understanding.datasets.augment.colour import Colour
from video_understanding.datasets.augment.crop import Crop
from video_understanding.datasets.augment.flip import Flip
from video_understanding.datasets.augment.gain import Gain
from video_understanding.datasets.augment.masks import BandMask, TimeMask
from video_understanding.datasets.augment.noise import Noise
from video_understanding.datasets.augment.timing import Speed, TimeShift

# None of them moves the sound in time.
_SOUND = ((Gain(), 0.5), (Noise(), 0.4), (TimeMask(), 0.3), (BandMask(), 0.3))


def default_augmentation() -> Chain:
    """Time shifts come first, so that later steps change the final content; masks come last, so that they hide it."""
    return Chain(((TimeShift(), 0.5), (Speed(), 0.3), (Crop(), 0.8), (Flip(), 0.5), (Colour(), 0.8), *_SOUND))


def sound_augmentation() -> Chain:
    """The same changes of the sound for pictures that must stay as they are: it keeps in time with them."""
    return Chain(_SOUND)
