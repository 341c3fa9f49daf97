"""Measurement: ratios from interleaved rounds, the servers and the load each in a process of their own.

    python -m labkit.bench [--quick] [--json FILE] [NAME …]    the lab against its targets: for who changes it
    labkit bench [STUDY …], labkit.measure("latency")          ways to talk, compared: for who learns

A machine is never quiet, so nothing is measured alone: what is compared takes turns (A B C, C B A, …),
and a ratio is the median of the ratios of each round. How many rounds there were, and between which
values the middle half of them lies, stand beside it. The load is bounded in count and in time, what
comes back is compared with what was sent, and every child process ends with the block that started it.
"""
