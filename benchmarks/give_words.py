"""Gives words to a bundle of a closed form, learned from the captions of Flickr8k, and prints what they reach.

    python -m benchmarks.give_words BUNDLE [--learned WORDS]

The bundle's heads and its model stay as they are: words are a file beside it, which holds weights of words and numbers,
and no picture and no sentence. Words that were learned for the same frames and the same video encoder before are taken
from the bundle WORDS.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from video_understanding.bundle import WORDS_FILE, Bundle
from video_understanding.datasets.manifest import load_manifest
from video_understanding.models.load import load_model
from video_understanding.training.words.learn import MODALITY, add_words

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "words_flickr8k"
TERMS = "Flickr8k (Hodosh et al. 2013), research and teaching; never shown"
LICENCE = {"vectors of words, WordLlama": "MIT"}


def main() -> None:
    """Learns the words, writes them into the bundle, and prints what is known of them."""
    options = _options()
    if options.learned is None and not DATA.is_dir():
        print(f"{DATA} is not there: nothing is learned.")
        return
    bundle = Bundle.read(options.bundle)
    if options.learned is None:
        bundle = add_words(bundle, load_manifest(DATA / "captions.csv"))
    else:
        bundle = taken_over(bundle, Bundle.read(options.learned))
    data = [entry for entry in bundle.facts.get("data", ()) if entry.get("name") != DATA.name]
    learned = {"name": DATA.name, "clips": bundle.facts["words"]["clips"], "licence": TERMS}
    bundle = bundle.with_facts(data=[*data, learned], licences={**(bundle.facts.get("licences") or {}), **LICENCE})
    print(json.dumps(bundle.facts["words"], indent=2))


def taken_over(bundle: Bundle, learned: Bundle) -> Bundle:
    """The words of another bundle for this one, whose video tokens are the same."""
    weights = [load_model(own).encoders[MODALITY].backbone.get_weights() for own in (bundle, learned)]
    alike = all(np.allclose(one, other, rtol=5e-3, atol=1e-6) for one, other in zip(*weights, strict=True))
    if bundle.spec.video != learned.spec.video or bundle.spec.window_s != learned.spec.window_s or not alike:
        raise SystemExit(f"{learned.folder} encodes other frames, or by another encoder.")
    shutil.copyfile(learned.folder / WORDS_FILE, bundle.folder / WORDS_FILE)
    return bundle.with_facts(words=learned.facts["words"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="folder of a trained model, which is changed")
    parser.add_argument("--learned", metavar="WORDS", type=Path, help="folder of a model that has the words already")
    return parser.parse_args()


if __name__ == "__main__":
    main()
