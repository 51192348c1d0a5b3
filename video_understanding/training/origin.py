"""What a training was asked for, as its folder has it: data, spec and settings, so that another can go on from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from video_understanding.bundle import Bundle
from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.errors import TrainingError, VideoUnderstandingError
from video_understanding.labels import HEADS
from video_understanding.spec import ModelSpec
from video_understanding.strict_json import strict_json
from video_understanding.training.fit import WORK_FOLDER
from video_understanding.training.settings import TrainingSettings
from video_understanding.whole_file import write_whole

ORIGIN_FILE = "origin.json"
_AGAIN = "Train from scratch on all clips, old and new."


@dataclass(frozen=True)
class Origin:
    """Where a training's clips are from and what it was asked for.

    sources   the files and folders of labelled clips, absolute
    heads     the columns that hold labels
    spec      as it was asked for, before whole frames or a close-up were chosen
    settings  all numbers of the training
    """

    sources: tuple[Path, ...]
    heads: tuple[str, ...]
    spec: ModelSpec
    settings: TrainingSettings

    @classmethod
    def of(cls, manifest: Manifest, spec: ModelSpec, settings: TrainingSettings) -> Origin:
        """Of a training on these clips."""
        return cls(tuple(source.absolute() for source in manifest.sources), manifest.heads, spec, settings)

    def write(self, folder: Path) -> None:
        """Into the folder of a bundle, beside what names clips: it is not meant to be passed on."""
        values = {
            "sources": [str(source) for source in self.sources],
            "heads": list(self.heads),
            "spec": self.spec.to_dict(),
            "settings": self.settings.to_dict(),
        }
        write_whole(folder / WORK_FOLDER / ORIGIN_FILE, json.dumps(values, indent=1) + "\n")

    @classmethod
    def read(cls, folder: str | Path) -> Origin:
        """That of a bundle.

        Raises:
            BundleError: the folder is no bundle.
            TrainingError: the bundle does not say what it was trained on, or that is gone.
        """
        file = Bundle.read(folder).folder / WORK_FOLDER / ORIGIN_FILE
        try:
            values = strict_json(file.read_text(encoding="utf-8"))
            sources = tuple(map(Path, values["sources"]))
            origin = cls(
                sources,
                tuple(values["heads"]),
                ModelSpec.from_dict(values["spec"]),
                TrainingSettings(**values["settings"]),
            )
        except OSError as error:
            cause = f"does not say what it was trained on (no {WORK_FOLDER}/{ORIGIN_FILE})"
            raise TrainingError(folder, cause, _AGAIN) from error
        except (ValueError, TypeError, KeyError, VideoUnderstandingError) as error:
            raise TrainingError(file, f"is damaged ({error})", _AGAIN) from error
        gone = [source for source in sources if not source.exists()]
        if gone:
            raise TrainingError(folder, f"was trained on {gone[0]}, which is gone", f"Restore it. {_AGAIN}")
        return origin

    def joined_with(self, data: Sequence[str | Path], heads: Sequence[str] | None) -> Manifest:
        """The clips it was trained on and those of `data`, which may have new classes; `heads` as `load_manifest`."""
        usual = None if set(self.heads) <= set(HEADS) else self.heads
        return load_manifest(*self.sources, *data, heads=heads or usual)
