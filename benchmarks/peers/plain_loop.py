"""A tight PyTorch loop with autograd: what somebody writes who wants FedAvg and no framework.

With one process it is the loop of a tutorial, on all threads that torch likes. With more, each
process keeps its own model and one thread, trains a fixed share of the cohort, and the shares are
summed in shared memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.connection import Connection

import torch
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from benchmarks.peers.tensors import Arguments, Shared, arguments, build, evaluate
from benchmarks.peers.turns import Turns
from benchmarks.workloads import Workload


def train_client(model: nn.Module, x: Tensor, y: Tensor, workload: Workload) -> None:
    """Train ``model`` in place on one client."""
    parameters: list[Tensor] = list(model.parameters())
    for _ in range(workload.epochs):
        for rows in torch.randperm(len(y)).split(workload.batch_size):
            loss = cross_entropy(model(x[rows]), y[rows])
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                torch._foreach_add_(parameters, gradients, alpha=-workload.lr)


def train_share(
    model: nn.Module, weights: Tensor, clients: list[int], shared: Shared, workload: Workload
) -> Tensor:
    """Return the weighted sum of the models that ``clients`` train from ``weights``."""
    total = torch.zeros_like(weights)
    for client in clients:
        with torch.no_grad():
            # A copy, because the parameters become views of it and are trained in place.
            vector_to_parameters(weights.clone(), model.parameters())
        x, y = shared.client(client)
        train_client(model, x, y, workload)
        total.add_(parameters_to_vector(model.parameters()).detach(), alpha=len(y))
    return total


def sample(shared: Shared, workload: Workload) -> list[int]:
    """Return the cohort of the next round."""
    return torch.randperm(shared.num_clients)[: workload.cohort].tolist()


def run_alone(given: Arguments, turns: Turns) -> None:
    """Run the rounds in this process."""
    shared, model = Shared(given.data), build(given.workload)
    shared.load_into(model)
    weights = parameters_to_vector(model.parameters()).detach().clone()
    turns.ready(torch=torch.__version__, threads=torch.get_num_threads())
    while turns.wait():
        cohort = sample(shared, given.workload)
        total = train_share(model, weights, cohort, shared, given.workload)
        weights = total / sum(shared.client_size(client) for client in cohort)
        with torch.no_grad():
            vector_to_parameters(weights, model.parameters())
        turns.done(accuracy=evaluate(model, shared.test))


@dataclass(frozen=True)
class Desk:
    """What one process shares with the others: the weights, and a row of each result."""

    weights: Tensor
    sums: Tensor
    correct: Tensor


def work(given: Arguments, rank: int, desk: Desk, pipe: Connection) -> None:
    """Train a share of every cohort and test a share of the images, whenever asked."""
    torch.set_num_threads(1)
    torch.manual_seed(rank)
    shared, model = Shared(given.data), build(given.workload)
    x, y = (part.tensor_split(given.processes)[rank] for part in shared.test)
    pipe.send("ready")
    while (order := pipe.recv()) is not None:
        if order == "test":
            with torch.no_grad():
                vector_to_parameters(desk.weights, model.parameters())
            desk.correct[rank] = evaluate(model, (x, y)) * len(y)
        else:
            desk.sums[rank] = train_share(model, desk.weights, order, shared, given.workload)
        pipe.send("done")


def start(given: Arguments, desk: Desk) -> list[Connection]:
    """Return pipes to processes that have loaded everything."""
    context = mp.get_context("forkserver")
    pipes = []
    for rank in range(given.processes):
        ours, theirs = context.Pipe()
        context.Process(target=work, args=(given, rank, desk, theirs), daemon=True).start()
        pipes.append(ours)
    for pipe in pipes:
        pipe.recv()
    return pipes


def ask(pipes: list[Connection], orders: list[list[int]] | list[str]) -> None:
    """Give every process its order and wait until all are done."""
    for pipe, order in zip(pipes, orders, strict=True):
        pipe.send(order)
    for pipe in pipes:
        pipe.recv()


def run_together(given: Arguments, turns: Turns) -> None:
    """Run the rounds in several processes."""
    shared, model, count = Shared(given.data), build(given.workload), given.processes
    shared.load_into(model)
    weights = parameters_to_vector(model.parameters()).detach().clone()
    desk = Desk(
        weights.share_memory_(),
        torch.zeros(count, len(weights)).share_memory_(),
        torch.zeros(count).share_memory_(),
    )
    pipes = start(given, desk)
    turns.ready(torch=torch.__version__, processes=count)
    while turns.wait():
        cohort = sample(shared, given.workload)
        ask(pipes, [cohort[rank::count] for rank in range(count)])
        torch.sum(desk.sums, 0, out=desk.weights)
        desk.weights.div_(sum(shared.client_size(client) for client in cohort))
        ask(pipes, ["test"] * count)
        turns.done(accuracy=float(desk.correct.sum()) / len(shared.test[1]))
    for pipe in pipes:
        pipe.send(None)


def main() -> None:
    """Run the loop on one workload."""
    given = arguments("plain PyTorch loop")
    turns = Turns(f"plain loop, {given.processes} processes", given.rounds, given.turns)
    torch.manual_seed(0)
    (run_alone if given.processes == 1 else run_together)(given, turns)
    turns.finish()


if __name__ == "__main__":
    main()
