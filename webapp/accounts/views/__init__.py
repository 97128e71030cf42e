"""Endpoints of the account: sessions, tokens, projects."""
