"""The test bed HQ of the method cards: quadratic clients whose optimum is known in closed form.

Client i minimises ``(x - c_i)' Q_i (x - c_i) / 2`` with full gradients in float64. It drives a
method through its hooks alone, as the engine does, so what converges here is the method itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from torch import Tensor

from fedcore.aggregators import AGGREGATORS
from fedcore.algorithms import METHODS, MethodContext
from fedcore.algorithms.base import AnyMethod
from fedcore.algorithms.population import Population
from fedcore.clients.training import ClientData
from fedcore.clients.work import ClientTask, client_round
from fedcore.data.dataset import Examples
from fedcore.models.base import ParameterInfo
from fedcore.params import Layout, Params
from fedcore.spec import RunSpec
from fedcore.state import ClientState, RunState
from fedcore.topology import Network
from fedcore.weights import Weights

DIMENSION = 5


@dataclass(frozen=True, eq=False)
class Quadratics:
    """Ten clients; the single example of client i holds Q_i and c_i."""

    curvature: Tensor
    centre: Tensor

    @classmethod
    def make(cls, num_clients: int = 10, seed: int = 0) -> Quadratics:
        generator = torch.Generator().manual_seed(seed)
        shape = (num_clients, DIMENSION, DIMENSION)
        basis, _ = torch.linalg.qr(torch.randn(shape, generator=generator, dtype=torch.float64))
        eigenvalues = torch.rand(shape[:2], generator=generator, dtype=torch.float64) * 2.8 + 0.2
        curvature = basis @ torch.diag_embed(eigenvalues) @ basis.mT
        centre = 2 * torch.randn(shape[:2], generator=generator, dtype=torch.float64)
        return cls(curvature, centre)

    @property
    def optimum(self) -> Tensor:
        pulled = (self.curvature @ self.centre.unsqueeze(-1)).sum(0)
        solution: Tensor = torch.linalg.solve(self.curvature.sum(0), pulled)
        return solution.squeeze(-1)

    def examples(self) -> Examples:
        x = torch.cat([self.curvature.flatten(1), self.centre], dim=1)
        return Examples(x, torch.zeros(len(x), dtype=torch.int64))


class QuadraticModel:
    """Per example the value of its quadratic at the parameters."""

    def parameters(self) -> Mapping[str, ParameterInfo]:
        return {"x": ParameterInfo((DIMENSION,), 1)}

    def apply(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        curvature = x[:, : DIMENSION**2].view(-1, DIMENSION, DIMENSION)
        offset = params["x"] - x[:, DIMENSION**2 :]
        return 0.5 * (offset * (curvature @ offset.unsqueeze(-1)).squeeze(-1)).sum(-1)


class ValueObjective:
    """The outputs are the losses."""

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:  # noqa: ARG002
        return outputs.mean()

    def score(self, outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        return outputs, torch.zeros_like(outputs)


@dataclass(eq=False)
class Bed:
    """A method on the quadratics, played round by round."""

    method: AnyMethod
    problem: Quadratics
    state: RunState

    @classmethod
    def of(
        cls,
        algorithm: dict[str, object],
        *,
        steps: int = 20,
        lr: float = 0.1,
        chance: float = 1.0,
        durations: Mapping[int, float] = MappingProxyType({}),
        topology: Mapping[str, object] = MappingProxyType({"kind": "star"}),
        **local: object,
    ) -> Bed:
        spec = RunSpec.parse(
            {
                "algorithm": algorithm,
                "local": {"steps": steps, "lr": lr, "batch_size": 1, **local},
                "sampling": {"kind": "full"},
                "aggregation": {"kind": "mean"},  # all clients have one example
                "topology": dict(topology),
            }
        )
        problem = Quadratics.make()
        layout = Layout(("x",), ((DIMENSION,),))
        start = Params(layout, torch.zeros(DIMENSION, dtype=torch.float64))
        context = MethodContext(
            model=QuadraticModel(),
            layout=layout,
            objective=ValueObjective(),
            local=spec.local,
            aggregator=AGGREGATORS.of(spec.aggregation)(spec.aggregation),
            num_clients=len(problem.centre),
            population=Population(
                dict.fromkeys(range(len(problem.centre)), 1), chance, lambda: durations
            ),
            initial=lambda: Weights(start),
            network=Network(spec.topology, tuple(range(len(problem.centre)))),
        )
        method = METHODS.of(spec.algorithm)(spec.algorithm, context)
        return cls(method, problem, RunState(0, method.initial_tensors(start)))

    @property
    def error(self) -> float:
        """Distance to the optimum, relative to its norm."""
        optimum = self.problem.optimum
        return float((self.state.model.flat - optimum).norm() / optimum.norm())

    def play(self, cohort: Sequence[int], *, steps: Mapping[int, int] | None = None) -> None:
        """Play one round with these clients, some of them with their own number of steps."""
        examples = self.problem.examples()
        accumulator = self.method.start(self.state)
        kept: dict[int, ClientState] = {}
        for client in cohort:
            method = self.method if steps is None else with_steps(self.method, steps[client])
            task = ClientTask(
                seed=0,
                round_index=self.state.round_index,
                message=self.method.downlink(self.state, client),
                data=ClientData(client, examples, torch.tensor([client])),
                private=self.state.clients.get(client),
            )
            result = client_round(method, task, lambda: False)
            accumulator = self.method.fold(accumulator, result.update)
            if result.kept is not None:
                kept[client] = result.kept
        after = self.method.finish(accumulator, self.state)
        self.state = replace(
            after, round_index=after.round_index + 1, clients=after.clients.updated(kept)
        )

    def run(self, rounds: int, *, cohort_size: int = 10, seed: int = 1) -> float:
        """Play rounds with random cohorts, and return the error."""
        generator = torch.Generator().manual_seed(seed)
        for _ in range(rounds):
            order = torch.randperm(len(self.problem.centre), generator=generator)
            self.play(sorted(order[:cohort_size].tolist()))
        return self.error


def with_steps(method: AnyMethod, steps: int) -> AnyMethod:
    """Return the method for a client that takes another number of steps."""
    local = method.context.local.model_copy(update={"steps": steps, "epochs": None})
    return type(method)(method.spec, replace(method.context, local=local))
