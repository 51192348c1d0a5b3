"""Faces in frames, by NumPy alone: what a detector returns, crops of faces, and faces followed over time."""
