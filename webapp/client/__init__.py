"""A small typed client of the REST API, and the commands built on it; knows no Django."""

from webapp.client.api import Client
from webapp.client.errors import ClientError
from webapp.client.models import Event, Failure, Job, RoundRow, Run

__all__ = ["Client", "ClientError", "Event", "Failure", "Job", "RoundRow", "Run"]
