"""Endpoints of jobs, runs and specs."""
