"""The reasons for an answer as what `explain` gives back: they can be drawn, and written beside the pictures."""

from __future__ import annotations

import json
from pathlib import Path

from video_understanding.errors import VideoUnderstandingError
from video_understanding.explain.pictures import draw_all
from video_understanding.explain.reasons import Reasons
from video_understanding.whole_file import whole_file

EXPLANATION_FILE = "explanation.json"


class Explanation(Reasons):
    """Why a model says what it says of one window of a file: the values of `Reasons`, and pictures of them."""

    def draw(self, folder: str | Path) -> list[Path]:
        """Writes the pictures and, last, explanation.json into the folder, which is made if need be; what was written.

        Every file is written beside its place and renamed, so none is ever there in part.
        """
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files = draw_all(self, folder)
            with whole_file(folder / EXPLANATION_FILE) as unfinished:
                unfinished.write_text(json.dumps(self.to_dict(), allow_nan=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise VideoUnderstandingError(
                folder, f"cannot be written ({error.strerror})", "Give a folder that can be written."
            ) from error
        return [*files, folder / EXPLANATION_FILE]
