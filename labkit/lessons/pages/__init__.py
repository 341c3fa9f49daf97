"""Notebooks as pages of their own: one HTML file each, with everything in it, for a room without a network."""
