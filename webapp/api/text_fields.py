"""Text that people give things as names."""

from __future__ import annotations

import unicodedata
from typing import Any

from rest_framework import serializers

#: Marks that make text read in another order than it is stored in.
_REORDERING = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
_CONTROL = {"Cc", "Zl", "Zp"}
_INVISIBLE = {*_CONTROL, "Cf", "Zs"}


class NameField(serializers.CharField):
    """A name on one line: it ends up in headers, mails, logs and names of files."""

    def to_internal_value(self, data: Any) -> str:
        name = str(super().to_internal_value(data))
        kinds = {unicodedata.category(letter) for letter in name}
        if kinds & _CONTROL or _REORDERING & {*name}:
            raise serializers.ValidationError(
                "A name is one line of text, without control characters."
            )
        if name and kinds <= _INVISIBLE:
            raise serializers.ValidationError("A name needs a character that can be seen.")
        return name
