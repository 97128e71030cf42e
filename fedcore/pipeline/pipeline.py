"""What happens to a message between the hooks of a method and the wire, in a fixed order.

A client: wrong labels (an adversary's) -> training -> reversed or noisy update (an adversary's) ->
cut to a length -> what its memory holds is added -> entries are chosen -> values are coded, or all
numbers become words that add up -> wire. The server: size, sender and schema are checked -> decoded
-> checked to be finite -> cut to the length again, whatever the client did and whatever decoding
has lengthened -> the aggregator -> a sum of words is decoded -> noise on the sum -> division by a
constant -> the server's step -> the account.

Adversaries pass the same pipeline as everybody; the memory is updated with what was really sent.
Where coding lengthens an update or adds what was left out before, the server alone cuts it: what is
cut last is what noise was made for.

Everything is a pure function of the message and of ``(seed, round, client)``, so any executor may
do a client's part anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import torch

from fedcore.attacks import Adversaries, Distort, recruit
from fedcore.clients.training import ClientData
from fedcore.compression import Chain, CodecContext, Compressor
from fedcore.errors import WireError
from fedcore.messages import Update
from fedcore.params import Layout, Params, Section
from fedcore.pipeline.announcer import PACKED, Announcer
from fedcore.privacy.clients import CLIPPING
from fedcore.privacy.promises import Promises
from fedcore.spec import RunSpec
from fedcore.state import BUFFERS, ClientState, RunState
from fedcore.wire.container import TensorInfo
from fedcore.wire.schema import Schema


@dataclass(frozen=True)
class Sent:
    """What leaves a client, and what stays there.

    Attributes:
        update: What is put on the wire.
        kept: What the client keeps, if the update is applied; None to keep what it had.
    """

    update: Update
    kept: ClientState | None


@dataclass(frozen=True)
class Pipeline:
    """The steps that a spec asks for; without any, messages pass unchanged.

    Attributes:
        compressor: Codes updates; None sends 32-bit numbers.
        downlink: Codes what the server sends; None sends 32-bit numbers.
        adversaries: Clients that attack; None in an honest run.
        promises: What is promised about the clients' data.
    """

    compressor: Compressor | None = None
    downlink: Chain | None = None
    adversaries: Adversaries | None = None
    promises: Promises = field(default_factory=Promises)

    def attacking(self, client_ids: Iterable[int], round_index: int) -> tuple[int, ...]:
        """Return which of some clients attack in a round."""
        if self.adversaries is None:
            return ()
        attacks = self.adversaries.attacking
        return tuple(client_id for client_id in client_ids if attacks(client_id, round_index))

    # --- server, before the clients' work -------------------------------------------------------

    def announcer(self, state: RunState, seed: int) -> Announcer:
        """Return what delivers the server's messages of the next round."""
        return Announcer(self.downlink, state, seed)

    # --- client ----------------------------------------------------------------------------------

    def training_data(self, data: ClientData, round_index: int) -> ClientData:
        """Return what a client trains on."""
        if self.adversaries is None:
            return data
        return self.adversaries.poison_data(data, round_index)

    def send(
        self,
        update: Update,
        before: ClientState | None,
        kept: ClientState | None,
        context: CodecContext,
        distorted: Distort,
        *,
        told: Mapping[str, float],
    ) -> Sent:
        """Return what a client sends.

        Args:
            update: What the method sends.
            before: What the client had kept until this round.
            kept: What the method keeps from now on; None if that does not change.
            context: Whose update of which round this is.
            distorted: Applies an attack to an update.
            told: What the server has said beside the model.

        Raises:
            CodecError: If the update cannot be coded.
        """
        if self.adversaries is not None:
            update = self.adversaries.poison_update(
                update, context.seed, context.round_index, distorted
            )
        update = self.promises.cut(update, told, keeps_length=self._keeps_length)
        if self.compressor is None:
            return Sent(self.promises.sealed(update, told), kept)
        memories = {} if before is None else before.memory
        sections: dict[str, Section] = {}
        remembered: dict[str, Section] = {}
        for name, section in update.sections.items():
            if isinstance(section, Params):
                done = self.compressor.compress(section, memories.get(name, {}), context)
                sections[name] = {PACKED: done.data}
                if done.memory:
                    remembered[name] = done.memory
            else:
                sections[name] = section
        coded = self.promises.sealed(replace(update, sections=sections), told)
        return Sent(coded, _with_memory(kept, before, remembered))

    @property
    def _keeps_length(self) -> bool:
        """Whether a client's update is no longer after it was coded than before."""
        links = () if self.compressor is None else self.compressor.chain.links
        return not any(link.has_memory or link.is_unbiased for link in links)

    # --- server, with the updates ----------------------------------------------------------------

    def on_wire(self, plain: Schema, round_index: int) -> Schema:
        """Return the schema that updates have on the wire, given the one that the method expects.

        It fixes the size of every update: a larger one is refused before it is decoded.
        """
        if self.compressor is None:
            return plain
        chain = self.compressor.chain
        sections = tuple(
            (name, (_packed_info(chain, infos, round_index),) if _is_coded(name, infos) else infos)
            for name, infos in plain.sections
        )
        return replace(plain, sections=sections)

    def open(self, update: Update, plain: Schema, round_index: int) -> Update:
        """Return an update as the method expects it.

        Raises:
            WireError: If it cannot be decoded.
        """
        if self.compressor is None:
            return update
        sections = {
            name: self.compressor.chain.decode(
                update.sections[name][PACKED], _layout_of(infos), round_index
            )
            if _is_coded(name, infos)
            else update.sections[name]
            for name, infos in plain.sections
        }
        return replace(update, sections=sections)

    def remark(self, update: Update) -> str | None:
        """Return what is odd about an update that was let in, as one sentence, if anything is."""
        vectors = [part for part in update.sections.values() if isinstance(part, Params)]
        if self.compressor is None or any(bool(part.flat.any()) for part in vectors):
            return None
        return (
            "Compression left nothing of the update; use more bits, mode absmax or error feedback."
        )

    def take_back(
        self, sent: Sent, before: ClientState | None, plain: Schema, round_index: int
    ) -> ClientState | None:
        """Return what a client keeps whose update was not applied, so that nothing is lost.

        None leaves it with what it had, which is all there is to do for bytes that do not decode.
        """
        if self.compressor is None or sent.kept is None or not sent.kept.memory:
            return None
        infos_of = dict(plain.sections)
        remembered: dict[str, Section] = {}
        try:
            for name, memory in sent.kept.memory.items():
                data = sent.update.sections[name][PACKED]
                layout = _layout_of(infos_of[name])
                remembered[name] = self.compressor.restore(memory, data, layout, round_index)
        except WireError:
            return None
        return _with_memory(None, before, remembered)


