"""LEAF's network for Shakespeare: an embedding, stacked LSTM layers, and an output layer.

Source: Caldas et al., "LEAF: A Benchmark for Federated Settings", 2018, arXiv:1812.01097: an
embedding of 8, two LSTM layers of 256. LEAF predicts the character after the last one; here every
position predicts its next one, as in Reddi et al., "Adaptive Federated Optimization", ICLR 2021,
arXiv:2003.00295, appendix C.3, which learns more from the same text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from fedcore.models.base import MODELS, DataShape, ParameterInfo
from fedcore.models.blocks import linear, linear_infos
from fedcore.spec.models import CharLstmSpec

_GATES = 4


@MODELS.implements(CharLstmSpec)
@dataclass(frozen=True)
class CharLstm:
    """The state starts at zero for every example; gates have one bias each."""

    spec: CharLstmSpec
    data: DataShape

    def parameters(self) -> Mapping[str, ParameterInfo]:
        """Return the embedding, the layers from input to output, and the output layer."""
        spec = self.spec
        parameters = {"embedding": ParameterInfo((self.data.num_tokens, spec.embedding))}
        inputs, gates = spec.embedding, _GATES * spec.hidden
        for layer in range(spec.layers):
            # As in torch, all of a layer starts within 1 / sqrt(hidden).
            parameters |= {
                f"lstm.{layer}.input": ParameterInfo((gates, inputs), spec.hidden),
                f"lstm.{layer}.state": ParameterInfo((gates, spec.hidden), spec.hidden),
                f"lstm.{layer}.bias": ParameterInfo((gates,), spec.hidden),
            }
            inputs = spec.hidden
        return parameters | linear_infos("dense", spec.hidden, self.data.num_classes)

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return logits of shape (n, tokens, vocabulary) for tokens ``x`` of shape (n, tokens)."""
        # Padding comes last, so what the state makes of it reaches no token that counts.
        hidden = functional.embedding(x.clamp(min=0), params["embedding"])
        layers = [_Layer.of(params, layer) for layer in range(self.spec.layers)]
        # torch.func has no rule for the fused kernel, which is several times faster without it.
        is_transformed = torch._C._functorch.is_functorch_wrapped_tensor(layers[0].bias)  # noqa: SLF001
        run = _run_step_by_step if is_transformed else _run_fused
        return linear(params, "dense", run(layers, hidden))


@dataclass(frozen=True, eq=False)
class _Layer:
    """Weights of the input, forget, cell and output gates, in this order."""

    input: Tensor
    state: Tensor
    bias: Tensor

    @classmethod
    def of(cls, params: Mapping[str, Tensor], layer: int) -> _Layer:
        return cls(*(params[f"lstm.{layer}.{name}"] for name in ("input", "state", "bias")))


def _run_fused(layers: list[_Layer], x: Tensor) -> Tensor:
    """Return the last layer's outputs, shape (n, tokens, hidden)."""
    weights = []
    for layer in layers:
        # torch's LSTM adds two biases.
        weights += [layer.input, layer.state, layer.bias, torch.zeros_like(layer.bias)]
    start = x.new_zeros(len(layers), x.shape[0], layers[0].state.shape[1])
    settings = (True, len(layers), 0.0, False, False, True)  # biases, layers, ..., batch first
    return torch.lstm(x, (start, start), weights, *settings)[0]


def _run_step_by_step(layers: list[_Layer], x: Tensor) -> Tensor:
    """Return the same, from operations that ``torch.func`` can transform."""
    for layer in layers:
        from_inputs = functional.linear(x, layer.input, layer.bias)
        hidden = cell = x.new_zeros(x.shape[0], layer.state.shape[1])
        outputs = []
        for at_step in from_inputs.unbind(1):
            gates = at_step + hidden @ layer.state.mT
            enter, forget, candidate, leave = gates.chunk(_GATES, -1)
            cell = forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
            hidden = leave.sigmoid() * cell.tanh()
            outputs.append(hidden)
        x = torch.stack(outputs, 1)
    return x
