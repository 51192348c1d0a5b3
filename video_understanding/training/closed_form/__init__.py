"""Closed forms: linear classifiers on pooled frozen features, solved at once, chosen by leaving whole groups out."""
