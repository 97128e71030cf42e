"""What runs outside the web process: workers that train, upkeep, and the processes' supervisor."""
