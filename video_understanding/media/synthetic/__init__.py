"""Clips the project makes itself: real media files whose content, times and damage are known."""

from video_understanding.media.synthetic.calibration import burst_onsets_s, read_barcode, write_calibration_clip
from video_understanding.media.synthetic.damage import DAMAGES, damage
from video_understanding.media.synthetic.dataset import make_dataset
from video_understanding.media.synthetic.faces import EMOTIONS
from video_understanding.media.synthetic.files import write_scene, write_timeline
from video_understanding.media.synthetic.halves import Halves
from video_understanding.media.synthetic.motions import ACTIONS
from video_understanding.media.synthetic.scene import Scene
from video_understanding.media.synthetic.two_cues import TwoCues

__all__ = [
    "ACTIONS",
    "DAMAGES",
    "EMOTIONS",
    "Halves",
    "Scene",
    "TwoCues",
    "burst_onsets_s",
    "damage",
    "make_dataset",
    "read_barcode",
    "write_calibration_clip",
    "write_scene",
    "write_timeline",
]
