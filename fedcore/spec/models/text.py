"""Models of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field

from fedcore.spec.base import BASIC
from fedcore.spec.data import DatasetInfo
from fedcore.spec.data.custom import HubPath
from fedcore.spec.models.base import ONE_ANSWER, ModelSpec, Width, dense
from fedcore.spec.models.vision import heads_misfit, transformer_block
from fedcore.spec.problems import Problem
from fedcore.spec.tasks import InputKind, TaskName

_TOKENS = (InputKind.TEXT, InputKind.TOKENS)

_SHAKESPEARE: dict[str, Any] = {
    "dataset": {"kind": "shakespeare"},
    "partition": {"kind": "natural"},
}


class CharLstmSpec(ModelSpec):
    """LEAF's network for Shakespeare: an embedding, two LSTM layers of 256, and an output layer."""

    title: ClassVar[str] = "Character LSTM"
    paper: ClassVar[str | None] = "Caldas et al. 2018, LEAF, arXiv:1812.01097"
    synonyms: ClassVar[tuple[str, ...]] = (
        "lstm", "rnn", "recurrent network", "char-rnn", "循环网络", "rekurrentes Netz",
        "réseau récurrent", "red recurrente",
    )  # fmt: skip
    constraints: ClassVar[tuple[str, ...]] = ("predicts the next token of a text",)
    input_kinds: ClassVar[tuple[InputKind, ...]] = _TOKENS
    tasks: ClassVar[tuple[TaskName, ...]] = (TaskName.NEXT_TOKEN,)
    example: ClassVar[dict[str, Any]] = _SHAKESPEARE

    kind: Literal["char_lstm"] = "char_lstm"
    embedding: int = Field(8, ge=1, le=4096, description="Width of a token's embedding.")
    hidden: int = Field(
        256, ge=1, le=8192, description="Width of each LSTM layer.", json_schema_extra=BASIC
    )
    layers: int = Field(2, ge=1, le=8, description="Number of LSTM layers.")

    def num_parameters(self, data: DatasetInfo) -> int | None:
        """Return the embedding, four gates per layer with one bias each, and the output layer."""
        if not data.num_tokens:
            return None
        first = 4 * dense(self.embedding + self.hidden, self.hidden)
        others = 4 * dense(2 * self.hidden, self.hidden) * (self.layers - 1)
        embedding = data.num_tokens * self.embedding
        return embedding + first + others + dense(self.hidden, data.num_classes)


class TinyGptSpec(ModelSpec):
    """A small causal transformer whose output layer is its token embedding."""

    title: ClassVar[str] = "Tiny GPT"
    paper: ClassVar[str | None] = "Radford et al. 2019, Language Models are Unsupervised Learners"
    synonyms: ClassVar[tuple[str, ...]] = ("gpt", "transformer", "small language model", "nanogpt")
    constraints: ClassVar[tuple[str, ...]] = ("predicts the next token of a text",)
    input_kinds: ClassVar[tuple[InputKind, ...]] = _TOKENS
    tasks: ClassVar[tuple[TaskName, ...]] = (TaskName.NEXT_TOKEN,)
    mlp_ratio: ClassVar[int] = 4
    has_head: ClassVar[bool] = False
    example: ClassVar[dict[str, Any]] = _SHAKESPEARE

    kind: Literal["tiny_gpt"] = "tiny_gpt"
    dim: int = Field(64, ge=1, le=4096, description="Width of a token.", json_schema_extra=BASIC)
    depth: int = Field(
        2, ge=1, le=64, description="Number of transformer blocks.", json_schema_extra=BASIC
    )
    heads: int = Field(4, ge=1, le=64, description="Attention heads; they share the width.")

    def num_parameters(self, data: DatasetInfo) -> int | None:
        """Return tokens, positions, blocks and the last norm."""
        if not data.num_tokens:
            return None
        embeddings = (data.num_tokens + data.input_shape[0]) * self.dim
        blocks = self.depth * transformer_block(self.dim, self.mlp_ratio)
        return embeddings + blocks + 2 * self.dim

    def misfits(self, shape: tuple[int, ...]) -> Iterator[Problem]:  # noqa: ARG002
        """Return a problem if heads do not share the width."""
        yield from heads_misfit(self.dim, self.heads)


class DanSpec(ModelSpec):
    """A deep averaging network: the mean of a text's word embeddings, then dense layers."""

    title: ClassVar[str] = "Deep averaging network"
    paper: ClassVar[str | None] = "Iyyer et al. 2015, ACL, Deep Unordered Composition"
    synonyms: ClassVar[tuple[str, ...]] = (
        "text classifier",
        "bag of words",
        "embedding bag",
        "fasttext",
    )
    constraints: ClassVar[tuple[str, ...]] = ("needs text",)
    input_kinds: ClassVar[tuple[InputKind, ...]] = _TOKENS
    example: ClassVar[dict[str, Any]] = {"dataset": {"kind": "banking77"}}

    kind: Literal["dan"] = "dan"
    embedding: int = Field(
        64, ge=1, le=4096, description="Width of a word's embedding.", json_schema_extra=BASIC
    )
    hidden: tuple[Width, ...] = Field(
        (128,), max_length=32, description="Width of each hidden layer; empty for none."
    )

    @property
    def feature_width(self) -> int:
        """Width of what the last layer sees."""
        return self.hidden[-1] if self.hidden else self.embedding

    def num_parameters(self, data: DatasetInfo) -> int | None:
        """Return the embedding and the dense layers."""
        if not data.num_tokens:
            return None
        widths = (self.embedding, *self.hidden, data.num_classes)
        return data.num_tokens * self.embedding + dense(*widths)


class HuggingFaceModelSpec(ModelSpec):
    """Any model of the transformers library for text: a classifier, or a causal language model.

    The task of the data decides which head it gets. A folder of this name in the models folder
    comes first, then the hub. Weights are read from safetensors only, and no code of the model's
    own is run. Dropout is off, so that a run depends on its seed alone.
    """

    title: ClassVar[str] = "Hugging Face model"
    synonyms: ClassVar[tuple[str, ...]] = (
        "hugging face",
        "transformers",
        "bert",
        "gpt-2",
        "pretrained",
        "language model",
    )
    constraints: ClassVar[tuple[str, ...]] = ("needs text, and the hub or a local copy",)
    input_kinds: ClassVar[tuple[InputKind, ...]] = (InputKind.TEXT,)
    tasks: ClassVar[tuple[TaskName, ...]] = (*ONE_ANSWER, TaskName.NEXT_TOKEN)
    has_modules: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {
        "dataset": {"kind": "banking77"},
        "model": {"kind": "huggingface", "path": "distilbert/distilbert-base-uncased"},
    }

    kind: Literal["huggingface"] = "huggingface"
    path: HubPath = Field(
        description="Hub id such as owner/name, or a folder in the models folder.",
        json_schema_extra=BASIC,
    )
    revision: str | None = Field(
        None, max_length=200, description="Branch, tag or commit on the hub; empty is the newest."
    )
    pretrained: bool = Field(
        default=True, description="Start from the published weights, not from random ones."
    )
