"""The program `vu`: finds the command, runs it, and turns errors into one line and an exit code.

Exit codes: 0 done, 1 the work's own verdict is negative, 2 bad input or usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from types import ModuleType

from video_understanding import DISTRIBUTION, __version__
from video_understanding.arguments import Parser
from video_understanding.cli.quiet import no_progress, quieten_tensorflow, show_warnings
from video_understanding.errors import VideoUnderstandingError, missing_extra
from video_understanding.process import tune_process
from video_understanding.program_output import refusal, safe_output
from video_understanding.progress import plain_lines
from video_understanding.stderr_lines import allow_redirecting

# Each command is a module with HELP, EXAMPLE, add_arguments(parser) and run(arguments) -> exit code.
COMMANDS = (
    "inspect",
    "check",
    "train",
    "crossval",
    "evaluate",
    "predict",
    "stream",
    "index",
    "search",
    "explain",
    "personalise",
    "export",
    "verify",
    "info",
    "demo",
    "completion",
)

# What a base install lacks, and the extra "train" brings.
TRAIN_PACKAGES = ("tensorflow", "keras", "librosa", "matplotlib", "cv2", "ai_edge_litert", "shtab")
VERSIONS_TOLD = ("numpy", "av", "tensorflow", "keras", "librosa", "ai-edge-litert", "opencv-python-headless")


def main(words: Sequence[str] | None = None) -> int:
    """Runs the program with the given words, or those of the command line; returns the exit code."""
    parser = make_parser()
    if not (sys.argv[1:] if words is None else words):
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    arguments = parser.parse_args(words)
    allow_redirecting()
    tune_process()
    quieten_tensorflow()
    show_warnings()
    try:
        with no_progress() if arguments.quiet else plain_lines(), safe_output():
            return _run(parser, arguments)
    except BrokenPipeError:  # `vu ... | head` is no error
        return 0


def _run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """Runs the command; what can go wrong without being a fault of the program becomes one line."""
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
    except (OSError, UnicodeEncodeError) as error:  # a full disk, a folder that may only be read, a name in no UTF-8
        if arguments.debug or isinstance(error, BrokenPipeError) or getattr(error, "strerror", "") is None:
            raise
        print(f"{parser.prog}: {refusal(error)}", file=sys.stderr)
        return 2


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole program, one subparser for each command."""
    parser = Parser(
        prog="vu",
        description="Understands short clips of video with sound: which action happens, which emotion is expressed.",
        epilog="`vu COMMAND --help` explains a command and gives an example.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_versions(), help="show the versions that matter")
    parser.set_defaults(quiet=False, debug=False)
    _add_everywhere(parser)
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
        _add_everywhere(subparser)
        subparser.set_defaults(run=module.run)
    return parser


def _add_everywhere(parser: argparse.ArgumentParser) -> None:
    """What may stand before a command and behind it; said in neither place it is no."""
    for name, words in (
        ("quiet", "show no progress, only results and errors"),
        ("debug", "show where errors come from"),
    ):
        parser.add_argument(f"--{name}", action="store_true", default=argparse.SUPPRESS, help=words)


def _versions() -> str:
    """Ours, Python's, and those of the packages that decide results; none of them is loaded."""
    lines = [f"{DISTRIBUTION} {__version__}, Python {platform.python_version()}"]
    for package in VERSIONS_TOLD:
        try:
            lines.append(f"  {package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            lines.append(f"  {package} is not installed")
    return "\n".join(lines)


def command_module(name: str) -> ModuleType:
    return import_module(f"video_understanding.cli.{name}")
