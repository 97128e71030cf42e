"""Measurements, each beside a physical limit or a peer in the same run; see ``make bench``."""
