"""What people call settings and how they join them, language by language.

Kinds are not here: their titles and synonyms stand beside them in ``fedcore.spec``. So do settings
of a kind, which are known by their names; what is here are the words that need another language,
or that mean more than a name.
"""

from webapp.intents.vocabulary import chinese, english, french, german, spanish
from webapp.intents.vocabulary.base import Vocabulary

VOCABULARIES: dict[str, Vocabulary] = {
    "en": english.VOCABULARY,
    "de": german.VOCABULARY,
    "fr": french.VOCABULARY,
    "es": spanish.VOCABULARY,
    "zh": chinese.VOCABULARY,
}

__all__ = ["VOCABULARIES", "Vocabulary"]
