"""VideoMAE-small with random weights, written as Transformers writes models.

python -m benchmarks.video_mae FOLDER
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import material

FRAMES, SIDE_PX, CLASSES = 16, 224, 400
PUBLISHED_PARAMETERS = 22e6
WEIGHTS = "model.safetensors"
_FOLDER = material.FOLDER / "video_mae_small"
_SEED = 5


def made_video_mae() -> Path:
    """The folder of the model, made unless it is there; an ImportError where Transformers is not installed."""
    import transformers  # noqa: F401

    if not (_FOLDER / WEIGHTS).exists():
        subprocess.run([sys.executable, "-m", "benchmarks.video_mae", str(_FOLDER)], check=True)
    return _FOLDER


def main() -> None:
    import torch
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification, VideoMAEImageProcessorPil

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(_SEED)
    config = VideoMAEConfig(
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=6,
        intermediate_size=4 * 384,
        num_frames=FRAMES,
        image_size=SIDE_PX,
        num_labels=CLASSES,
    )
    sides = {"height": SIDE_PX, "width": SIDE_PX}
    VideoMAEImageProcessorPil(size={"shortest_edge": SIDE_PX}, crop_size=sides).save_pretrained(folder)
    VideoMAEForVideoClassification(config).save_pretrained(folder)


if __name__ == "__main__":
    main()
