"""SQLite in a file that many threads of a process write to; Django looks for `base` here."""
