"""`vu inspect`: what is in a media file, and what a clip made from it would be."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from video_understanding.safe_text import one_line

if TYPE_CHECKING:
    from video_understanding.media.inspect import MediaFacts, PictureFacts, SoundFacts

HELP = "show what is in a media file, and what a clip made from it would be"
EXAMPLE = "  vu inspect holiday.mp4\n  vu inspect clips/*.mp4 --json > facts.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="video or sound file")
    parser.add_argument("--json", action="store_true", help="print one JSON list, an entry for each file")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.errors import MediaError
    from video_understanding.media.inspect import inspect_media
    from video_understanding.spec import ModelSpec

    spec = ModelSpec()
    entries, failed = [], False
    for file in arguments.files:
        try:
            facts = inspect_media(file, spec)
        except MediaError as error:
            failed = True
            if arguments.json:
                entries.append({"file": file, "error": str(error)})
            else:
                print(f"vu: {error}", file=sys.stderr)
            continue
        if arguments.json:
            entries.append(facts.to_dict())
        else:
            print(describe(facts))
    if arguments.json:
        print(json.dumps(entries, indent=2))
    return 2 if failed else 0


def describe(facts: MediaFacts) -> str:
    """The facts of one file as a few lines of text."""
    length = "length unknown" if facts.duration_s is None else f"{facts.duration_s:.2f} s"
    lines = [one_line(facts.file), f"  file     {facts.container}, {length}, {facts.size_bytes / 1e6:.2f} MB"]
    lines += [f"  picture  {_picture(picture)}" for picture in facts.pictures]
    lines += [f"  sound    {_sound(sound)}" for sound in facts.sounds]
    clip = facts.clip
    modalities = [name for name, there in clip["modalities"].items() if there]
    lines.append(
        f"  clip     {clip['frames_present']} of {clip['frames']} frames {clip['width_px']}x{clip['height_px']}, "
        f"{clip['samples']} samples at {clip['sample_rate_hz']} Hz; modalities: {', '.join(modalities)}"
    )
    lines += [f"  note     {note}" for note in facts.notes]
    return "\n".join(lines)


def _picture(picture: PictureFacts) -> str:
    words = [f"{picture.codec} {picture.width_px}x{picture.height_px}"]
    if picture.cover_art:
        return ", ".join([*words, "cover art, not used"])
    if picture.frames_hz:
        words.append(f"{picture.frames_hz:.4g} frames/s" + (" on average (varying)" if picture.variable_rate else ""))
    words.append(picture.pixel_format)
    if picture.pixel_aspect != 1:
        words.append(f"pixels {picture.pixel_aspect:.3g} times as wide as high")
    if picture.rotation_degrees:
        words.append(f"turned {picture.rotation_degrees} degrees clockwise to be upright")
    if picture.mirrored:
        words.append("mirrored")
    return ", ".join([*words, *_timing(picture)])


def _sound(sound: SoundFacts) -> str:
    words = [f"{sound.codec} {sound.rate_hz} Hz", f"{sound.channels} channel(s)"]
    if sound.silent:
        words.append("digital silence")
    elif sound.peak_dbfs is not None:
        words.append(f"loudest {sound.peak_dbfs:.1f} dBFS")
    return ", ".join([*words, *_timing(sound)])


def _timing(stream: PictureFacts | SoundFacts) -> list[str]:
    words = [f"begins {stream.start_s:.3f} s after the file"] if stream.start_s > 0.0005 else []
    return words if stream.used else [*words, "not used"]
