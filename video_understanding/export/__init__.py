"""Trained models in other forms: SavedModel for servers, TFLite for small devices, each tried before it is kept."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """The room bears the name of the one thing that is done in it, and does it when it is called.

    `video_understanding.export` is this module once anything in it was imported, and `make.export` until then.
    """

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        from video_understanding.export.make import export

        return export(*arguments, **settings)


sys.modules[__name__].__class__ = _Room
