"""Published models and their tokenizers: where they lie, and how their tokenizers read text.

A folder inside the models folder comes first, then the Hugging Face hub. No code of a model's own
is ever run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from fedcore.data.hub import hash_files
from fedcore.data.tokenizers import Tokenizer
from fedcore.environment import Folders
from fedcore.errors import ModelError

FIELD = "model.path"
_TEXTS_AT_A_TIME = 1000
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".onnx", ".gguf")


@dataclass(frozen=True)
class Published:
    """A model as a spec names it.

    Attributes:
        path: Hub id, or a folder in the models folder.
        revision: Branch, tag or commit on the hub; None for the newest.
        folder: The models folder; None to use the hub alone.
    """

    path: str
    revision: str | None
    folder: Path | None

    @classmethod
    def of(cls, path: str, revision: str | None) -> Published:
        """Return a model in the models folder that the environment names, or on the hub."""
        return cls(path, revision, Folders.from_environment().models)

    def find_local(self) -> Path | None:
        """Return the folder of a local copy, if there is one.

        Raises:
            ModelError: If it leads outside the models folder.
        """
        if self.folder is None or not (self.folder / self.path).is_dir():
            return None
        found = (self.folder / self.path).resolve()
        if not found.is_relative_to(self.folder.resolve()):
            raise ModelError(
                f"{self.path!r} leads outside the models folder",
                field=FIELD,
                fix="Copy the model into the models folder; links out of it are not followed.",
            )
        return found

    def arguments(self) -> dict[str, Any]:
        """Return how ``from_pretrained`` is called for this model.

        Raises:
            ModelError: If a local copy leads outside the models folder.
        """
        local = self.find_local()
        return {
            "pretrained_model_name_or_path": self.path if local is None else str(local),
            "revision": self.revision or "main",
            "local_files_only": local is not None,
            "trust_remote_code": False,
        }

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn whatever goes wrong while reading into one error that says what to do."""
        from safetensors import SafetensorError  # noqa: PLC0415

        try:
            yield
        except (OSError, ValueError, LookupError, ImportError, RuntimeError, SafetensorError) as e:
            raise ModelError(
                f"cannot read the model {self.path!r}: {type(e).__name__}: {e}",
                field=FIELD,
                fix="Check the id, or put its config, tokenizer and safetensors files into a "
                "folder of this name in the folder that ROUNDHOUSE_MODELS_DIR names.",
            ) from e


@dataclass(frozen=True)
class PretrainedText:
    """The tokenizer of a published model, loaded when text has to be read."""

    model: Published

    def key(self) -> str:
        """Return a hash of the files that are no weights, or the hub id.

        Raises:
            ModelError: If they cannot be read.
        """
        release = f"tokenizers {version('tokenizers')}"
        with self.model.explained():
            local = self.model.find_local()
            if local is None:
                return f"{release}|hub {self.model.path}|{self.model.revision}"
            files = (file for file in local.iterdir() if file.is_file())
            read = sorted(file for file in files if file.suffix not in _WEIGHTS)
            return f"{release}|files {hash_files(read)}"

    def load(self) -> Tokenizer:
        """Return the tokenizer."""
        return PretrainedTokenizer(self.model)


@dataclass(frozen=True, eq=False)
class PretrainedTokenizer:
    """A tokenizer of the transformers library, read when it is first used."""

    model: Published

    @cached_property
    def inner(self) -> Any:
        """The library's object.

        Raises:
            ModelError: If it cannot be read.
        """
        with self.model.explained():
            from transformers import AutoTokenizer  # noqa: PLC0415  (seconds, seldom needed)

            return AutoTokenizer.from_pretrained(**self.model.arguments())

    @property
    def size(self) -> int:
        """Number of tokens, those that were added included."""
        return len(self.inner)

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Yield the bare tokens of each text."""
        yield from self._encode(texts, add_special_tokens=False)

    def encode_whole(self, texts: Iterable[str], length: int) -> Iterator[list[int]]:
        """Yield at most ``length`` tokens of each text, its start and end marked."""
        yield from self._encode(texts, truncation=True, max_length=length)

    def to_json(self) -> dict[str, Any]:
        """Return the name of the model."""
        return {"kind": "pretrained", "path": self.model.path, "revision": self.model.revision}

    def _encode(self, texts: Iterable[str], **options: Any) -> Iterator[list[int]]:
        waiting = iter(texts)
        while some := list(islice(waiting, _TEXTS_AT_A_TIME)):
            yield from self.inner(some, verbose=False, **options)["input_ids"]
