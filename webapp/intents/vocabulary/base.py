"""The form of a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Vocabulary:
    """The words of one language; alternatives are parted by ``|``.

    Attributes:
        settings: What a setting is called. A path is a setting of the spec; ``field:alpha`` is
            that setting of whichever kind has it; other names are explained in ``binding``.
        values: Words that stand for a value, by ``path=value``.
        operators: Words that join, deny, correct and compare.
        sections: Nouns for a section, which tell what an ambiguous word near them means.
        units: Units of numbers.
        unknown: Well-known things that no spec can name, by section.
        common: Frequent words: they tell the language, and are never taken for a misspelling.
    """

    settings: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    operators: dict[str, str] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    common: str = ""
