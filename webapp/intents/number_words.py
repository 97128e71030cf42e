"""Words for numbers in the languages that prompts come in."""

from __future__ import annotations

from dataclasses import dataclass, field


def _table(words: str, *, start: int = 0, step: int = 1) -> dict[str, int]:
    """Return the words, alternatives parted by ``|``, numbered from ``start``."""
    return {
        word: start + step * place
        for place, names in enumerate(words.split())
        for word in names.split("|")
    }


@dataclass(frozen=True)
class NumberWords:
    """How a language writes numbers.

    Attributes:
        small: Words that are added: units, teens, tens.
        scales: Words that multiply what stands before them: hundred, thousand.
        parts: Words for one part of so many: half, third, quarter.
        joiners: Words inside a number: and.
        articles: Words that mean one before a scale or a part only.
        point: Words between whole number and decimals.
        minus: Words for a negative exponent.
        power: Phrases between a number and its power of ten.
        one_in: Words of "one in ten".
        only: Words after an article that make it a number: a single, une seule.
    """

    small: dict[str, int]
    scales: dict[str, int]
    parts: dict[str, int]
    joiners: frozenset[str] = frozenset()
    articles: frozenset[str] = frozenset()
    point: frozenset[str] = frozenset()
    minus: frozenset[str] = frozenset({"-", "minus"})
    power: tuple[tuple[str, ...], ...] = ()
    one_in: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    whole: dict[str, float] = field(default_factory=dict)


_EN_TENS = "twenty thirty forty|fourty fifty sixty seventy eighty ninety"
_EN_PARTS = "third fourth|quarter fifth sixth seventh eighth ninth tenth"

ENGLISH = NumberWords(
    small={
        **_table("zero one|single two three four five six seven eight nine ten eleven twelve"),
        **_table("thirteen fourteen fifteen sixteen seventeen eighteen nineteen", start=13),
        **_table(_EN_TENS, start=20, step=10),
    },
    scales={"hundred": 100, "thousand": 1000, "million": 10**6, "dozen": 12},
    parts={
        **_table(_EN_PARTS, start=3),
        **{f"{word}s": size for word, size in _table(_EN_PARTS, start=3).items()},
        "half": 2,
        "halves": 2,
        "hundredth": 100,
        "thousandth": 1000,
        "hundredths": 100,
        "thousandths": 1000,
        "twentieth": 20,
    },
    joiners=frozenset({"and"}),
    articles=frozenset({"a", "an"}),
    point=frozenset({"point"}),
    minus=frozenset({"-", "minus", "negative"}),
    power=(("times", "ten", "to", "the"), ("times", "ten", "to", "the", "power", "of")),
    one_in=frozenset({"in"}),
    only=frozenset({"single", "sole"}),
)


def _german() -> dict[str, int]:
    """Return every German number below a thousand, each of which is one word."""
    units = "null ein zwei|zwo drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn"
    small = _table(units) | _table(
        "vierzehn funfzehn sechzehn siebzehn achtzehn neunzehn", start=14
    )
    tens = _table(
        "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig", start=20, step=10
    )
    below_ten = {word: value for word, value in small.items() if value in range(1, 10)}
    found = small | tens | {"eins": 1, "einzige": 1, "einzigen": 1}
    for unit, value in below_ten.items():
        found |= {f"{unit}und{ten}": value + size for ten, size in tens.items()}
    del found["ein"]
    hundreds = {f"{unit}hundert": value * 100 for unit, value in below_ten.items()}
    hundreds["hundert"] = 100
    rest = dict(found) | {"": 0}
    for hundred, size in hundreds.items():
        found |= {f"{hundred}{word}": size + value for word, value in rest.items()}
        found |= {f"{hundred}und{word}": size + value for word, value in rest.items() if word}
    return found


_DE_PARTS = "drittel viertel funftel sechstel siebtel achtel neuntel zehntel"

GERMAN = NumberWords(
    small=_german(),
    scales={"tausend": 1000, "million": 10**6, "millionen": 10**6, "dutzend": 12},
    parts={
        **_table(_DE_PARTS, start=3),
        "halfte": 2,
        "halbe": 2,
        "hundertstel": 100,
        "tausendstel": 1000,
        "zwanzigstel": 20,
    },
    articles=frozenset({"ein", "eine", "einem", "einen", "einer"}),
    point=frozenset({"komma", "punkt"}),
    power=(("mal", "zehn", "hoch"),),
    one_in=frozenset({"von"}),
    only=frozenset({"einzige", "einziger", "einzigen", "einziges", "einzelne"}),
    whole={"anderthalb": 1.5, "eineinhalb": 1.5, "zweieinhalb": 2.5},
)

_FR_SMALL = "zero un|une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze"
_FR_PARTS = "cinquieme sixieme septieme huitieme neuvieme dixieme"

