"""Sentences in, checked drafts of runs and sweeps out; nothing here launches anything."""
