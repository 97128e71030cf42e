"""A back end behind any endpoint that speaks the OpenAI chat protocol: Ollama, vLLM, a cloud."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from fedcore.spec import RunSpec
from webapp.addresses import LOOPBACK, Network
from webapp.intents.builtin import BuiltinBackend
from webapp.intents.gate import refused_command
from webapp.intents.model_answers import (
    MAX_ANSWER_BYTES,
    WrongAnswerError,
    answer_schema,
    instructions,
    read_answer,
    request_text,
    with_words,
)
from webapp.intents.presenting import declined
from webapp.intents.reading import read
from webapp.intents.results import IntentResult
from webapp.outbound import ForbiddenAddressError, GuardedTransport, cut_off_after
from webapp.request_places import stand_aside

NAME = "openai"
_log = structlog.get_logger(__name__)


class EndpointError(Exception):
    """The endpoint gave no answer that could be tried again at once."""


@dataclass(frozen=True)
class OpenAiBackend:
    """Asks a language model, checks what it says, and falls back to the built-in back end.

    Attributes:
        url: Address of the API, such as ``http://127.0.0.1:11434/v1``; set by an administrator.
        model: Name of the model.
        key: Secret of the API, if it needs one.
        timeout_s: Seconds for the answer, all attempts together.
        attempts: How often a wrong answer is sent back with what is wrong.
        reachable: Networks, not public, that the endpoint may be in.
    """

    url: str
    model: str
    key: str | None = None
    timeout_s: float = 20.0
    attempts: int = 3
    reachable: tuple[Network, ...] = LOOPBACK
    name: str = NAME

    def answer(self, prompt: str, current: RunSpec | None = None) -> IntentResult:
        """Return the model's draft, or the built-in one where the model has none."""
        refusal = refused_command(read(prompt))
        if refusal is not None:
            return declined(refusal, NAME)
        builtin = BuiltinBackend().answer(prompt, current)
        try:
            return with_words(self._ask(prompt, current), builtin)
        except ForbiddenAddressError as error:
            _log.warning("language model not asked", reason=str(error))
        except (EndpointError, WrongAnswerError, httpx.HTTPError) as error:
            _log.warning("language model did not help", reason=type(error).__name__)
        warning = "The language model gave no usable answer; the built-in rules were used."
        return builtin.model_copy(update={"warnings": [*builtin.warnings, warning]})

    def _ask(self, prompt: str, current: RunSpec | None) -> IntentResult:
        deadline = time.monotonic() + self.timeout_s
        stand_aside()
        messages = [
            {"role": "system", "content": instructions()},
            {"role": "user", "content": request_text(prompt, current)},
        ]
        # Compressed, a short answer could become a long one.
        headers = {"Accept-Encoding": "identity"}
        headers |= {"Authorization": f"Bearer {self.key}"} if self.key else {}
        transport = GuardedTransport(self.reachable)
        with (
            httpx.Client(headers=headers, follow_redirects=False, transport=transport) as client,
            cut_off_after(self.timeout_s) as extensions,
        ):
            for attempt in range(1, self.attempts + 1):
                text = self._complete(client, messages, deadline, extensions)
                try:
                    return read_answer(text, current, NAME)
                except WrongAnswerError as error:
                    if attempt == self.attempts:
                        raise
                    messages += [
                        {"role": "assistant", "content": text},
                        {"role": "user", "content": f"{error}\nAnswer again, corrected."},
                    ]
        raise EndpointError

    def _complete(
        self,
        client: httpx.Client,
        messages: list[dict[str, str]],
        deadline: float,
        extensions: dict[str, Any],
    ) -> str:
        """Return the text of one answer, read no longer and no further than is allowed."""
        body = {
            "model": self.model,
            "messages": messages,
            "temperature": 0,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "draft", "schema": answer_schema()},
            },
        }
        address = f"{self.url.rstrip('/')}/chat/completions"
        left = deadline - time.monotonic()
        if left <= 0:
            raise EndpointError("out of time")
        content = bytearray()
        with client.stream(
            "POST", address, json=body, timeout=left, extensions=extensions
        ) as response:
            if response.status_code != httpx.codes.OK:
                raise EndpointError(f"HTTP {response.status_code}")
            for chunk in response.iter_raw():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
                    raise EndpointError("the answer is too long or too slow")
        return _text_of(bytes(content))


def _text_of(content: bytes) -> str:
    try:
        answer: Any = json.loads(content)
        text = answer["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise EndpointError("the answer does not follow the protocol") from error
    if not (isinstance(text, str) and _is_sendable(text)):
        raise EndpointError("the answer has no text")
    return text


def _is_sendable(text: str) -> bool:
    """Return whether a text has no half of a surrogate pair: nothing could be done with it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
