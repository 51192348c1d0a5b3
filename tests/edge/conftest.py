"""The small model, made once for all tests of the edge."""

from __future__ import annotations

import os

import pytest

from tests.edge.small_model import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # that of the whole run, and not of one of its processes
    return make_world(folder / "edge_world")
