"""Adversaries: who they are, when they attack, and the two places where they can.

They exist in the simulator alone, where the server's own process plays the clients: a run with an
attack cannot be placed on real sites, and says in every report that there were adversaries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fedcore.clients.training import ClientData
from fedcore.data.dataset import Examples
from fedcore.errors import DatasetError
from fedcore.messages import Update
from fedcore.params import Params
from fedcore.registry import Registry
from fedcore.rng import Purpose, rng
from fedcore.spec.attacks import AttackSpec

#: Applies a distortion of vectors to an update; see ``Method.distorted``.
Distort = Callable[[Update, Callable[[Tensor], Tensor]], Update]


def distort_vectors(update: Update, attack: Callable[[Tensor], Tensor]) -> Update:
    """Return an update whose vectors, which are changes of something, were distorted."""
    sections = {
        name: section.with_flat(attack(section.flat)) if isinstance(section, Params) else section
        for name, section in update.sections.items()
    }
    return replace(update, sections=sections)


class Attack:
    """Both hooks of an attack; their defaults do nothing."""

    def poison_labels(self, labels: Tensor, num_classes: int) -> Tensor:  # noqa: ARG002
        """Return the labels that an adversary trains on, for its own, shape ``(n,)``."""
        return labels

    def poison_update(self, update: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """Return what an adversary sends instead of its update, shape ``(total,)``."""
        return update


ATTACKS: Registry[Callable[[AttackSpec], Attack]] = Registry(AttackSpec)


@dataclass(frozen=True)
class Adversaries:
    """The clients that attack.

    Attributes:
        spec: What they do, and when.
        attack: The same as hooks.
        clients: Who they are; the same in every round.
        num_classes: Labels of the data set.
    """

    spec: AttackSpec
    attack: Attack
    clients: frozenset[int]
    num_classes: int

    def attacking(self, client_id: int, round_index: int) -> bool:
        """Return whether a client attacks in a round."""
        return client_id in self.clients and self.spec.is_active(round_index)

    def poison_data(self, data: ClientData, round_index: int) -> ClientData:
        """Return what a client trains on; the labels of other clients are not touched."""
        if not self.attacking(data.client_id, round_index):
            return data
        own = data.examples.y.index_select(0, data.rows)
        poisoned = self.attack.poison_labels(own, self.num_classes)
        if poisoned is own:
            return data
        labels = data.examples.y.index_copy(0, data.rows, poisoned)
        return replace(data, examples=Examples(data.examples.x, labels))

    def poison_update(
        self, update: Update, seed: int, round_index: int, distorted: Distort
    ) -> Update:
        """Return what a client sends, before the pipeline that every update passes.

        Args:
            update: What it would send if it were honest.
            seed: Seed of the run.
            round_index: The round.
            distorted: Applies the attack to an update, as its method understands it.
        """
        if not self.attacking(update.client_id, round_index):
            return update
        generator = rng(seed, Purpose.ATTACK, round_index, update.client_id)
        return distorted(update, lambda part: self.attack.poison_update(part, generator))


def recruit(spec: AttackSpec, *, seed: int, num_clients: int, num_classes: int) -> Adversaries:
    """Return the adversaries of a run; who they are depends on the seed alone.

    Args:
        spec: What they do.
        seed: Seed of the run.
        num_clients: Clients to recruit from.
        num_classes: Labels of the data set; 0 where there are none.

    Raises:
        DatasetError: If the attack needs labels that the data set does not have.
    """
    labels = spec.labels()
    if labels is not None and max(labels, default=0) >= num_classes:
        raise DatasetError(
            f"attack {spec.kind} changes labels that the data set does not have",
            field="attack",
            fix="Name classes of the data set, or use attack sign_flip.",
        )
    order = torch.randperm(num_clients, generator=rng(seed, Purpose.ADVERSARIES))
    return Adversaries(
        spec=spec,
        attack=ATTACKS.of(spec)(spec),
        clients=frozenset(order[: spec.num_adversaries(num_clients)].tolist()),
        num_classes=num_classes,
    )
