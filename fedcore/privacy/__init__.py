"""Differential privacy and secure sums: what keeps the promises of a spec's section ``privacy``.

``accounts`` says what noise promises, ``clients`` protects a client with all its data, ``examples``
each single example, and ``sealing`` lets the server see sums alone.
"""
