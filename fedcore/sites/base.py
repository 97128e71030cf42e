"""Base of all messages, and the types that their fields have."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

#: Longest text that one side shows of the other.
MAX_TEXT = 500


def printable(text: str) -> str:
    """Return text without control characters.

    Raises:
        ValueError: If it holds one: it will be shown in a log, a table and a terminal.
    """
    if not text.isprintable():
        raise ValueError("must not hold control characters")
    return text


def shortened(text: str) -> str:
    """Return text that fits a message: printable, and no longer than one side shows."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return clean if len(clean) <= MAX_TEXT else f"{clean[: MAX_TEXT - 3]}..."


Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(printable)]
Name = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(printable)]
#: Names a rule by its place in the site's policy, such as ``max_work.rounds``.
RuleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,119}$")]
#: Names a data set on its site, and in a spec; fit for a file name and a command line.
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
#: An Ed25519 or X25519 public key, a seed's commitment: 32 bytes as hexadecimal digits.
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
#: The same, or nothing where a key was not noted.
Hex32OrNothing = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{64})?$")]
#: An Ed25519 signature: 64 bytes as hexadecimal digits.
Hex64 = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
Time = AwareDatetime


class Asked(BaseModel):
    """What a site sends: nothing that is not known is let in."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Answer(BaseModel):
    """What the server sends: a newer server may say more, which an older site passes over."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
