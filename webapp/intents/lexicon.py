"""What phrases mean: kinds by title and synonyms, settings by name, and the words between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from fedcore.spec.privacy import PROMISES
from webapp.intents.catalogue_fields import direct_settings, entries, kind_settings
from webapp.intents.numerals import NumberReader
from webapp.intents.text import words_of
from webapp.intents.vocabulary import VOCABULARIES, Vocabulary

#: Words of everyday speech that name a kind only beside a noun for its section.
_EVERYDAY = frozenset(
    [
        "random",
        "full",
        "mean",
        "average",
        "all",
        "equal",
        "uniform",
        "sign",
        "half",
        "sparse",
        "binary",
        "latency",
        "hub",
        "datasets",
        "plays",
        "medical",
        "generated",
        "clusters",
        "income",
        "natural",
        "naturliche",
        "naturels",
        "naturales",
        "feature",
        "embedding",
        "quantity",
        "star",
        "linear",
        "cast",
        "everyone",
        "partial",
        "adult",
        "artificial",
        "heart",
        "cyclic",
        "none",
        "hospitals",
        "intents",
        "tabular",
        "upload",
        "clothes",
        "dense",
        "complete",
        "ring",
        "torus",
        "mask",
        "head",
        "bias",
        "adapter",
        "prompt",
        "central",
    ]
)
#: Words that may stand inside the name of a kind.
_ARTICLES = frozenset(
    [
        *("the", "a", "their", "its", "of", "der", "die", "das", "den", "ihre", "ihr"),
        *("le", "la", "les", "l", "leur", "leurs", "el", "los", "las", "su", "sus", "de", "des"),
        *("an", "his", "our", "del", "du", "del", "的", "了", "其"),
    ]
)
_LONGEST = 5
_SHORT, _LONG = 5, 8


class Role(Enum):
    KIND = "kind"
    SETTING = "setting"
    VALUE = "value"
    OPERATOR = "operator"
    SECTION = "section"
    UNIT = "unit"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Meaning:
    """One meaning of a phrase.

    Attributes:
        role: What it is.
        name: ``algorithm/fedprox``, ``local.lr``, ``local.optimizer=adam``, ``not``, ``bytes:1e6``.
        is_weak: Whether it needs a noun for its section beside it.
    """

    role: Role
    name: str
    is_weak: bool = False


Phrase = tuple[str, ...]


class Lexicon:
    """The phrases that one language, English names included, may use."""

    def __init__(self, language: str) -> None:
        self.numbers = NumberReader(language)
        self._phrases: dict[Phrase, list[Meaning]] = {}
        names = ["en"] if language == "en" else ["en", language]
        for name in names:
            for phrase, meaning in _phrases_of(VOCABULARIES[name]):
                self._add(phrase, meaning)
        for words, meaning in _shared():
            self._add_words(words, meaning)
        self._bare = self._without_articles()
        self._starts: dict[str, list[int]] = {}
        for words in self._phrases:
            self._starts.setdefault(words[0], []).append(len(words))
        for start, lengths in self._starts.items():
            self._starts[start] = sorted(set(lengths), reverse=True)
        self._common = frozenset(
            word for name in names for word in words_of(VOCABULARIES[name].common)
        )
        self._known = {word for phrase in self._phrases for word in phrase}
        self._targets = self._by_length(self._known | self.numbers.vocabulary())

    def _add(self, phrase: str, meaning: Meaning) -> None:
        self._add_words(words_of(phrase), meaning)

    def _add_words(self, words: Phrase, meaning: Meaning) -> None:
        if not words:
            return
        found = self._phrases.setdefault(words, [])
        if meaning not in found:
            found.append(meaning)
        joined = ("".join(words),)
        if meaning.role is Role.KIND and joined != words and joined[0].isalpha():
            self._add_words(joined, meaning)

    def _without_articles(self) -> dict[Phrase, list[Meaning]]:
        found: dict[Phrase, list[Meaning]] = {}
        for words, meanings in self._phrases.items():
            kinds = [meaning for meaning in meanings if meaning.role is Role.KIND]
            bare = tuple(word for word in words if word not in _ARTICLES)
            if kinds and len(bare) > 1:
                found.setdefault(bare, []).extend(kinds)
        return found

    @staticmethod
    def _by_length(words: set[str]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for word in sorted(words):
            if len(word) >= _SHORT and word.isalpha():
                found.setdefault(len(word), []).append(word)
        return found

    def match(self, words: Sequence[str], at: int) -> tuple[int, tuple[Meaning, ...]]:
        """Return how many words the longest phrase at ``at`` has, and what it means."""
        for length in self._starts.get(words[at], ()):
            meanings = self._phrases.get(tuple(words[at : at + length]))
            if meanings and length > 1:
                return length, tuple(meanings)
        loose = self._loosely(words, at)
        return loose or self._single(words[at])

    def _single(self, word: str) -> tuple[int, tuple[Meaning, ...]]:
        meanings = self._phrases.get((word,))
        return (1, tuple(meanings)) if meanings else (0, ())

    def _loosely(self, words: Sequence[str], at: int) -> tuple[int, tuple[Meaning, ...]] | None:
        """Return the kind that a phrase with articles in it names: "flips the labels"."""
        if words[at] in _ARTICLES or len(words) < at + 3:
            return None
        kept, place = [words[at]], at + 1
        best = None
        while place < len(words) and len(kept) < _LONGEST:
            if words[place] not in _ARTICLES:
                kept.append(words[place])
                meanings = self._bare.get(tuple(kept))
                best = (place + 1 - at, tuple(meanings)) if meanings else best
            place += 1
        return best

    def is_common(self, word: str) -> bool:
        """Return whether a word is too frequent to be a name."""
        return word in self._common

    def is_known(self, word: str) -> bool:
        """Return whether a word needs no correction."""
        return word in self._known or word in self._common or self.numbers.knows(word)

    @lru_cache(maxsize=4096)  # noqa: B019  (lexicons live as long as the process)
    def corrected(self, word: str) -> str:
        """Return the word that a misspelt one was meant to be, or the word itself."""
        if len(word) < _SHORT - 1 or not word.isalpha() or self.is_known(word):
            return word
        limit = 2 if len(word) >= _LONG and not word.startswith("fed") else 1
        best, best_distance = word, limit + 1
        for length in range(max(_SHORT, len(word) - limit), len(word) + limit + 1):
            for known in self._targets.get(length, ()):
                if known[0] != word[0] and len(word) < _LONG:
                    continue
                distance = OSA.distance(word, known, score_cutoff=best_distance - 1)
                if distance < best_distance:
                    best, best_distance = known, distance
        return best


def _phrases_of(vocabulary: Vocabulary) -> Iterator[tuple[str, Meaning]]:
    tables = {
        Role.SETTING: vocabulary.settings,
        Role.VALUE: vocabulary.values,
        Role.OPERATOR: vocabulary.operators,
        Role.SECTION: vocabulary.sections,
        Role.UNIT: vocabulary.units,
        Role.UNKNOWN: vocabulary.unknown,
    }
    for role, table in tables.items():
        for name, phrases in table.items():
            for phrase in phrases.split("|"):
                yield phrase, Meaning(role, name)


@cache
def _shared() -> tuple[tuple[Phrase, Meaning], ...]:
    """Return the names that the spec gives to its parts, which every language uses."""
    names = (*_kinds(), *_promises(), *_settings())
    return tuple((words_of(phrase), meaning) for phrase, meaning in names)


def _promises() -> Iterator[tuple[str, Meaning]]:
    for promise in PROMISES:
        value = str(promise.value).lower()
        for phrase in (promise.title, *promise.synonyms):
            yield phrase, Meaning(Role.VALUE, f"{promise.path}={value}")


def _kinds() -> Iterator[tuple[str, Meaning]]:
    for entry in entries():
        name = f"{entry.section}/{entry.kind}"
        for phrase in {entry.kind, entry.title, *entry.synonyms}:
            words = words_of(phrase)
            if words and words != ("none",):
                is_weak = len(words) == 1 and words[0] in _EVERYDAY
                yield phrase, Meaning(Role.KIND, name, is_weak)


def _settings() -> Iterator[tuple[str, Meaning]]:
    for path, setting in direct_settings().items():
        yield path, Meaning(Role.SETTING, path)
        yield path.rpartition(".")[2], Meaning(Role.SETTING, path)
        for option in setting.options:
            yield from _option(path, str(option))
    for name, settings in kind_settings().items():
        if not settings[0].is_vague and name not in ("clients",):
            yield name, Meaning(Role.SETTING, f"field:{name}")
        for setting in settings:
            yield setting.path, Meaning(Role.SETTING, f"field:{setting.path}")
            for option in setting.options if setting.type == "string" else ():
                yield from _option(setting.path, str(option))


def _option(path: str, option: str) -> Iterator[tuple[str, Meaning]]:
    name = path.rpartition(".")[2]
    meaning = Meaning(Role.VALUE, f"{path}={option}")
    yield f"{name} {option}", meaning
    yield f"{option} {name}", meaning


@lru_cache(maxsize=len(VOCABULARIES))
def lexicon(language: str) -> Lexicon:
    """Return the lexicon of a language; the first call builds it."""
    return Lexicon(language)


@lru_cache(maxsize=1)
def _word_weights() -> dict[str, dict[str, float]]:
    """Return how much a word tells of each language: most if it is everyday speech of one alone."""
    weights: dict[str, dict[str, float]] = {}
    own = {name: vocabulary for name, vocabulary in VOCABULARIES.items() if name != "zh"}
    speech = {name: _speech(vocabulary) for name, vocabulary in own.items()}
    terms = {name: _terms(vocabulary) - speech[name] for name, vocabulary in own.items()}
    for weight, table in ((3.0, speech), (2.0, terms)):
        for name, words in table.items():
            for word in words:
                shared = sum(word in others for others in speech.values())
                known = weights.setdefault(word, {})
                known[name] = max(known.get(name, 0.0), weight / max(1, shared))
    return weights


def _speech(vocabulary: Vocabulary) -> frozenset[str]:
    return frozenset(words_of(vocabulary.common)) | _words_in(vocabulary.operators)


def _terms(vocabulary: Vocabulary) -> frozenset[str]:
    return _words_in(vocabulary.settings) | _words_in(vocabulary.sections)


def _words_in(table: dict[str, str]) -> frozenset[str]:
    return frozenset(
        word
        for phrases in table.values()
        for phrase in phrases.split("|")
        for word in words_of(phrase)
    )


def language_of(words: Sequence[str]) -> str:
    """Return the language of a prompt: the one that its words tell of most, English if even."""
    if any("\u3400" <= word[:1] <= "\u9fff" for word in words):
        return "zh"
    weights = _word_weights()
    scores = dict.fromkeys((name for name in VOCABULARIES if name != "zh"), 0.0)
    for word in words:
        for name in scores:
            scores[name] += weights.get(word, {}).get(name, 0.0)
            scores[name] += 2 * (not word.isdigit() and number_reader(name).knows(word))
    return max(scores, key=lambda name: (scores[name], name == "en"))


@cache
def number_reader(language: str) -> NumberReader:
    """Return the reader of a language's numbers, which keeps nothing."""
    return NumberReader(language)


def warm_up() -> None:
    """Build what the first prompt in each language needs."""
    language_of(["hello"])
    for language in VOCABULARIES:
        lexicon(language)
