"""The model that has learned scenes with a known cause, trained once for all tests here."""

from __future__ import annotations

import pytest

from tests.explain.scenes import scenes, trained
from video_understanding.explain import Explainer


@pytest.fixture(scope="session")
def learned() -> Explainer:
    return Explainer(trained(*scenes(640, seed=0)))
