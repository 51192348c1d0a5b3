"""The networks: encoders of modalities, what fuses them, and what classifies."""
