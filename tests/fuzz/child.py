"""A process that is given files one after the other, under limits, and what became of it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any


class Child:
    """Runs a module that reads a path in each line of stdin and answers each with a line of JSON on stdout.

    An answer that takes more than `limit_wall_s` seconds is a hang; `limit_cpu_s` is what the module allows itself.
    """

    def __init__(self, module: str, *words: str, limit_cpu_s: int, limit_wall_s: int) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in end()
        self._limit_cpu_s, self._limit_wall_s = limit_cpu_s, limit_wall_s
        command = [sys.executable, "-m", module, "--child", *words]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0
        )
        self.served = 0
        self.ended = False

    def read(self, path: Path) -> dict[str, Any]:
        """What became of the file: the child's own answer, or how the child died of it."""
        self.served += 1
        self._process.stdin.write(f"{path}\n".encode())
        answer = b""
        until_s = time.monotonic() + self._limit_wall_s
        while not answer.endswith(b"\n"):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, until_s - time.monotonic()))
            if not ready:
                self._process.kill()
                return self._died("hang", f"no answer within {self._limit_wall_s} s")
            part = os.read(self._process.stdout.fileno(), 1 << 16)
            if not part:
                return self._died_by_itself()
            answer += part
        return json.loads(answer)

    def _died_by_itself(self) -> dict[str, Any]:
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return self._died("cpu", f"more than {self._limit_cpu_s} s of CPU time")
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return self._died(how, f"the process ended with {how}")

    def _died(self, cause: str, text: str) -> dict[str, Any]:
        self.ended = True
        self._process.wait()
        self._errors.seek(0)
        details = self._errors.read()[-6000:].decode(errors="replace")
        where = [line.strip() for line in details.splitlines() if "video_understanding/" in line and "line" in line]
        if where:
            cause += " in " + where[0].split("video_understanding/")[-1]
        return finding(cause, text) | {"details": details}

    def end(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


def finding(cause: str, text: str) -> dict[str, Any]:
    """The answer for a file that ended otherwise than it should."""
    return {"outcome": "finding", "cause": cause, "text": text}
