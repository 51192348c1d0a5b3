"""What a user did not ask to read: TensorFlow's lines as it loads, and with --quiet all progress."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TextIO

from video_understanding.stderr_lines import without_lines

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# What is said while it loads comes before the level is looked at; lines of information begin like this.
_ERASED = "\r\033[K"  # the line that the cursor is in
_IDLE = (b"I0000 ", b"WARNING: All log messages before absl")


def quieten_tensorflow() -> None:
    """From now on, unless the user has said by TF_CPP_MIN_LOG_LEVEL how much it shall tell."""
    if LEVEL not in os.environ:
        os.environ[LEVEL] = "3"  # what goes wrong comes as an exception as well
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # as what it logs in Python: each fold traces anew
        sys.meta_path.insert(0, _QuietLoading())


class _QuietLoading(MetaPathFinder):
    """Waits for TensorFlow to be imported, once, and finds it as it is found otherwise."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_quietly(module: ModuleType) -> None:
                shown = sys.stderr.isatty()
                if shown:  # it takes seconds
                    print("Loading TensorFlow ...", end="", file=sys.stderr, flush=True)
                with without_lines(*_IDLE):
                    load(module)
                if shown:
                    print(_ERASED, end="", file=sys.stderr, flush=True)

            spec.loader.exec_module = load_quietly
        return spec


class _Lines(logging.Handler):
    """Warnings of the library as lines of the program."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"vu: warning: {record.getMessage()}", file=sys.stderr)


def show_warnings() -> None:
    """From now on what the library warns of is written to stderr."""
    log = logging.getLogger("video_understanding")
    if not any(isinstance(handler, _Lines) for handler in log.handlers):
        log.addHandler(_Lines())
        log.propagate = False


class _NoTerminal:
    """stderr, but no terminal: all that shows progress looks for one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def no_progress() -> Iterator[None]:
    """Errors are told as ever; bars and steps are not shown."""
    before = sys.stderr
    sys.stderr = _NoTerminal(before)
    try:
        yield
    finally:
        sys.stderr = before
