"""How raw inputs become model inputs, beyond scaling: text and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from torch import Tensor

from fedcore.data.dataset import Preparation, Scaling
from fedcore.data.tabular import TableEncoder
from fedcore.data.tokenizers import Tokenizer, pad, tokenizer_from_json


@dataclass(frozen=True)
class TextPreparation:
    """Text as tokens of one length."""

    tokenizer: Tokenizer
    length: int

    def apply(self, raw: Sequence[str]) -> Tensor:
        """Return the tokens of each text, shape (n, length), int32."""
        return pad(list(self.tokenizer.encode_whole(raw, self.length)), self.length)

    def to_json(self) -> dict[str, Any]:
        """Return the tokenizer and the length."""
        return {"kind": "text", "tokenizer": self.tokenizer.to_json(), "length": self.length}


@dataclass(frozen=True)
class TokenPreparation:
    """Lists of tokens cut or padded to one length."""

    length: int

    def apply(self, raw: Sequence[Sequence[int]]) -> Tensor:
        """Return the tokens, shape (n, length), int32."""
        return pad(raw, self.length)

    def to_json(self) -> dict[str, Any]:
        """Return the length."""
        return {"kind": "tokens", "length": self.length}


@dataclass(frozen=True)
class TablePreparation:
    """Rows of a table as vectors."""

    encoder: TableEncoder

    def apply(self, raw: Mapping[str, Sequence[Any]]) -> Tensor:
        """Return the rows as vectors, shape (n, features), float32.

        Args:
            raw: Values by column; None where one is missing.

        Raises:
            DatasetError: If a column has values of another type than in training.
            KeyError: If a column is missing.
        """
        return self.encoder.encode(pa.table(dict(raw)))

    def to_json(self) -> dict[str, Any]:
        """Return the columns."""
        return {"kind": "table", **self.encoder.to_json()}


def preparation_from_json(data: Mapping[str, Any]) -> Preparation:
    """Return the preparation that ``to_json`` described.

    Raises:
        ValueError: If it describes none.
    """
    kind = data.get("kind")
    if kind == "scaling":
        return Scaling(data["divisor"], data["mean"], data["std"])
    if kind == "text":
        return TextPreparation(tokenizer_from_json(data["tokenizer"]), int(data["length"]))
    if kind == "tokens":
        return TokenPreparation(int(data["length"]))
    if kind == "table":
        return TablePreparation(TableEncoder.from_json(data))
    raise ValueError(f"there is no preparation {kind!r}")
