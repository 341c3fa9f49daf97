"""Variations: what the workbench turns and keeps, as frozen values that can be written as JSON and read again.

variation.py   one setting of every knob
building.py    a variation into a scenario, and what is wrong, by knob
changes.py     what differs between two variations, in words
marking.py     what differs between a prediction and a run, marked with whose doing it is
history.py     the variations that were tried, with what came
presets.py     named ones to begin from
"""
