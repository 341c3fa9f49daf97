"""Traces as files: JSON Lines, the lab's own form."""
