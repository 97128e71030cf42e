"""What every federated method says of itself."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from fedcore.spec.base import Choice
from fedcore.spec.data import DatasetInfo
from fedcore.spec.models import ModelSpec


class AlgorithmSpec(Choice):
    """The federated method: what clients optimise and what the server does with their updates.

    Attributes:
        optimizers: The clients' optimisers with which the method is correct.
        allows_momentum: Whether it is correct with momentum on the clients.
        needs_mean: Whether its server step is only defined for the mean of the updates.
        takes_parts: Whether parts of a round can be trained and folded apart, on several workers.
        fits_sites: Whether its clients can be real sites: what the server needs comes with the
            updates, what a client keeps is nobody else's, and there is one model for all.
        needs_features: Whether it compares what a model's last layer sees.
        needs_classes: Whether it only works where every example has one of a few labels.
        needs_individual_updates: Whether all updates of a round are in memory at the same time.
        has_one_model: Whether all clients of a round are sent the same model.
        weighs_updates: Whether its own weights are part of it, so that equal ones would undo it.
        is_asynchronous: Whether the server goes on while clients are still at work.
        steps_by_time: Whether it does so at fixed times, with whatever has arrived by then.
        is_decentralised: Whether there is no server, and clients exchange models with neighbours.
        vectors_per_client: Vectors as long as the model that a run keeps of each client, wherever.
        vectors_sent: Vectors as long as the model in a message, each way.
        needs_lora: Whether it works on LoRA factors.
        allows_frozen: Whether it works when only a part of the model is trained.
        allows_ranks: Whether it can combine LoRA factors of different rank.
        has_own_messages: Whether it sends something other than vectors of weights.
        needs_steps: Whether all clients must take the same number of steps.
        allows_decay: Whether it is correct with weight decay on the clients.
        needs_masks: Whether it chooses the edges of layers whose weights are fixed.
        sends_one_change: Whether all that the server uses of a round is the mean of one vector per
            client, its change of the model.
        takes_plain_steps: Whether a client uses its examples in nothing but steps along the
            gradient of a loss that is a mean over a batch.
    """

    section: ClassVar[str] = "algorithm"
    optimizers: ClassVar[tuple[str, ...]] = ("sgd", "adam", "adamw")
    allows_momentum: ClassVar[bool] = True
    needs_mean: ClassVar[bool] = False
    takes_parts: ClassVar[bool] = True
    fits_sites: ClassVar[bool] = False
    needs_features: ClassVar[bool] = False
    needs_classes: ClassVar[bool] = False
    needs_individual_updates: ClassVar[bool] = False
    has_one_model: ClassVar[bool] = True
    weighs_updates: ClassVar[bool] = False
    is_asynchronous: ClassVar[bool] = False
    steps_by_time: ClassVar[bool] = False
    is_decentralised: ClassVar[bool] = False
    vectors_per_client: ClassVar[int] = 0
    vectors_sent: ClassVar[int] = 1
    needs_lora: ClassVar[bool] = False
    allows_frozen: ClassVar[bool] = True
    allows_ranks: ClassVar[bool] = False
    has_own_messages: ClassVar[bool] = False
    needs_steps: ClassVar[bool] = False
    allows_decay: ClassVar[bool] = True
    needs_masks: ClassVar[bool] = False
    sends_one_change: ClassVar[bool] = False
    takes_plain_steps: ClassVar[bool] = False

    @property
    def other_models(self) -> tuple[ModelSpec, ...]:
        """Models of further architectures; client i trains the i-th of all, and round again."""
        return ()

    @property
    def needs_everyone(self) -> bool:
        """Whether every client has to take part all the time."""
        return False

    @property
    def exchanges(self) -> int:
        """How often a client exchanges models with each neighbour in a round, if it has any."""
        return 1

    def updates_per_round(self, cohort: int) -> int:
        """Return how many updates a round uses at most, of so many clients at work."""
        return cohort

    def shared_numbers(self, model: ModelSpec, data: DatasetInfo) -> int | None:
        """Return how many numbers of a model travel each way.

        None where that is not known before the model is made. Methods with messages of their own
        are asked for `message_bytes` instead.
        """
        return model.num_parameters(data)

    def message_bytes(
        self,
        model: ModelSpec,  # noqa: ARG002
        data: DatasetInfo,  # noqa: ARG002
        steps: int | None,  # noqa: ARG002
    ) -> tuple[int, int] | None:
        """Return the tensor bytes of a message of its own up and down, without headers.

        Args:
            model: What clients train.
            data: What it reads.
            steps: Local steps of a round, where they are given.

        Returns:
            At most so many; None where that is not known before the model is made.
        """
        return None


class ServerRateSpec(AlgorithmSpec):
    """Methods whose server walks along the mean update with a step of its own."""

    server_lr: float = Field(
        1.0, gt=0, le=1000, description="Step of the server along the mean update; 1 is FedAvg."
    )