FRENCH = NumberWords(
    small={
        **_table(f"{_FR_SMALL} quinze seize"),
        **_table("vingt|vingts trente quarante cinquante soixante", start=20, step=10),
        "septante": 70,
        "huitante": 80,
        "octante": 80,
        "nonante": 90,
    },
    scales={"cent": 100, "cents": 100, "mille": 1000, "million": 10**6, "douzaine": 12},
    parts={
        "tiers": 3,
        "quart": 4,
        "quarts": 4,
        "moitie": 2,
        "demi": 2,
        **_table(_FR_PARTS, start=5),
        **{f"{word}s": size for word, size in _table(_FR_PARTS, start=5).items()},
        "centieme": 100,
        "millieme": 1000,
        "vingtieme": 20,
    },
    joiners=frozenset({"et"}),
    articles=frozenset({"un", "une"}),
    point=frozenset({"virgule"}),
    minus=frozenset({"-", "moins"}),
    power=(("fois", "dix", "puissance"), ("fois", "dix", "a", "la", "puissance")),
    one_in=frozenset({"sur"}),
    only=frozenset({"seul", "seule", "unique"}),
)

_ES_SMALL = "cero uno|un|una dos tres cuatro cinco seis siete ocho nueve diez once doce trece"
_ES_PARTS = "quinto|quinta sexto|sexta septimo|septima octavo|octava noveno|novena decimo|decima"

SPANISH = NumberWords(
    small={
        **_table(f"{_ES_SMALL} catorce quince dieciseis diecisiete dieciocho diecinueve veinte"),
        **_table("veintiuno|veintiun veintidos veintitres veinticuatro veinticinco", start=21),
        **_table("veintiseis veintisiete veintiocho veintinueve treinta", start=26),
        **_table("cuarenta cincuenta sesenta setenta ochenta noventa", start=40, step=10),
        **_table(
            "doscientos trescientos cuatrocientos quinientos seiscientos", start=200, step=100
        ),
        **_table("setecientos ochocientos novecientos", start=700, step=100),
    },
    scales={"cien": 100, "ciento": 100, "mil": 1000, "millon": 10**6, "docena": 12},
    parts={
        "tercio": 3,
        "tercios": 3,
        "tercera": 3,
        "cuarto": 4,
        "cuarta": 4,
        "cuartos": 4,
        "mitad": 2,
        "medio": 2,
        "centesima": 100,
        "milesima": 1000,
        **_table(_ES_PARTS, start=5),
    },
    joiners=frozenset({"y"}),
    articles=frozenset({"un", "una"}),
    point=frozenset({"coma", "punto"}),
    minus=frozenset({"-", "menos"}),
    power=(("por", "diez", "elevado", "a"), ("por", "diez", "a", "la")),
    one_in=frozenset({"de"}),
    only=frozenset({"solo", "sola", "unico", "unica"}),
)

#: Which one of several, after a word such as "every": the third round, jeder zehnte Client.
ORDINALS = {
    **_table("other|second third fourth fifth sixth seventh eighth ninth tenth", start=2),
    **_table("zweite dritte vierte funfte sechste siebte achte neunte zehnte", start=2),
    **_table("zweiter dritter vierter funfter sechster siebter achter neunter zehnter", start=2),
    **_table("zweites drittes viertes funftes sechstes siebtes achtes neuntes zehntes", start=2),
    **_table("zweiten dritten vierten funften sechsten siebten achten neunten zehnten", start=2),
    "twentieth": 20,
    "zwanzigste": 20,
    "zwanzigsten": 20,
    "hundredth": 100,
    "hundertste": 100,
}

#: Digits and scales of Chinese numbers, read by ``chinese_number``.
CHINESE_DIGITS = {
    **_table("零 一 二 三 四 五 六 七 八 九"),
    "〇": 0,
    "两": 2,
}
CHINESE_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000}


def chinese_number(text: str) -> float | None:
    """Return the number that these characters write, such as 一百二十 or 零点五."""
    whole, point, decimals = text.partition("点")
    value = _chinese_whole(whole)
    if value is None or not point:
        return value
    digits = [CHINESE_DIGITS.get(char) for char in decimals]
    if not digits or None in digits:
        return None
    return float(f"{value}.{''.join(map(str, digits))}")


def _chinese_whole(text: str) -> int | None:
    total, group, digit = 0, 0, None
    for char in text:
        if char in CHINESE_DIGITS:
            digit = CHINESE_DIGITS[char]
        elif char == "万":
            total, group, digit = (total + group + (digit or 0)) * 10_000, 0, None
        elif char in CHINESE_SCALES:
            group += (1 if digit is None else digit) * CHINESE_SCALES[char]
            digit = None
        else:
            return None
    return total + group + (digit or 0) if text else None


NUMBER_WORDS = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH}
