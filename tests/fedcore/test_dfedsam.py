"""DFedSAM with one and with several gossip steps: contract, reductions, and the card's checks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.clients.training import Batch, LocalContext
from fedcore.clients.work import client_round
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.params import vector
from fedcore.spec import estimate
from fedcore.state import RunState
from fedcore.topology import mixing_matrix
from tests.fedcore.contract import MethodContract, model_bytes
from tests.fedcore.personal import TWO_CLASSES, assert_same_in_a_pool, played
from tests.fedcore.quadratic import Bed
from tests.fedcore.runs import assert_same_state, never, play, play_rounds, small_spec

EVERYBODY: dict[str, Any] = {"sampling": {"kind": "full"}}
RING: dict[str, Any] = {**EVERYBODY, "topology": {"kind": "ring"}}
COMPLETE: dict[str, Any] = {**EVERYBODY, "topology": {"kind": "complete"}}


class TestDfedSam(MethodContract):
    algorithm = {"kind": "dfedsam"}
    needs = RING
    models_up = models_down = 2
    overhead_bytes = 2000


class TestDfedSamMgs(MethodContract):
    """Three gossip steps with three random neighbours."""

    algorithm = {"kind": "dfedsam-mgs", "gossip_steps": 3}
    needs = {**EVERYBODY, "topology": {"kind": "random", "degree": 3}}
    models_up = models_down = 9
    overhead_bytes = 9000


def own(state: RunState, client_id: int) -> Tensor:
    return vector(state.clients[client_id].sections, "model").flat


def all_models(state: RunState) -> Tensor:
    return torch.stack([own(state, client_id) for client_id in sorted(state.clients)])


# --- reductions --------------------------------------------------------------------------------


def test_on_a_complete_graph_without_a_look_ahead_it_is_uniform_fedavg(folders: Folders) -> None:
    _, plain, reports = played(
        folders, {"kind": "fedavg"}, 3, aggregation={"kind": "mean", "weighting": "uniform"},
        **EVERYBODY,
    )  # fmt: skip
    _, state, own_reports = played(folders, {"kind": "dfedsam", "rho": 0.0}, 3, **COMPLETE)
    torch.testing.assert_close(state.model.flat, plain.model.flat, rtol=1e-5, atol=1e-6)
    for client_id in state.clients:
        torch.testing.assert_close(own(state, client_id), plain.model.flat, rtol=1e-5, atol=1e-6)
    assert own_reports[-1].metrics["accuracy"] == pytest.approx(reports[-1].metrics["accuracy"])
    assert own_reports[-1].metrics["consensus_distance"] < 1e-8


def test_one_gossip_step_is_dfedsam_to_the_last_bit(folders: Folders) -> None:
    _, one, _ = played(folders, {"kind": "dfedsam"}, 2, **RING)
    _, other, _ = played(folders, {"kind": "dfedsam-mgs", "gossip_steps": 1}, 2, **RING)
    assert_same_state(one, other)


def test_a_round_is_local_training_and_then_the_matrix(folders: Folders) -> None:
    algorithm = {"kind": "dfedsam-mgs", "gossip_steps": 4}
    context, state, _ = played(folders, algorithm, 1, **RING)
    trained = trained_models(context, state)
    after, _ = play(context, state)
    links = context.method.context.network.links(1)
    power = torch.linalg.matrix_power(mixing_matrix(links), 4)
    expected = (power @ trained.double()).float()
    torch.testing.assert_close(all_models(after), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(after.model.flat, trained.mean(0), rtol=1e-5, atol=1e-6)


def trained_models(context: RunContext, state: RunState) -> Tensor:
    """Return what each client has before the models are mixed, in the order of ids."""
    tasks = plan(context, state).work.tasks
    results = [client_round(context.method, task, never) for task in tasks]
    return torch.stack([vector(result.update.sections, "model").flat for result in results])


# --- who is away -------------------------------------------------------------------------------


def test_a_lost_client_keeps_its_model_and_costs_nothing(folders: Folders) -> None:
    overrides = {**RING, "system": {"dropout": 0.4}}
    context, state, _ = played(folders, {"kind": "dfedsam"}, 1, **overrides)
    after, report = play(context, state)
    clients = {client.client_id: client for client in report.clients}
    lost = {client_id for client_id, client in clients.items() if client.status == "lost"}
    assert 0 < len(lost) < len(clients) - 1
    links = context.method.context.network.links(1)
    size = model_bytes(context.layout.total)
    for client_id, client in clients.items():
        neighbours = {(client_id - 1) % 6, (client_id + 1) % 6} - lost
        expected = 0 if client_id in lost else len(neighbours)
        assert len(links[client_id]) == expected
        assert client.bytes_up == client.bytes_down
        assert client.bytes_up // size == expected
        if client_id in lost:
            assert torch.equal(own(after, client_id), own(state, client_id))
    torch.testing.assert_close(after.model.flat, all_models(after).mean(0), rtol=1e-5, atol=1e-6)


def test_a_client_without_neighbours_keeps_what_it_has_trained(folders: Folders) -> None:
    context = build_context(small_spec(algorithm={"kind": "dfedsam"}, **RING), folders)
    state, _ = play_rounds(context, 1)
    method, tasks = context.method, plan(context, state).work.tasks
    update = client_round(method, tasks[0], never).update
    after = method.finish(method.fold(method.start(state), update), state)
    client_id = update.client_id
    assert torch.equal(own(after, client_id), vector(update.sections, "model").flat)
    assert all(torch.equal(own(after, c), own(state, c)) for c in state.clients if c != client_id)


# --- the steps of a client ---------------------------------------------------------------------


def test_a_step_looks_ahead_by_rho() -> None:
    bed = gossip_bed("dfedsam", rho=0.5)
    x = torch.tensor([0.0, 3.0, 0.0, 4.0, 0.0], dtype=torch.float64)
    context = LocalContext.of({}, None)
    found = bed.method.transform_grad(lambda w, _: 2 * w, x, Batch(x, x), context)
    torch.testing.assert_close(found, 2 * x * (1 + 0.5 / 5))


def test_without_a_look_ahead_one_gradient_is_enough() -> None:
    assert gossip_bed("dfedsam", rho=0.0).method.has_plain_gradient
    assert not gossip_bed("dfedsam").method.has_plain_gradient


# --- behaviour ---------------------------------------------------------------------------------


def gossip_bed(kind: str, **settings: Any) -> Bed:
    """Return the quadratics of the cards with ten clients and no server; a ring has W = 1/3."""
    return Bed.of({"kind": kind, **settings}, steps=5, lr=0.05, topology={"kind": "ring"})


def stationary(bed: Bed, exchanges: int) -> Tensor:
    """Return where the clients' models come to rest, shape (clients, numbers).

    Five gradient steps are ``z_i = A_i x_i + (1 - A_i) c_i`` with ``A_i = (1 - lr Q_i)^5``, and a
    round is ``x = W^Q z``, so the models solve a linear system.
    """
    curvature, centre = bed.problem.curvature, bed.problem.centre
    clients, numbers = centre.shape
    eye = torch.eye(numbers, dtype=torch.float64)
    steps = torch.linalg.matrix_power(eye - 0.05 * curvature, 5)
    matrix = mixing_matrix(bed.method.context.network.links(0))
    mixing = torch.kron(torch.linalg.matrix_power(matrix, exchanges), eye)
    rest = ((eye - steps) @ centre.unsqueeze(-1)).flatten()
    system = torch.eye(clients * numbers, dtype=torch.float64) - mixing @ torch.block_diag(*steps)
    solution: Tensor = torch.linalg.solve(system, mixing @ rest)
    return solution.view(clients, numbers)


def test_more_gossip_brings_clients_together_as_on_the_card() -> None:
    """Consensus distance 3.3 with one step, 0.68 with four.

    The card's quadratics are other draws than these, on which it is 2.8 and 0.57.
    """
    distances, errors = [], []
    for steps, card in ((1, 3.3), (4, 0.68)):
        bed = gossip_bed("dfedsam-mgs", gossip_steps=steps, rho=0.0)
        bed.run(60)
        torch.testing.assert_close(all_models(bed.state), stationary(bed, steps))
        distances.append(bed.method.round_metrics(bed.state)["consensus_distance"])
        errors.append(bed.error)
        assert card / 3 < distances[-1] < card * 3
    assert distances[0] > 3 * distances[1]
    assert errors[0] > 1.5 * errors[1]


def test_a_ring_of_clients_with_two_classes_each_learns_all_of_them(folders: Folders) -> None:
    """A model that knows two of the ten cannot be right more than in a fifth of all cases."""
    distances = []
    for steps, accuracy in ((1, 0.4), (4, 0.65)):
        algorithm = {"kind": "dfedsam-mgs", "gossip_steps": steps}
        topology = {"kind": "ring"}
        _, _, reports = played(folders, algorithm, 8, topology=topology, **TWO_CLASSES)
        distances.append(reports[-1].metrics["consensus_distance"])
        assert reports[-1].metrics["accuracy"] > accuracy
        assert reports[-1].metrics["personal_accuracy"] > 0.7
    assert distances[0] > 4 * distances[1] > 0


def test_a_report_names_the_edges_of_its_own_round(folders: Folders) -> None:
    algorithm, topology = {"kind": "dfedsam"}, {"kind": "random", "degree": 2}
    _, _, reports = played(folders, algorithm, 2, topology=topology, **TWO_CLASSES)
    first, second = (report.to_json()["links"] for report in reports)
    assert first != second
    for links in (first, second):
        assert sorted({client for pair in links for client in pair}) == list(range(len(links)))


def test_everybody_computes_the_same_in_a_pool(folders: Folders) -> None:
    algorithm = {"kind": "dfedsam-mgs", "gossip_steps": 2}
    assert_same_in_a_pool(build_context(small_spec(algorithm=algorithm, **RING), folders))


# --- what it costs -----------------------------------------------------------------------------


def test_the_estimate_counts_every_neighbour_and_a_model_per_client(folders: Folders) -> None:
    algorithm = {"kind": "dfedsam-mgs", "gossip_steps": 3}
    spec = small_spec(algorithm=algorithm, **RING)
    context = build_context(spec, folders)
    _, report = play(context, initial_state(context))
    costs = estimate(spec)
    size = model_bytes(context.layout.total)
    assert costs.bytes_up_per_round == costs.bytes_down_per_round == 6 * 3 * 2 * size
    assert report.bytes_up == report.bytes_down
    assert 0 <= report.bytes_up - 36 * size < 36 * 1000
    plain = estimate(small_spec(algorithm={"kind": "fedavg"}, **EVERYBODY))
    assert costs.memory_bytes is not None
    assert plain.memory_bytes is not None
    assert costs.memory_bytes - plain.memory_bytes == (6 + 3 * 6) * size


def test_gossip_steps_wait_for_each_other_on_the_clock(folders: Folders) -> None:
    seconds = []
    for steps in (1, 5):
        spec = small_spec(
            algorithm={"kind": "dfedsam-mgs", "gossip_steps": steps},
            system={"latency_s": 1.0},
            **RING,
        )
        context = build_context(spec, folders)
        seconds.append(play(context, initial_state(context))[1].sim_seconds)
    assert seconds[1] - seconds[0] == pytest.approx(4.0)
