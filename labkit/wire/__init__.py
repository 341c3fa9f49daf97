"""Codecs and tables: bytes in, values out. Standard library alone, no I/O, no state."""
