"""Measurements, each beside a physical limit or a peer in the same run. ``make bench`` runs them."""