#: Without any step.
PLAIN = Pipeline()


def build_pipeline(
    spec: RunSpec, *, num_clients: int, num_labels: int, promises: Promises
) -> Pipeline:
    """Return the pipeline of a run.

    Args:
        spec: What the run was asked to be.
        num_clients: Its clients.
        num_labels: Classes of the data set; 0 if it has none.
        promises: What is promised about the clients' data.

    Raises:
        DatasetError: If an attack needs labels that the data set does not have.
    """
    uplink, downlink = spec.compression.uplink, spec.compression.downlink
    return Pipeline(
        compressor=Compressor(Chain(uplink)) if uplink else None,
        downlink=Chain(downlink) if downlink else None,
        adversaries=None
        if spec.attack is None
        else recruit(spec.attack, seed=spec.seed, num_clients=num_clients, num_classes=num_labels),
        promises=promises,
    )


def _with_memory(
    kept: ClientState | None, before: ClientState | None, memory: Mapping[str, Section]
) -> ClientState | None:
    """Return what a client keeps, with this memory; None if it keeps nothing new."""
    if not memory:
        return kept
    own = kept or before or ClientState({})
    return replace(own, memory=memory)


def _is_coded(name: str, infos: tuple[TensorInfo, ...]) -> bool:
    """Return whether a section is one vector, which is compressed; buffers travel as they are."""
    return name not in (BUFFERS, CLIPPING) and all(info.dtype == torch.float32 for info in infos)


def _layout_of(infos: tuple[TensorInfo, ...]) -> Layout:
    return Layout(tuple(info.name for info in infos), tuple(info.shape for info in infos))


def _packed_info(chain: Chain, infos: tuple[TensorInfo, ...], round_index: int) -> TensorInfo:
    return TensorInfo(PACKED, torch.uint8, (chain.num_bytes(_layout_of(infos), round_index),))
