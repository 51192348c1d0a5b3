"""Learning words: from clips with sentences to the common space of both."""
