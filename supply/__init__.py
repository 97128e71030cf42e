"""Locking, auditing and listing what the project is built from."""
