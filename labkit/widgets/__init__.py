"""What is worked by hand in a notebook.

controls.py     the one door to ipywidgets: knobs with a label and a place for what is wrong with them
asking.py       the panel of who asks
between.py      the panel of what stands between
answering.py    the panel of who answers
results.py      pictures, differences and the history as HTML
tried.py        the panel of the history
running.py      one real run at a time, bounded
display.py      outputs of a cell, the one door to IPython
live.py         a plot that is drawn again while it is measured, `labkit.LivePlot()`
inspector.py    the inspector, `labkit.inspect(trace)`; page.py is one without a notebook, twin.py what is saved of it
keeping.py      the record saved from the browser, and taken in again
workbench.py    the panels and knobs together: `labkit.Workbench()`
"""
