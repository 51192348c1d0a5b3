"""Argument parsing of the programs: misspelt words are errors with the nearest valid word."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

_CHOICE = re.compile(r"invalid choice: '(?P<given>[^']*)' \(choose from (?P<choices>.*)\)")
_UNKNOWN = re.compile(r"unrecognized arguments: (?P<given>.*)")


class Parser(argparse.ArgumentParser):
    """An argument parser that suggests commands, options and values; its subparsers do, too."""

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:
        """As in argparse, but an unknown option is an error of the command that it was given to."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            chosen = self._commands().get(getattr(found, "command", ""), self)
            chosen.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found

    def error(self, message: str) -> NoReturn:
        """Prints the usage and the error, with the nearest valid word."""
        near: list[str] = []
        if found := _CHOICE.search(message):
            near = _near(found["given"], re.findall(r"'([^']*)'", found["choices"]))
        elif found := _UNKNOWN.search(message):
            options = [name for name in self._option_string_actions if name.startswith("--")]
            for word in found["given"].split():
                near += _near(word.partition("=")[0], options) if word.startswith("-") else []
        hint = f". Did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""
        super().error(message + hint)

    def _commands(self) -> dict[str, argparse.ArgumentParser]:
        actions = (action for action in self._actions if isinstance(action, argparse._SubParsersAction))
        return {name: parser for action in actions for name, parser in action.choices.items()}


def _near(word: str, known: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
