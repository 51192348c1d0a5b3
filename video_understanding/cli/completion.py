"""`vu completion`: what a shell needs to complete commands and options with the tab key."""

from __future__ import annotations

import argparse

HELP = "print what a shell needs to complete commands and options by the tab key"
EXAMPLE = '  vu completion bash > ~/.local/share/bash-completion/completions/vu\n  eval "$(vu completion zsh)"'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), metavar="SHELL", help="bash, zsh or tcsh")


def run(arguments: argparse.Namespace) -> int:
    import shtab

    from video_understanding.cli.main import make_parser

    print(shtab.complete(make_parser(), arguments.shell))
    return 0
