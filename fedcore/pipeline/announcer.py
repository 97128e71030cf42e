"""The server's messages of one round, compressed.

A chain that keeps a model usable (casts, fine quantisers) codes the weights themselves; nobody has
to remember anything. Any other chain codes the change since the last message: the server keeps what
its listeners hold, so whatever a message leaves out is part of the next change, and a client that
has missed the last message gets everything, uncompressed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fedcore.compression import Chain, CodecContext
from fedcore.messages import Message
from fedcore.params import Params, Section, add, subtract
from fedcore.state import Broadcast, RunState
from fedcore.wire import encoded_size, schema_of

#: Name of the one tensor of a packed section.
PACKED = "packed"


@dataclass(frozen=True, eq=False)
class Delivery:
    """A message for one client.

    Attributes:
        message: As the client sees it.
        num_bytes: Its size on the wire; None if it travels as it is.
    """

    message: Message
    num_bytes: int | None


@dataclass(frozen=True, eq=False)
class _Coded:
    """A section that was coded once for all clients."""

    original: Params
    received: Params
    packed: Section
    is_change: bool


class Announcer:
    """Codes each section once and delivers it to every client of a round."""

    def __init__(self, chain: Chain | None, state: RunState, seed: int) -> None:
        self._chain = chain
        self._state = state
        self._context = CodecContext(seed, state.round_index)
        self._coded: dict[int, _Coded] = {}
        self._shared = {id(section) for section in state.tensors.values()}
        self._known: dict[str, Section] = {}

    def deliver(self, message: Message, client_id: int) -> Delivery:
        """Return a message as a client gets it.

        Raises:
            CodecError: If it cannot be coded.
        """
        if self._chain is None:
            return Delivery(message, None)
        is_synced = self._state.broadcast.heard.get(client_id) == self._state.round_index - 1
        received: dict[str, Section] = {}
        travelling: dict[str, Section] = {}
        for name, section in message.sections.items():
            coded = self._code(self._chain, name, section)
            if coded is None:
                received[name] = travelling[name] = section
            else:
                received[name] = coded.received
                is_packed = is_synced or not coded.is_change
                travelling[name] = coded.packed if is_packed else coded.received
        on_wire = replace(message, sections=travelling)
        return Delivery(replace(message, sections=received), encoded_size(schema_of(on_wire)))

    def broadcast(self) -> Broadcast:
        """Return what the listeners hold now; who they are is known at the end of the round."""
        return replace(self._state.broadcast, sections=self._known)

    def _code(self, chain: Chain, name: str, section: Section) -> _Coded | None:
        """Return a section coded, or None for one that travels as it is."""
        if not isinstance(section, Params):
            return None
        known = self._coded.get(id(section))
        if known is None:
            is_lossless = chain.is_lossless(section.layout, self._context.round_index)
            if chain.fits_weights or is_lossless:
                known = self._code_weights(chain, section)
            elif id(section) in self._shared:
                known = self._code_change(chain, name, section)
            else:
                return None  # made for one client: nobody else has heard of it
            self._coded[id(section)] = known  # it holds the section, so the id stays taken
        return known

    def _code_weights(self, chain: Chain, section: Params) -> _Coded:
        data = chain.encode(section, self._context).data
        received = chain.decode(data, section.layout, self._context.round_index)
        return _Coded(section, received, {PACKED: data}, is_change=False)

    def _code_change(self, chain: Chain, name: str, section: Params) -> _Coded:
        before = self._state.broadcast.sections.get(name)
        if not isinstance(before, Params):
            self._known[name] = section
            return _Coded(section, section, section, is_change=True)
        change = subtract(section, before)
        data = chain.encode(change, self._context).data
        received = add(before, chain.decode(data, section.layout, self._context.round_index))
        self._known[name] = received
        return _Coded(section, received, {PACKED: data}, is_change=True)
