"""Training: from labelled clips to a model that can be resumed, measured and looked at."""
