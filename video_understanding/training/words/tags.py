"""The head `tags` of clips that have sentences and no labels: the words that their sentences use most."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from video_understanding.datasets.manifest import Manifest
from video_understanding.errors import TrainingError
from video_understanding.labels import BETWEEN, NONE, Labels
from video_understanding.words.word_counts import words_of

TAGS = "tags"
MOST_TAGS = 40
_LEAST_SHARE = 0.02  # of the clips that a tag describes
_ENOUGH = 2  # of a clip's sentences that use a word make it a tag; of a single sentence, that one
_SHORTEST = 3  # letters
# Words that say how others belong together, not what is to be seen.
_FUNCTION_WORDS = frozenset(
    [
        "about",
        "above",
        "across",
        "after",
        "again",
        "against",
        "all",
        "along",
        "also",
        "among",
        "and",
        "another",
        "any",
        "are",
        "around",
        "away",
        "back",
        "because",
        "been",
        "before",
        "behind",
        "being",
        "below",
        "beneath",
        "beside",
        "between",
        "both",
        "but",
        "can",
        "camera",
        "different",
        "down",
        "during",
        "each",
        "for",
        "from",
        "front",
        "several",
        "get",
        "gets",
        "getting",
        "going",
        "has",
        "have",
        "having",
        "her",
        "hers",
        "herself",
        "him",
        "himself",
        "his",
        "holding",
        "how",
        "inside",
        "into",
        "its",
        "itself",
        "just",
        "large",
        "like",
        "little",
        "look",
        "looking",
        "looks",
        "many",
        "middle",
        "more",
        "most",
        "near",
        "next",
        "not",
        "nothing",
        "off",
        "one",
        "onto",
        "other",
        "others",
        "out",
        "outside",
        "over",
        "own",
        "past",
        "picture",
        "photo",
        "several",
        "she",
        "side",
        "small",
        "some",
        "someone",
        "something",
        "stand",
        "standing",
        "stands",
        "still",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "three",
        "through",
        "together",
        "top",
        "toward",
        "towards",
        "two",
        "under",
        "until",
        "up",
        "upon",
        "use",
        "using",
        "very",
        "was",
        "way",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whose",
        "will",
        "wearing",
        "wears",
        "with",
        "without",
        "you",
        "your",
        "background",
        "big",
        "four",
        "five",
        "her",
        "here",
    ]
)


def with_tags(manifest: Manifest) -> Manifest:
    """The manifest with a multi-label head `tags`, learned from the sentences of all clips but those of a test split.

    Raises:
        TrainingError: no word is used of enough clips.
    """
    used = [_words(row.texts) for row in manifest.rows]
    taught = [own for own, row in zip(used, manifest.rows, strict=True) if row.texts and row.split != "test"]
    counts = Counter(word for own in taught for word in own)
    least = max(2, _LEAST_SHARE * len(taught))
    tags = sorted(word for word, count in counts.most_common(MOST_TAGS) if least <= count < len(taught))
    if not tags:
        raise TrainingError(
            manifest.name, "has no word that several clips share in their sentences", "Add clips, or a label column."
        )
    rows = [
        dataclasses.replace(row, labels={TAGS: BETWEEN.join(sorted(own & set(tags))) or NONE}) if row.texts else row
        for own, row in zip(used, manifest.rows, strict=True)
    ]
    return dataclasses.replace(manifest, rows=tuple(rows), labels=Labels({TAGS: tags}))


def _words(texts: Sequence[str]) -> set[str]:
    counts = Counter(word for text in texts for word in set(words_of(text)))
    enough = min(_ENOUGH, len(texts))
    return {
        word
        for word, count in counts.items()
        if count >= enough and len(word) >= _SHORTEST and word not in _FUNCTION_WORDS and word != NONE
    }
