"""What numbers were measured on and with: the machine, the versions of packages, the commit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


def machine(packages: Sequence[str], rounds: int = 1) -> dict[str, Any]:
    """Facts about the machine and what runs on it; packages that are not installed have no version."""
    cpu, facts = platform.processor(), Path("/proc/cpuinfo")
    if facts.exists():
        names = [line.split(":", 1)[1].strip() for line in facts.read_text().splitlines() if "model name" in line]
        cpu = next(iter(names), cpu)
    installed = {own.name.lower(): own.version for own in importlib.metadata.distributions() if own.name}
    return {
        "rounds": rounds,
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {package: installed.get(package) for package in packages},
        "commit": _commit(),
    }


def machine_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """These facts in two lines: the machine, and what ran on it."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items() if version)
    yield f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}"
    yield f"Python {facts['python']}, {versions}; commit {facts['commit']}"


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()

    try:
        commit = git("rev-parse", "--short", "HEAD") or "none"
        # The pages and the results of accuracy are what is being written.
        changed = git("status", "--porcelain", "--", ".", ":!docs", ":!benchmarks/accuracy/results")
        return f"{commit} and changes" if changed else commit
    except OSError:  # no git here
        return "unknown"
