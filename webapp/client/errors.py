"""The one error of the client: what the server answered, or that it did not answer."""

from __future__ import annotations


class ClientError(Exception):
    """A request was refused or the server could not be reached.

    ``code`` is the server's, or ``unreachable``; ``fields`` maps a path to what is wrong with it.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "error",
        status: int | None = None,
        fields: dict[str, list[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.fields = fields or {}

    @property
    def is_unreachable(self) -> bool:
        """Whether asking again later may help: no answer, or a server that is starting."""
        return self.code == "unreachable"
