"""Rounds per second beside other simulators, aggregation beside a loop, cost as clients grow.

``python -m benchmarks.speed`` (or ``make bench``) runs everything and writes the tables into
``docs/benchmarks.md``; ``make bench-peers`` installs the other simulators first. A peer that is not
installed is named as absent.
"""
