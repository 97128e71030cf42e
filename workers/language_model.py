"""A causal language model that can only write answers: its decoding is held to their schema.

The grammar comes from the llguidance library: before each token it says which ones can still lead
to an answer of the schema, and every other token is ruled out. Where only one text is possible, it
is written without asking the model. When the room is used up, the tokens that close what is open
come first, so that every answer ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

from fedcore.data.pretrained import Published
from fedcore.environment import Folders
from fedcore.errors import ModelError
from fedcore.spec import RunSpec
from webapp.intents.decoding import decoding_schema
from webapp.intents.local import NoAnswerError
from webapp.intents.model_answers import instructions, request_text

#: Tokens of an answer before it is brought to an end, and for bringing it there.
ROOM, CLOSING_ROOM = 400, 400
#: Texts that end what is open, the most closing first; digits end a number that has just begun.
_CLOSING = ("}", "]", '"', ",", "n", "l", *"123456789", "0", ".")
#: File that a tuned model has: it knows its task and needs no instructions.
TUNED_MARK = "roundhouse-intents.json"


@dataclass(frozen=True)
class LanguageModel:
    """A model that writes one answer at a time.

    Attributes:
        path: Folder in the models folder, or hub id.
        revision: Branch, tag or commit on the hub.
        room: Tokens of an answer before it is brought to an end.
        timeout_s: Seconds for one answer.
    """

    path: str
    revision: str | None = None
    room: int = ROOM
    timeout_s: float = 120.0

    def complete(self, prompt: str, current: RunSpec | None = None) -> str:
        """Return what the model writes about a sentence: JSON of the schema of answers.

        Raises:
            NoAnswerError: If there is no time or no room left for a whole answer.
            ModelError: If the model cannot be read.
        """
        begun = monotonic()
        tokens = self._prompt_tokens(prompt, current)
        longest = getattr(self._model.config, "max_position_embeddings", None)
        if longest is not None and len(tokens) + self.room + CLOSING_ROOM > longest:
            raise NoAnswerError(f"the model reads {longest} tokens, too few for this prompt")
        with torch.inference_mode():
            return self._write(tokens, lambda: monotonic() - begun > self.timeout_s)

    def _write(self, tokens: list[int], is_late: Callable[[], bool]) -> str:
        matcher = LLMatcher(self._words, self._grammar)
        mask = allocate_token_bitmask(1, self._words.vocab_size)
        written: list[int] = []
        pending, past = list(tokens), None
        while not matcher.is_stopped():
            if is_late() or len(written) > self.room + CLOSING_ROOM:
                raise NoAnswerError("the model took too long")
            forced = matcher.compute_ff_tokens()
            if not forced:
                fill_next_token_bitmask(matcher, mask, 0)
                output: Any = self._model(
                    input_ids=torch.tensor([pending]), past_key_values=past, use_cache=True
                )
                past, pending = output.past_key_values, []
                forced = [self._choose(output.logits[0, -1], mask[0], len(written))]
            matcher.consume_tokens(forced)
            written += forced
            pending += forced
        if error := matcher.get_error():
            raise NoAnswerError(error)
        return self._text(written)

    def _choose(self, logits: torch.Tensor, mask: np.ndarray, num_written: int) -> int:
        """Return the likeliest token that the grammar allows, or one that closes what is open."""
        bits = np.unpackbits(mask.view(np.uint8), bitorder="little")[: len(logits)]
        allowed = torch.from_numpy(bits.astype(bool))
        if num_written >= self.room:
            for token in (*self._ends, *self._closing):
                if allowed[token]:
                    return token
        return int(torch.where(allowed, logits, -torch.inf).argmax())

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode([t for t in tokens if t not in self._ends]))

    def _prompt_tokens(self, prompt: str, current: RunSpec | None) -> list[int]:
        request = request_text(prompt, current)
        if self._is_tuned:
            return list(self._tokenizer.encode(f"{request}\n", add_special_tokens=False))
        if not self._tokenizer.chat_template:
            text = f"{instructions()}\n{request}\n"
            return list(self._tokenizer.encode(text, add_special_tokens=False))
        messages = [
            {"role": "system", "content": instructions()},
            {"role": "user", "content": request},
        ]
        text = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    @property
    def _published(self) -> Published:
        return Published(self.path, self.revision, Folders.from_environment().models)

    @cached_property
    def _is_tuned(self) -> bool:
        folder = self._published.find_local()
        return folder is not None and (folder / TUNED_MARK).is_file()

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer  # noqa: PLC0415  (seconds, seldom needed)

        with self._published.explained():
            return AutoTokenizer.from_pretrained(**self._published.arguments())

    @cached_property
    def _model(self) -> Any:
        from transformers import AutoModelForCausalLM  # noqa: PLC0415

        with self._published.explained():
            model = AutoModelForCausalLM.from_pretrained(
                **self._published.arguments(), use_safetensors=True
            )
        model.requires_grad_(requires_grad=False)
        return model.train(mode=False)

    @cached_property
    def _words(self) -> LLTokenizer:
        try:
            return from_tokenizer(self._tokenizer, n_vocab=self._model.config.vocab_size)
        except (ValueError, TypeError, AttributeError) as error:
            raise ModelError(
                f"the tokenizer of {self.path!r} cannot be held to a grammar: {error}",
                field="intents_model",
                fix="Use a model with a tokenizer.json and a token that ends texts.",
            ) from error

    @cached_property
    def _grammar(self) -> str:
        grammar = LLMatcher.grammar_from_json_schema(
            json.dumps(decoding_schema()),
            overrides={"coerce_one_of": True, "whitespace_flexible": False},
        )
        return str(grammar)

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        return (int(self._tokenizer.eos_token_id),)

    @cached_property
    def _closing(self) -> tuple[int, ...]:
        found = [self._words.tokenize_str(text) for text in _CLOSING]
        return tuple(tokens[0] for tokens in found if len(tokens) == 1)
