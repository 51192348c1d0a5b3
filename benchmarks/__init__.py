"""Measurements of the program against others that do the same work."""
