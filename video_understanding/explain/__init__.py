"""Why a model says what it says of a clip: which modality, which moments of sound, which places in the picture.

explanation = explain(bundle, "clip.mp4")          # of the window that the model is surest of
explanation.draw("why/")                           # pictures and explanation.json
"""

import sys
from types import ModuleType
from typing import Any

from video_understanding.explain.explain import Explainer, explain
from video_understanding.explain.explanation import Explanation

__all__ = ["Explainer", "Explanation", "explain"]


class _Room(ModuleType):
    """This room has the name of its function: `video_understanding.explain(...)` has to work whichever it is."""

    def __call__(self, *arguments: Any, **named: Any) -> Explanation:
        return explain(*arguments, **named)


sys.modules[__name__].__class__ = _Room
