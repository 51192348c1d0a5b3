"""What encodes each modality, a file for each; `modality.MODALITIES` names the function of each."""

from __future__ import annotations

from video_understanding.models.encoders.base import Encoder

__all__ = ["Encoder"]
