"""A site's part of a run: the work of one client, on data that only it has.

The same client code as everywhere, with the same random numbers: given the examples that a
simulated client has, a site computes the bits that the simulated client does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Self

import torch

from fedcore.clients.trainer import Trainer
from fedcore.clients.training import Interrupted, ShouldStop
from fedcore.clients.work import ClientTask, client_round
from fedcore.data.dataset import Dataset
from fedcore.engine.buffers import with_buffers
from fedcore.engine.checkpoint import StatePacker, StateUnpacker
from fedcore.engine.context import RunContext, context_of, initial_state
from fedcore.engine.device import one_thread
from fedcore.engine.evaluation import BATCH_SIZE
from fedcore.engine.trainers import choose_trainer
from fedcore.environment import Folders
from fedcore.errors import CheckpointError, StorageError, WireError
from fedcore.files import write_atomically
from fedcore.messages import Message
from fedcore.params import Params
from fedcore.partition.sites import own_share
from fedcore.privacy.sealing import SEALED, words_of
from fedcore.spec import RunSpec
from fedcore.state import BUFFERS, MODEL, ClientState, ClientStore
from fedcore.wire import Schema, decode_message, encode, encoded_size, schema_of
from fedcore.wire.container import header_bytes, info_of, read, read_metadata, tensor_bytes

_KEPT = "kept"


@dataclass(frozen=True)
class Contribution:
    """What a site sends after training, and what it keeps.

    Attributes:
        payload: A ``fedcore.wire`` update; for a secure sum the words of the ring, which are masked
            before they are sent.
        kept: What to hand to the next round, if the server uses this update; None to keep what
            there was.
        num_examples: Trained on.
        seconds: How long it took.
    """

    payload: bytes
    kept: ClientState | None
    num_examples: int
    seconds: float


@dataclass(frozen=True)
class Tested:
    """Sums over a site's held-out examples, as its task has columns."""

    tally: tuple[float, ...]
    num_examples: int
    seconds: float


class SiteWork:
    """One client of a run, ready to train and to test what the server sends."""

    def __init__(self, context: RunContext, trainer: Trainer, client_id: int) -> None:
        self._context = context
        self._trainer = trainer
        self._client_id = client_id
        state = initial_state(context)
        message = context.pipeline.promises.announced(
            context.method.downlink(state, client_id), state
        )
        sent = with_buffers(message, state)
        self._training_schema = schema_of(sent)
        model = {name: sent.sections[name] for name in (MODEL, BUFFERS) if name in sent.sections}
        self._test_schema = schema_of(Message(sections=model, base_version=0))

    @classmethod
    def open(cls, spec: RunSpec, dataset: Dataset, client_id: int, folders: Folders) -> Self:
        """Return the work of one client.

        Args:
            spec: The run, as the site has parsed it.
            dataset: The site's own examples; see ``fedcore.data.sites.read_table``.
            client_id: The site's number in the run.
            folders: Where compiled code and pretrained models lie.

        Raises:
            FedcoreError: If the model does not fit the data or the memory of the site.
        """
        partition = own_share(dataset, client_id, spec.partition.clients)
        with one_thread():
            context = context_of(spec, dataset, partition)
            return cls(context, choose_trainer(context, folders), client_id)

    @property
    def num_parameters(self) -> int:
        """Trainable numbers of the model."""
        return self._context.layout.total

    @property
    def max_message_bytes(self) -> int:
        """Size of what the server sends at most."""
        return max(encoded_size(self._training_schema), encoded_size(self._test_schema))

    def train(
        self,
        payload: bytes,
        *,
        round_index: int,
        cohort_size: int,
        kept: ClientState | None,
        should_stop: ShouldStop,
    ) -> Contribution:
        """Return what the site sends after training on its examples.

        Args:
            payload: What the server sent.
            round_index: Which round.
            cohort_size: How many sites the round is done with.
            kept: What the site has kept from its last round that was used.
            should_stop: Asked at every batch boundary.

        Raises:
            WireError: If the message is not one of this run.
            Interrupted: If ``should_stop`` said so.
            FedcoreError: If the update cannot be made.
        """
        message = self._opened(payload, self._training_schema)
        if message.base_version != round_index:
            raise WireError(
                f"the message is of round {message.base_version}, not {round_index}",
            )
        task = ClientTask(
            seed=self._context.spec.seed,
            round_index=round_index,
            message=message,
            data=self._context.client_data(self._client_id),
            private=kept,
            cohort_size=cohort_size,
        )
        with one_thread():
            result = client_round(
                self._context.method_of(self._client_id),
                task,
                should_stop,
                self._trainer,
                self._context.pipeline,
            )
        sections = result.update.sections
        payload = words_of(sections).tobytes() if SEALED in sections else encode(result.update)
        return Contribution(payload, result.kept, len(task.data), result.duration_s)

    def test(self, payload: bytes, *, should_stop: ShouldStop) -> Tested:
        """Return how a model does on the site's held-out examples, as sums.

        Raises:
            WireError: If the message is not a model of this run.
            Interrupted: If ``should_stop`` said so.
        """
        began = perf_counter()
        message = self._opened(payload, self._test_schema)
        weights = {**message.sections[MODEL], **message.sections.get(BUFFERS, {})}
        context, test = self._context, self._context.dataset.test
        total: torch.Tensor | None = None
        with one_thread(), torch.no_grad():
            apply = self._trainer.outputs(context.method, Params.of(weights))
            for start in range(0, len(test), BATCH_SIZE):
                if should_stop():
                    raise Interrupted
                x, y = test.x[start : start + BATCH_SIZE], test.y[start : start + BATCH_SIZE]
                tally = context.objective.tally(apply(x), y).sum(0)
                total = tally if total is None else total + tally
        sums = () if total is None else tuple(total.tolist())
        return Tested(sums, len(test), perf_counter() - began)

    def _opened(self, payload: bytes, schema: Schema) -> Message:
        message = decode_message(payload, schema, max_bytes=encoded_size(schema))
        device = self._context.device
        placed = {
            name: section.to(device)
            if isinstance(section, Params)
            else {key: tensor.to(device) for key, tensor in section.items()}
            for name, section in message.sections.items()
        }
        return Message(sections=placed, base_version=message.base_version, scalars=message.scalars)


def save_kept(path: Path, kept: ClientState) -> None:
    """Write what a site keeps between rounds, replacing what is there.

    Raises:
        StorageError: If it cannot be written.
    """
    packer = StatePacker()
    content = json.dumps(packer.store(ClientStore({0: kept})), separators=(",", ":"))
    infos = [info_of(str(number), tensor) for number, tensor in enumerate(packer.tensors)]
    parts = [tensor_bytes(tensor) for tensor in packer.tensors]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, [header_bytes(infos, {_KEPT: content}), *parts])
    except OSError as error:
        raise StorageError(f"cannot write {path.name}: {error.strerror or error}") from error


def load_kept(path: Path) -> ClientState | None:
    """Return what a site has kept, None if there is nothing.

    Raises:
        CheckpointError: If the file is damaged.
    """
    if not path.exists():
        return None
    try:
        payload = path.read_bytes()
        named = dict(read(payload))
        tensors = [named[str(number)] for number in range(len(named))]
        return StateUnpacker(tensors).store(json.loads(read_metadata(payload)[_KEPT]))[0]
    except (OSError, WireError, KeyError, IndexError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path.name} is damaged: {error}") from error
