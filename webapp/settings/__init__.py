"""Django settings: ``base`` runs embedded or as a server, ``production`` and ``test`` build on it."""
