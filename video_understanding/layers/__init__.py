"""The project's own Keras layers; each keeps, saves and restores what it was made with."""
