"""Media files in, clips out: reading, windows, camera, and clips the project makes itself."""
