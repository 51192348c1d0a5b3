"""The program `vu`: finds the command, runs it, and turns errors into one line and an exit code.

Exit codes: 0 done, 1 the work's own verdict is negative, 2 bad input or usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from video_understanding import __version__
from video_understanding.errors import VideoUnderstandingError, missing_extra

# Each command is a module with HELP, EXAMPLE, add_arguments(parser) and run(arguments) -> exit code.
COMMANDS = ("inspect", "check", "train", "crossval", "evaluate", "info")

# What a base install lacks, and the extra "train" brings.
TRAIN_PACKAGES = ("tensorflow", "keras", "librosa", "matplotlib", "cv2")


def main(words: Sequence[str] | None = None) -> int:
    """Runs the program with the given words, or those of the command line; returns the exit code."""
    parser = make_parser()
    arguments = parser.parse_args(words)
    try:
        code = arguments.run(arguments)
        sys.stdout.flush()  # a reader that went away is noticed here, not at exit
        return code
    except (VideoUnderstandingError, ModuleNotFoundError) as error:
        package = (getattr(error, "name", None) or "").split(".")[0]
        if arguments.debug or (isinstance(error, ModuleNotFoundError) and package not in TRAIN_PACKAGES):
            raise
        if package in TRAIN_PACKAGES:
            error = missing_extra(package, f"by `vu {arguments.command}`", "train")
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if arguments.debug:
            raise
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `vu ... | head` is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole program, one subparser for each command."""
    parser = argparse.ArgumentParser(
        prog="vu",
        description="Understands short clips of video with sound: which action happens, which emotion is expressed.",
        epilog="`vu COMMAND --help` explains a command and gives an example.",
    )
    parser.add_argument("--version", action="version", version=f"video-understanding {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = command_module(name)
        subparser = commands.add_parser(
            name,
            help=module.HELP,
            description=f"{module.HELP[0].upper()}{module.HELP[1:]}.",
            epilog=f"example:\n{module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    return parser


def command_module(name: str) -> ModuleType:
    return import_module(f"video_understanding.cli.{name}")
