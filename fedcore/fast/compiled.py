"""Local training of fully connected networks by the C++ operator."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fedcore.algorithms.base import AnyMethod
from fedcore.clients.training import (
    ClientData,
    Interrupted,
    LocalContext,
    ShouldStop,
    Trained,
)
from fedcore.data.dataset import Examples
from fedcore.fast.library import StopFunction
from fedcore.fast.plain import local_phases, num_batches, passes
from fedcore.params import Layout, Params
from fedcore.spec.training import LocalSpec
from fedcore.state import MODEL
from fedcore.weights import Weights

#: Examples that are tested together: few enough for what is computed of them to stay in the cache.
_TESTED = 32


@dataclass(frozen=True, eq=False)
class Network:
    """What is the same in all operators of a run.

    Attributes:
        library: The compiled code.
        widths: Inputs, hidden layers and outputs, int64.
        usual: The usual value of each input, where most inputs have it.
    """

    library: ctypes.CDLL
    widths: Tensor
    usual: Tensor | None


@dataclass(frozen=True, eq=False)
class _Operator:
    """The operator for one network and batch size, with its memory.

    Attributes:
        library: The compiled code.
        network: Shape of the network as C reads it; ``of`` keeps alive what it points to.
    """

    library: ctypes.CDLL
    of: Network
    network: tuple[int, int, int, bool, int | None]
    work: Tensor

    @classmethod
    def make(cls, of: Network, batch: int, *, is_plain: bool, has_momentum: bool) -> _Operator:
        """Return an operator with memory of its own.

        Args:
            of: The network.
            batch: Examples at a time, at most.
            is_plain: Whether only gradients move the weights, so those of usual inputs can wait.
            has_momentum: Whether there is memory for momentum.
        """
        usual = of.usual.data_ptr() if of.usual is not None and is_plain else None
        network = (of.widths.data_ptr(), len(of.widths) - 1, batch, has_momentum, usual)
        work = torch.zeros(of.library.rh_mlp_work_size(*network))
        return cls(of.library, of, network, work)

    def load(self, flat: Tensor) -> None:
        """Take the weights of a model; momentum starts at zero."""
        self.library.rh_mlp_begin(*self.network, flat.data_ptr(), self.work.data_ptr())

    def store(self, flat: Tensor) -> None:
        """Write the weights to ``flat``; ``load`` comes next."""
        self.library.rh_mlp_end(*self.network, self.work.data_ptr(), flat.data_ptr())

    def outputs(self, x: Tensor) -> Tensor:
        """Return what the network makes of inputs."""
        x = x.contiguous()
        outputs = torch.empty(len(x), int(self.of.widths[-1]))
        self.library.rh_mlp_outputs(
            *self.network, x.data_ptr(), len(x), outputs.data_ptr(), self.work.data_ptr()
        )
        return outputs

    def run(self, examples: Examples, rows: Tensor, phase: LocalSpec, stop: _Stop) -> float:
        """Take the steps of one pass and return the sum of the losses.

        Raises:
            Interrupted: If ``stop`` said so.
        """
        loss_sum = ctypes.c_double()
        taken = self.library.rh_mlp_train(
            *self.network,
            examples.x.data_ptr(),
            examples.y.data_ptr(),
            rows.data_ptr(),
            len(rows),
            phase.lr,
            phase.momentum,
            phase.weight_decay,
            stop.function,
            ctypes.byref(loss_sum),
            self.work.data_ptr(),
        )
        stop.check()
        if taken < num_batches(rows, phase):
            raise Interrupted
        return loss_sum.value


@dataclass(frozen=True, eq=False)
class CompiledTrainer:
    """All steps of a pass in one call; for one thread, whose operators it keeps."""

    network: Network
    _operators: dict[tuple[int, bool, bool], _Operator] = field(default_factory=dict)

    @classmethod
    def of(cls, library: ctypes.CDLL, layout: Layout, usual: Tensor | None) -> CompiledTrainer:
        """Return the trainer for fully connected layers of these shapes; see ``Network``."""
        weights = layout.shapes[::2]
        widths = torch.tensor([weights[0][1], *(outputs for outputs, _ in weights)])
        return cls(Network(library, widths, usual))

    @property
    def name(self) -> str:
        """Return its name."""
        return "compiled"

    def train(
        self,
        method: AnyMethod,
        start: Mapping[str, Weights],
        data: ClientData,
        *,
        context: LocalContext,  # noqa: ARG002  (a plain step looks at nothing but the data)
        generator: torch.Generator,
        should_stop: ShouldStop,
    ) -> Trained:
        """Return the result of local training.

        Raises:
            Interrupted: If ``should_stop`` said so.
        """
        begin = start[MODEL].params
        flat, loss_sum = begin.flat, 0.0
        num_steps = num_seen = 0
        stop = _Stop(should_stop)
        for phase in local_phases(method):
            operator = self._operator(phase)
            operator.load(flat)
            for rows in passes(method, phase, data, generator):
                loss_sum += operator.run(data.examples, rows, phase, stop)
                num_steps += num_batches(rows, phase)
                num_seen += len(rows)
            flat = torch.empty_like(begin.flat)
            operator.store(flat)
        return Trained(
            begin.with_flat(flat), begin, loss_sum / max(num_seen, 1), num_steps, num_seen
        )

    def outputs(self, method: AnyMethod, model: Params) -> Callable[[Tensor], Tensor]:
        """Return the model as a function of its inputs."""
        if self.network.usual is None:  # for a thousand examples torch is faster
            params = model.layout.views(model.flat)
            return lambda x: method.context.model.apply(params, x)
        operator = _Operator.make(self.network, _TESTED, is_plain=True, has_momentum=False)
        operator.load(model.flat)
        return operator.outputs

    def _operator(self, phase: LocalSpec) -> _Operator:
        has_momentum = phase.momentum > 0
        is_plain = not has_momentum and phase.weight_decay == 0
        key = (phase.batch_size, is_plain, has_momentum)
        if key not in self._operators:
            self._operators[key] = _Operator.make(
                self.network, phase.batch_size, is_plain=is_plain, has_momentum=has_momentum
            )
        return self._operators[key]


class _Stop:
    """``should_stop`` as C calls it; what it raises waits until C has returned."""

    def __init__(self, should_stop: ShouldStop) -> None:
        self._should_stop = should_stop
        self._error: BaseException | None = None
        self.function = StopFunction(self._ask)

    def check(self) -> None:
        """Raise what ``should_stop`` has raised."""
        if self._error is not None:
            raise self._error

    def _ask(self) -> int:
        try:
            return int(self._should_stop())
        except BaseException as error:  # noqa: BLE001  (it is raised again outside)
            self._error = error
            return 1
