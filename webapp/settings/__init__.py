"""Django settings: ``base`` for both modes; ``production`` and ``test`` build on it."""
