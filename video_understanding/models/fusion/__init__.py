"""The ways of joining modalities; a new one is a file here, a line in the dict and a line in its test."""

from __future__ import annotations

from video_understanding.models.fusion.base import Fusion
from video_understanding.models.fusion.cross_attention import CrossAttentionFusion
from video_understanding.models.fusion.early import EarlyFusion
from video_understanding.models.fusion.graph import GatFusion, GcnFusion
from video_understanding.models.fusion.hybrid import HybridFusion
from video_understanding.models.fusion.late import LateFusion
from video_understanding.models.fusion.self_attention import SelfAttentionFusion

FUSIONS: dict[str, type[Fusion]] = {
    "cross_attention": CrossAttentionFusion,
    "early": EarlyFusion,
    "late": LateFusion,
    "hybrid": HybridFusion,
    "self_attention": SelfAttentionFusion,
    "gcn": GcnFusion,
    "gat": GatFusion,
}
