"""`--speaker-of`: answers adapted to each speaker by their own recordings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from video_understanding.features.speaker_weights import SpeakerWeights
    from video_understanding.labels import Labels

_HELP = (
    "adapt to each speaker by their own clips, without labels; {places} (default: no adaptation; a model for which it "
    "does not help says so and answers as without)"
)


def add_speaker_of(parser: argparse.ArgumentParser, *, columns: bool) -> None:
    """`--speaker-of`, with the columns of a table or without."""
    if columns:
        places = "speakers are distinguished by a column of the table such as subject, by folder or by file"
        parser.add_argument("--speaker-of", metavar="COLUMN|folder|file", help=_HELP.format(places=places))
    else:
        places = "all files of a folder are of one speaker, or each file is of another"
        parser.add_argument("--speaker-of", choices=("folder", "file"), help=_HELP.format(places=places))


def speaker_weights(place: str | Path, labels: Labels) -> tuple[SpeakerWeights | None, list[str]]:
    """The second weights beside a bundle's model or .tflite file, and a note on heads that are not adapted."""
    from video_understanding.features.speaker_weights import SpeakerWeights

    place = Path(place)
    weights = SpeakerWeights.read(place if place.is_dir() else place.parent, labels)
    if weights is None:
        cause = "it was trained without speakers, or adapting to them did not help"
        return None, [f"The model cannot adapt to speakers: {cause}. It answers as without --speaker-of."]
    plain = [head for head in labels.heads if head not in weights.heads]
    if plain:
        return weights, [f"Not adapted to speakers, since it did not help in training: {', '.join(plain)}."]
    return weights, []
