"""Labelled clips as data: manifests, checks, splits, the cache of prepared clips, augmentation."""
