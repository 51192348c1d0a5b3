"""What is measured beside ours: other packages as their guides teach them, and other networks."""
