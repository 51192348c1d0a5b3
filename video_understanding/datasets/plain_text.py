"""Reads a manifest's file as UTF-8 text; other content is an error that names what it is."""

from __future__ import annotations

from pathlib import Path

from video_understanding.errors import ManifestError

_AS_UTF8 = "Save it as UTF-8; a spreadsheet calls that 'CSV UTF-8'."


def read_text(path: Path, name: str) -> str:
    """The text of a file without a byte order mark; `name` is its name in messages."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ManifestError(
            name, f"cannot be read ({error.strerror})", "Check that it is a file you may read."
        ) from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ManifestError(name, "is UTF-16 text", _AS_UTF8)
    if b"\0" in data:
        raise _not_text(name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if any(byte < 9 or 13 < byte < 32 for byte in data[:4096]):
            raise _not_text(name) from error
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start : error.start + 1]
        meant = byte.decode("cp1252", errors="ignore")
        guess = f", which is {meant!r} in cp1252" if meant else ""
        raise ManifestError(
            name, f"line {line} is not UTF-8 text (byte 0x{byte.hex().upper()}{guess})", _AS_UTF8
        ) from error
    if not text.strip():
        raise ManifestError(name, "is empty", "Give a header such as path,action,subject and a line for each clip.")
    return text


def _not_text(name: str) -> ManifestError:
    return ManifestError(
        name, "is not text", "Give a folder of class folders, a CSV file, or a text of 'path label' lines."
    )
