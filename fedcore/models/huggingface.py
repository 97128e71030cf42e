"""Any text model of the transformers library, as a function of its parameters.

The task decides the head: the next token takes a causal language model, anything else a sequence
classifier. Weights are float32, whatever was published. Modules are never put into training mode:
dropout would draw from a global generator, and a run must depend on its seed alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from fedcore.data.pretrained import PretrainedTokenizer, Published
from fedcore.errors import ModelError
from fedcore.models.base import MODELS, DataShape, ParameterInfo
from fedcore.products import wide_products
from fedcore.spec.models import HuggingFaceModelSpec
from fedcore.spec.tasks import TaskName

_PROBLEM_TYPES = {
    TaskName.CLASSIFICATION: "single_label_classification",
    TaskName.REGRESSION: "regression",
    TaskName.MULTI_LABEL: "multi_label_classification",
}


@MODELS.implements(HuggingFaceModelSpec)
@dataclass(frozen=True, eq=False)
class HuggingFaceModel:
    """A classifier or a causal language model, by the task of the data."""

    spec: HuggingFaceModelSpec
    data: DataShape

    def __post_init__(self) -> None:
        config = self._config
        longest = getattr(config, "max_position_embeddings", None)
        if longest is not None and self.data.input_shape[0] > longest:
            raise ModelError(
                f"{self.spec.path!r} reads at most {longest} tokens, not "
                f"{self.data.input_shape[0]}",
                field="dataset.length",
                fix=f"Set dataset.length to at most {longest}.",
            )
        if self.data.num_tokens > config.vocab_size:
            raise ModelError(
                f"the tokenizer of {self.spec.path!r} has {self.data.num_tokens} tokens and the "
                f"model knows {config.vocab_size}",
                field="model.path",
                fix="Use a model and a tokenizer that belong together.",
            )

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return the parameters under their names in the library; shared ones appear once."""
        return {
            name: ParameterInfo(tuple(parameter.shape))
            for name, parameter in self._skeleton.named_parameters()
        }

    def initial(self, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Return the published weights, or random ones; a new head is always random.

        Raises:
            ModelError: If there are no weights as safetensors, or they do not fit.
        """
        seed = int(torch.randint(2**31, (), generator=generator))
        # The library draws from the global generator; it is put back as it was.
        with torch.random.fork_rng(devices=[]), self._published.explained():
            torch.manual_seed(seed)
            module = self._load() if self.spec.pretrained else self.make_module()
        return {name: parameter.detach() for name, parameter in module.named_parameters()}

    def head(self) -> tuple[str, ...]:
        """Return the parameters outside the body: none if the output is the embedding."""
        body = f"{self._family_prefix}."
        return tuple(name for name in self.parameters() if not name.startswith(body))

    @property
    def _family_prefix(self) -> str:
        return str(self._skeleton.base_model_prefix)

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return logits for tokens ``x`` of shape (n, tokens).

        The shape is (n, classes), or (n, tokens, vocabulary) for the next token.
        """
        return self.run(self._skeleton, params, x)

    def run(self, module: nn.Module, tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the logits of a module that was made of this model, given its tensors."""
        is_token = x >= 0
        inputs: dict[str, Any] = {
            "input_ids": torch.where(is_token, x, self._config.pad_token_id).long(),
            "attention_mask": is_token.long(),
        }
        if self.data.task is TaskName.NEXT_TOKEN:
            inputs["use_cache"] = False
        with wide_products():
            output: Any = functional_call(module, dict(tensors), (), inputs)
        logits: Tensor = output.logits
        return logits

    def describe(self, folder: Path) -> list[Path]:
        """Write config and tokenizer, so that the library can load the folder, and return them.

        Raises:
            OSError: If they cannot be written.
        """
        before = set(folder.iterdir())
        self._config.save_pretrained(folder)
        PretrainedTokenizer(self._published).inner.save_pretrained(folder)
        return sorted(set(folder.iterdir()) - before)

    @property
    def _published(self) -> Published:
        return Published.of(self.spec.path, self.spec.revision)

    @cached_property
    def _config(self) -> Any:
        from transformers import AutoConfig  # noqa: PLC0415  (seconds, seldom needed)

        options: dict[str, Any] = {}
        if self.data.task is not TaskName.NEXT_TOKEN:
            options = {
                "num_labels": self.data.num_classes,
                "problem_type": _PROBLEM_TYPES[self.data.task],
            }
        with self._published.explained():
            config = AutoConfig.from_pretrained(**self._published.arguments(), **options)
        if config.pad_token_id is None:
            end = config.eos_token_id
            config.pad_token_id = end[0] if isinstance(end, list) else end or 0
        return config

    @property
    def _family(self) -> Any:
        from transformers import (  # noqa: PLC0415
            AutoModelForCausalLM,
            AutoModelForSequenceClassification,
        )

        is_next = self.data.task is TaskName.NEXT_TOKEN
        return AutoModelForCausalLM if is_next else AutoModelForSequenceClassification

    @cached_property
    def _skeleton(self) -> nn.Module:
        """The module with its constants and without its weights, which are given to every call."""
        with torch.random.fork_rng(devices=[]), self._published.explained():
            return without_weights(self.make_module())

    def make_module(self) -> Any:
        """Return the library's module with random weights, from the global generator."""
        # Eager attention, because torch.func cannot transform the fused kernels.
        return self._family.from_config(
            self._config,
            trust_remote_code=False,
            attn_implementation="eager",
            dtype=torch.float32,
        )

    def _load(self) -> Any:
        from transformers.utils import logging  # noqa: PLC0415

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        return self._family.from_pretrained(
            **self._published.arguments(),
            config=self._config,
            use_safetensors=True,
            # A head that was published for other labels starts anew, like one that was not.
            ignore_mismatched_sizes=True,
            attn_implementation="eager",
            dtype=torch.float32,
        )


def without_weights(module: nn.Module) -> nn.Module:
    """Return a module that keeps its constants, and is given its weights at every call."""
    empty: dict[int, nn.Parameter] = {}
    for name, parameter in list(module.named_parameters(remove_duplicate=False)):
        path, _, last = name.rpartition(".")
        if id(parameter) not in empty:  # what is shared stays shared
            empty[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="meta"))
        module.get_submodule(path).register_parameter(last, empty[id(parameter)])
    return module.eval()
