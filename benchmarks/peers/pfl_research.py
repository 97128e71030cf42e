"""pfl-research's simulated backend: its FederatedAveraging, weighted by data points.

With several processes it is started under ``torchrun``, as its manual says. Only the first process
talks to the driver; the others meet it in the round's all-reduce.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

import multiprocess  # type: ignore[import-untyped,import-not-found,unused-ignore]
import numpy as np
import torch
from pfl.aggregate.simulate import SimulatedBackend  # type: ignore[import-not-found]
from pfl.aggregate.weighting import WeightByDatapoints  # type: ignore[import-not-found]
from pfl.algorithm.base import NNAlgorithmParams  # type: ignore[import-not-found]
from pfl.algorithm.federated_averaging import (  # type: ignore[import-not-found]
    FederatedAveraging,
)
from pfl.callback.base import TrainingProcessCallback  # type: ignore[import-not-found]
from pfl.callback.central_evaluation import (  # type: ignore[import-not-found]
    CentralEvaluationCallback,
)
from pfl.data.federated_dataset import FederatedDataset  # type: ignore[import-not-found]
from pfl.data.pytorch import PyTorchTensorDataset  # type: ignore[import-not-found]
from pfl.data.sampling import get_user_sampler  # type: ignore[import-not-found]
from pfl.hyperparam import NNEvalHyperParams, NNTrainHyperParams  # type: ignore[import-not-found]
from pfl.metrics import Metrics, Weighted  # type: ignore[import-not-found]
from pfl.model.pytorch import PyTorchModel  # type: ignore[import-not-found]
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.peers.tensors import Shared, arguments, build
from benchmarks.peers.turns import Turns

ACCURACY = "Central val | accuracy"
FIRST = int(os.environ.get("RANK", "0")) == 0


class Model(nn.Module):
    """A workload's model with the two methods that pfl calls."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the training loss of one batch."""
        return cross_entropy(self.layers(x), y)

    def metrics(self, x: Tensor, y: Tensor) -> dict[str, Any]:
        """Return the accuracy of one batch."""
        with torch.no_grad():
            correct = int((self.layers(x).argmax(1) == y).sum())
        return {"accuracy": Weighted(correct, len(y))}


class TakeTurns(TrainingProcessCallback):  # type: ignore[misc]
    """Waits for the driver between rounds; the processes wait for the first one."""

    def __init__(self, turns: Turns | None) -> None:
        self.turns = turns

    def _more(self) -> bool:
        more = torch.tensor([1 if self.turns is None or self.turns.wait() else 0])
        if torch.distributed.is_initialized():
            torch.distributed.broadcast(more, src=0)
        return bool(more)

    def on_train_begin(self, *, model: Any) -> Any:  # noqa: ARG002
        """Say that everything is loaded and wait for the first turn."""
        if self.turns is not None:
            self.turns.ready(pfl=version("pfl"), torch=torch.__version__)
        self._more()
        return Metrics()

    def after_central_iteration(
        self,
        aggregate_metrics: Any,
        model: Any,  # noqa: ARG002
        *,
        central_iteration: int,
    ) -> tuple[bool, Any]:
        """Report the round and wait for the next turn."""
        values = {str(name): value for name, value in aggregate_metrics.to_simple_dict().items()}
        if self.turns is not None:
            # pfl tests before the first round and after every later one, not after the first.
            accuracy = values.get(ACCURACY, 0.0) if central_iteration else 0.0
            self.turns.done(accuracy=float(accuracy))
        return not self._more(), Metrics()


def main() -> None:
    """Run pfl on one workload."""
    given = arguments("pfl-research simulation")
    workload = given.workload
    if given.processes > 1:
        torch.set_num_threads(1)
    torch.manual_seed(0)
    np.random.seed(0)
    shared = Shared(given.data)
    layers = build(workload)
    shared.load_into(layers)
    users = {str(index): index for index in range(shared.num_clients)}

    def user(name: str) -> Any:
        return PyTorchTensorDataset(shared.client(users[name]), user_id=name)

    model = Model(layers)
    backend = SimulatedBackend(
        training_data=FederatedDataset(
            user,
            get_user_sampler("minimize_reuse", list(users)),
            user_id_to_weight={name: shared.client_size(index) for name, index in users.items()},
        ),
        val_data=None,
        postprocessors=[WeightByDatapoints()],
    )
    turns = Turns("pfl", given.rounds, given.turns) if FIRST else None
    FederatedAveraging().run(
        algorithm_params=NNAlgorithmParams(
            central_num_iterations=1_000_000,
            evaluation_frequency=1_000_000,  # of the clients' own metrics, which nobody asked for
            train_cohort_size=workload.cohort,
            val_cohort_size=None,
        ),
        backend=backend,
        model=PyTorchModel(
            model,
            local_optimizer_create=torch.optim.SGD,
            central_optimizer=torch.optim.SGD(model.parameters(), lr=1.0),
        ),
        model_train_params=NNTrainHyperParams(
            local_num_epochs=workload.epochs,
            local_learning_rate=workload.lr,
            local_batch_size=workload.batch_size,
        ),
        model_eval_params=NNEvalHyperParams(local_batch_size=1000),
        callbacks=[
            CentralEvaluationCallback(PyTorchTensorDataset(shared.test)),
            TakeTurns(turns),
        ],
        send_metrics_to_platform=False,
    )
    if turns is not None:
        turns.finish()
    for child in multiprocess.active_children():  # pfl's sampler never ends by itself
        child.terminate()


if __name__ == "__main__":
    main()
