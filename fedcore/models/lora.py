"""LoRA on models of the transformers library, computed by the peft library's layers.

Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022,
arXiv:2106.09685. Paper to code: A is ``<layer>.lora_A.weight``, shape (r, inputs), uniform within
``1 / sqrt(inputs)`` of zero at the start (Kaiming, a = sqrt(5)); B is ``<layer>.lora_B.weight``,
shape (outputs, r), zero at the start; alpha / r is ``LoraSpec.scale``.

The peft library wraps a module without weights; weights and factors are given to every call, so
one module serves all clients, whatever their ranks. Names are those of the model underneath.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fedcore.errors import ModelError
from fedcore.files import write_atomically
from fedcore.models.adapted import ADAPTATIONS, StartOf
from fedcore.models.base import Model, ParameterInfo, Start, TrainingTensors
from fedcore.models.huggingface import HuggingFaceModel, without_weights
from fedcore.params import Params
from fedcore.spec.models import LoraSpec, PeftSpec
from fedcore.spec.tasks import TaskName
from fedcore.wire.container import header_bytes, info_of, tensor_bytes

_PREFIX = "base_model.model."
_ADAPTER = "default"
ADAPTER_FOLDER = "adapter"
ALL_LINEAR = "all-linear"
_MAX_NAMED = 20
_TASK_TYPES = {TaskName.NEXT_TOKEN: "CAUSAL_LM"}


@dataclass(frozen=True)
class Target:
    """One layer with factors.

    Attributes:
        name: The layer in the model underneath.
        inputs: Columns of A.
        outputs: Rows of B.
        is_transposed: Whether its weight is stored as (inputs, outputs), as GPT-2 does.
    """

    name: str
    inputs: int
    outputs: int
    is_transposed: bool

    @property
    def a(self) -> str:
        """Name of the factor A."""
        return f"{self.name}.lora_A.weight"

    @property
    def b(self) -> str:
        """Name of the factor B."""
        return f"{self.name}.lora_B.weight"

    @property
    def weight(self) -> str:
        """Name of the frozen weight."""
        return f"{self.name}.weight"

    def oriented(self, product: Tensor) -> Tensor:
        """Return a product of shape (outputs, inputs) as the layer stores its weight."""
        return product.mT if self.is_transposed else product


@dataclass(frozen=True, eq=False)
class LoraModel:
    """A frozen transformers model with trained factors and, for a classifier, a trained head."""

    base: HuggingFaceModel
    spec: LoraSpec
    start: Mapping[str, Tensor]

    @cached_property
    def _module(self) -> nn.Module:
        """The peft library's module, without weights."""
        from peft import LoraConfig, get_peft_model  # noqa: PLC0415  (seconds, seldom needed)

        names = self.spec.target_modules
        alpha: Any = self.spec.alpha  # declared as a whole number; a fraction serves as well
        config = LoraConfig(
            task_type=_TASK_TYPES.get(self.base.data.task, "SEQ_CLS"),
            r=self.spec.rank,
            lora_alpha=alpha,
            lora_dropout=self.spec.dropout,
            target_modules=ALL_LINEAR if names == (ALL_LINEAR,) else list(names) or None,
            modules_to_save=sorted({name.split(".")[0] for name in self.base.head()}) or None,
        )
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it has found out what GPT-2 does
            module = self.base.make_module()
            try:
                wrapped = get_peft_model(module, config)
            except ValueError as error:
                raise self._no_target(module) from error
        return without_weights(wrapped)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """The layers with factors, in the order of the model."""
        from peft.tuners.lora import LoraLayer  # noqa: PLC0415

        found = []
        for name, layer in self._module.named_modules():
            if not isinstance(layer, LoraLayer):
                continue
            if _ADAPTER not in layer.lora_A:
                raise self._no_target(self._module)
            found.append(
                Target(
                    name=name.removeprefix(_PREFIX),
                    inputs=int(layer.in_features or 0),
                    outputs=int(layer.out_features or 0),
                    is_transposed=bool(getattr(layer, "fan_in_fan_out", False)),
                )
            )
        missing = [name for name in self.spec.target_modules if not _is_named(name, found)]
        if missing:
            raise self._no_target(self._module)
        return tuple(found)

    @cached_property
    def _infos(self) -> dict[str, ParameterInfo]:
        parameters = self.base.parameters()
        head = {name: parameters[name] for name in self.base.head()}
        return {**self.factor_infos(self.spec.rank), **head}

    @cached_property
    def _places(self) -> dict[str, str]:
        """Where each tensor, by our name for it, belongs in the peft library's module."""
        names = [name for name, _ in self._module.named_parameters()]
        return {_own_name(name): name for name in names if ".original_module." not in name}

    @property
    def draws(self) -> bool:
        """Whether training draws random numbers."""
        return self.spec.dropout > 0

    @property
    def num_frozen(self) -> int:
        """How many numbers are frozen."""
        return sum(t.numel() for name, t in self.start.items() if name not in self._infos)

    def factor_infos(self, rank: int) -> dict[str, ParameterInfo]:
        """Return all factors of some rank, layer by layer."""
        infos: dict[str, ParameterInfo] = {}
        for target in self.targets:
            infos[target.a] = ParameterInfo((rank, target.inputs), target.inputs)
            infos[target.b] = ParameterInfo((target.outputs, rank), rank, Start.ZEROS)
        return infos

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return the factors and the head."""
        return self._infos

    def fresh_factors(self, generator: torch.Generator, rank: int) -> dict[str, Tensor]:
        """Return factors of some rank before training; their products are zero."""
        factors = {}
        for name, info in self.factor_infos(rank).items():
            if info.start is Start.ZEROS:
                factors[name] = torch.zeros(info.shape)
            else:
                bound = 1 / math.sqrt(info.fan_in)
                factors[name] = torch.empty(info.shape).uniform_(-bound, bound, generator=generator)
        return factors

    def initial(self, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Return new factors, and the head as the whole model starts with it."""
        factors = self.fresh_factors(generator, self.spec.rank)
        return {name: factors.get(name, self.start.get(name)) for name in self._infos}  # type: ignore[misc]

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return logits for tokens ``x`` of shape (n, tokens)."""
        for dropout in self._dropouts:
            dropout.training = isinstance(params, TrainingTensors)
        places, known = self._places, {**self._no_factors, **self.start, **params}
        tensors = {places[name]: tensor for name, tensor in known.items()}
        return self.base.run(self._module, tensors, x)

    @cached_property
    def _dropouts(self) -> list[nn.Module]:
        if not self.draws:
            return []
        names = {name for name, _ in self._module.named_modules() if ".lora_dropout." in name}
        return [self._module.get_submodule(name) for name in sorted(names)]

    @cached_property
    def _no_factors(self) -> dict[str, Tensor]:
        """Factors whose products are zero, where none are given: the model underneath alone."""
        device = next(iter(self.start.values())).device
        infos = self.factor_infos(1).items()
        return {name: torch.zeros(info.shape, device=device) for name, info in infos}

    def product(self, target: Target, params: Mapping[str, Tensor]) -> Tensor:
        """Return what the factors add to the weight of a layer, as that is stored."""
        return target.oriented(self.spec.scale * (params[target.b] @ params[target.a]))

    def whole(self, params: Mapping[str, Tensor]) -> Params:
        """Return the model underneath, with the products of the factors added to its weights."""
        known = {**self.start, **params}
        merged = {name: known[name] for name in self.base.parameters()}
        for target in self.targets:
            if target.a in params:
                merged[target.weight] = merged[target.weight] + self.product(target, params)
        return Params.of(merged)

    def describe_adapter(self, folder: Path, params: Mapping[str, Tensor]) -> list[Path]:
        """Write factors and head as the peft library does, for ``PeftModel.from_pretrained``.

        Nothing is written if the model underneath was not published, or has moved: then there is
        nothing that an adapter could be added to.

        Raises:
            OSError: If it cannot be written.
        """
        is_moved = any(name in self.start and name not in self._infos for name in params)
        if is_moved or not self.base.spec.pretrained or not set(self._infos) <= set(params):
            return []
        folder.mkdir(parents=True, exist_ok=True)
        own = {f"{_PREFIX}{name}": params[name].contiguous() for name in self._infos}
        header = header_bytes([info_of(*item) for item in own.items()], {"format": "pt"})
        weights, config = folder / "adapter_model.safetensors", folder / "adapter_config.json"
        write_atomically(weights, [header, *map(tensor_bytes, own.values())])
        write_atomically(config, [self._config_text().encode()])
        return [config, weights]

    def _config_text(self) -> str:
        content = self._module.peft_config[_ADAPTER].to_dict()  # type: ignore[union-attr,index]
        content |= {
            "base_model_name_or_path": self.base.spec.path,
            "revision": self.base.spec.revision,
            "inference_mode": True,
        }
        return json.dumps(content, indent=2, default=_listed) + "\n"

    def _no_target(self, module: nn.Module) -> ModelError:
        """Return the error for layers that are not there, or cannot be adapted."""
        wanted = ", ".join(self.spec.target_modules) or "the usual layers of its architecture"
        names = _layers_of(module, {name.split(".")[0] for name in self.base.head()})
        return ModelError(
            f"{self.base.spec.path!r} has no linear layers for all of: {wanted}",
            field="peft.target_modules",
            fix=f"Use some of: {', '.join(names)}; or {ALL_LINEAR}.",
        )


@ADAPTATIONS.implements(LoraSpec)
def with_factors(spec: PeftSpec, base: Model, start: StartOf) -> LoraModel:
    """Return a transformers model with factors beside some of its layers.

    Raises:
        ModelError: If the model has no such layers, and which it has.
    """
    if not isinstance(spec, LoraSpec) or not isinstance(base, HuggingFaceModel):
        raise ModelError(
            "LoRA adapts the layers of a transformers model",
            field="peft.kind",
            fix="Set model.kind to huggingface, or peft.kind to head.",
        )
    model = LoraModel(base, spec, start())
    model.parameters()  # finds out now whether the layers are there
    return model


def _is_named(wanted: str, targets: Sequence[Target]) -> bool:
    """Return whether a name of the spec means one of the layers."""
    return wanted == ALL_LINEAR or any(
        target.name == wanted or target.name.endswith(f".{wanted}") for target in targets
    )


def _own_name(name: str) -> str:
    """Return the name in the model underneath of a tensor in the peft library's module."""
    own = name.removeprefix(_PREFIX).replace(".base_layer.", ".")
    return own.replace(f".modules_to_save.{_ADAPTER}.", ".").replace(f".{_ADAPTER}.", ".")


def _layers_of(module: nn.Module, heads: set[str]) -> list[str]:
    """Return the last parts of the names of all layers that can be adapted."""
    found: dict[str, None] = {}
    for name, layer in module.named_modules():
        own = _own_name(f"{name}.").removesuffix(".")
        is_linear = isinstance(layer, nn.Linear) or type(layer).__name__ == "Conv1D"
        if is_linear and own.split(".")[0] not in heads:
            found[own.rpartition(".")[2]] = None
    return list(found)[:_MAX_NAMED]


def _listed(value: Any) -> Any:
    """Return as JSON what the peft library keeps as a set or an enum."""
    return sorted(value) if isinstance(value, set) else getattr(value, "value", str(value))


def lora_of(model: Model) -> LoraModel:
    """Return a model as one with factors; the spec has made sure that it is one.

    Raises:
        ModelError: If it is not.
    """
    if not isinstance(model, LoraModel):
        raise ModelError(
            "the method trains LoRA factors",
            field="peft.kind",
            fix="Set peft.kind to lora.",
        )
    return model
