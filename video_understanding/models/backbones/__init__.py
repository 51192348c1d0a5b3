"""Networks that see one frame: float32 [B,H,W,3] with pixels 0 to 255 (RGB) -> features [B,F].

backbone = make_backbone("efficientnet_lite0", 160, 160)
freeze(backbone, unfrozen_blocks=2)                 # only the last two blocks go on learning

Each holds its own preprocessing, so that raw frames go in.
"""

from video_understanding.models.backbones.freezing import blocks, freeze
from video_understanding.models.backbones.make import BACKBONES, make_backbone

__all__ = ["BACKBONES", "blocks", "freeze", "make_backbone"]
