"""Sentences with the specs that they describe, made by grammar from the catalogue.

A sentence is put together from phrases, one for each setting, in one language; kinds are called by
the titles and synonyms of the catalogue, numbers are written in several ways, and some sentences
get the slips of people who type fast. Every phrasing belongs either to training or to testing, so
that what a test asks was never said in training.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from webapp.intents.catalogue_fields import entries
from webapp.intents.corpus_phrases import FRAMES, PHRASES, Language
from webapp.intents.evaluation import spec_of

Split = Literal["train", "test"]
#: Sections whose kinds are named, with the chance that a sentence names one.
_SECTIONS = {"dataset": 0.7, "algorithm": 0.6, "model": 0.3, "aggregation": 0.15}
_VALUES: dict[str, tuple[Any, ...]] = {
    "rounds": tuple(range(2, 301)),
    "partition.clients": tuple(range(2, 201)),
    "local.lr": (0.3, 0.2, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001),
    "local.batch_size": (4, 8, 10, 20, 32, 50, 64, 100, 128),
    "local.epochs": (1, 2, 4, 5, 8, 10),
    "sampling.fraction": (0.1, 0.2, 0.25, 0.3, 0.4, 0.6, 0.75, 0.8),
    "seed": tuple(range(1, 100)),
    "local.momentum": (0.5, 0.8, 0.9, 0.95),
    "system.dropout": (0.05, 0.1, 0.2, 0.3),
    "compression.bits": (2, 3, 4, 6, 8),
}
_SHARES = frozenset({"sampling.fraction", "system.dropout"})
_COMMAS = frozenset({"de", "fr", "es"})
_SLIP_CHANCE = 0.2
_LONGEST_WORD = 4


@dataclass(frozen=True)
class Pair:
    """A sentence, and the settings that it asks for."""

    say: str
    want: dict[str, Any]
    phrasings: frozenset[str]

    def to_json(self) -> str:
        """Return the pair as a line that ``intents evaluate --data`` reads."""
        return json.dumps({"say": self.say, "want": self.want}, ensure_ascii=False)


def pairs(count: int, *, split: Split, seed: int = 0) -> Iterator[Pair]:
    """Yield different sentences, the same ones for the same seed."""
    draw = random.Random(f"{seed}:{split}")  # noqa: S311  (sentences, not secrets)
    seen: set[str] = set()
    while len(seen) < count:
        pair = _pair(draw, split)
        if pair is not None and pair.say not in seen:
            seen.add(pair.say)
            yield pair


def write_corpus(folder: Path, *, train: int, test: int, seed: int = 0) -> dict[str, Path]:
    """Write ``train.jsonl`` and ``test.jsonl`` and return where they lie."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes: dict[Split, int] = {"train": train, "test": test}
    files = {}
    for split, count in sizes.items():
        files[split] = folder / f"{split}.jsonl"
        lines = (pair.to_json() for pair in pairs(count, split=split, seed=seed))
        files[split].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {str(name): file for name, file in files.items()}


def phrasings_of(language: Language, path: str, split: Split) -> tuple[str, ...]:
    """Return how a setting is put into words: the last third of them only in tests."""
    return _part(PHRASES[language][path], split)


def _part(options: tuple[str, ...], split: Split) -> tuple[str, ...]:
    cut = max(1, len(options) - max(1, len(options) // 3))
    return options[:cut] if split == "train" else options[cut:]


@dataclass
class _Sentence:
    """A sentence that is being put together."""

    draw: random.Random
    language: Language
    split: Split
    said: list[str]
    used: set[str]

    def say(self, path: str, value: str) -> None:
        phrase = self.draw.choice(phrasings_of(self.language, path, self.split))
        self.used.add(phrase)
        self.said.append(phrase.format(value))

    def text(self) -> str:
        frame = self.draw.choice(_part(FRAMES[self.language], self.split))
        self.used.add(frame)
        self.draw.shuffle(self.said)
        joint = "，" if self.language == "zh" else ", "
        return _slipped(self.draw, frame.format(joint.join(self.said)))


def _pair(draw: random.Random, split: Split) -> Pair | None:
    language: Language = draw.choice(tuple(PHRASES))
    sentence = _Sentence(draw, language, split, [], set())
    want: dict[str, Any] = {}
    for section, chance in _SECTIONS.items():
        if draw.random() < chance:
            kind, name = _kind(draw, section)
            want[f"{section}.kind"] = kind
            sentence.say(f"{section}.kind", name)
    for path in draw.sample(tuple(_VALUES), draw.randint(1, 4)):
        value = draw.choice(_VALUES[path])
        want |= _wanted(path, value)
        sentence.say(path, _written(draw, language, path, value))
    try:
        spec_of(want)
    except ValidationError:
        return None
    text = sentence.text()
    return Pair(text, want, frozenset(sentence.used))


def _kind(draw: random.Random, section: str) -> tuple[str, str]:
    entry = draw.choice([each for each in entries() if each.section == section])
    return entry.kind, draw.choice([entry.title, entry.title, *entry.synonyms])


def _wanted(path: str, value: Any) -> dict[str, Any]:
    if path == "compression.bits":
        return {"compression.uplink": [{"kind": "quantize", "bits": value}]}
    return {path: value}


def _written(draw: random.Random, language: Language, path: str, value: Any) -> str:
    if path in _SHARES:
        return f"{100 * value:g} %" if draw.random() < 0.5 else f"{100 * value:g}%"  # noqa: PLR2004
    text = f"{value:g}"
    return text.replace(".", ",") if language in _COMMAS else text


def _slipped(draw: random.Random, text: str) -> str:
    """Return a sentence as it is typed in haste: lower case, no stop, two letters exchanged."""
    if draw.random() < _SLIP_CHANCE:
        text = text.lower()
    if draw.random() < _SLIP_CHANCE:
        text = text.rstrip(".。!")
    words = text.split(" ")
    long = [n for n, word in enumerate(words) if word.isalpha() and len(word) > _LONGEST_WORD]
    if long and draw.random() < _SLIP_CHANCE:
        place = draw.choice(long)
        word = words[place]
        at = draw.randrange(1, len(word) - 2)
        words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)
