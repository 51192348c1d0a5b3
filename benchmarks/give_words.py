"""Gives words to a bundle of a closed form, learned from the captions of Flickr8k, and tells what they reach.

    python -m benchmarks.give_words BUNDLE

The bundle's heads and its model stay as they are: words are a file beside it. Of the captions and pictures the bundle
holds weights of words and numbers, and no picture and no sentence.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from video_understanding.bundle import Bundle
from video_understanding.datasets.manifest import load_manifest
from video_understanding.training.words.learn import add_words

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "words_flickr8k"
TERMS = "Flickr8k (Hodosh et al. 2013), research and teaching; never shown"
LICENCE = {"vectors of words, WordLlama": "MIT"}


def main() -> None:
    """Learns the words, writes them into the bundle, and prints what is known of them."""
    options = _options()
    if not DATA.is_dir():
        print(f"{DATA} is not there: nothing is learned.")
        return
    manifest = load_manifest(DATA / "captions.csv")
    bundle = add_words(Bundle.read(options.bundle), manifest)
    data = [entry for entry in bundle.facts.get("data", ()) if entry.get("name") != DATA.name]
    learned = {"name": DATA.name, "clips": bundle.facts["words"]["clips"], "licence": TERMS}
    bundle = bundle.with_facts(data=[*data, learned], licences={**(bundle.facts.get("licences") or {}), **LICENCE})
    print(json.dumps(bundle.facts["words"], indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="folder of a trained model, which is changed")
    return parser.parse_args()


if __name__ == "__main__":
    main()
