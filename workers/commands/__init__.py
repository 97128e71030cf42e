"""The commands ``up``, ``worker``, ``doctor`` and ``demo``; each module is cheap to import."""
