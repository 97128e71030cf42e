"""Which tensors of a model travel, and which stay with the client they belong to.

A client trains all of them. What is shared is received, sent and combined; the rest is the client's
own and is kept between rounds. Everything here works on names, whatever the method means by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import torch

from fedcore.params import Layout, Params, Section


@dataclass(frozen=True, eq=False)
class Weights:
    """All tensors of one model.

    Attributes:
        params: What an optimiser moves.
        buffers: What training moves by itself, such as running statistics; empty for most models.
    """

    params: Params
    buffers: Section = field(default_factory=dict)


@dataclass(frozen=True)
class ParamView:
    """How the tensors of a model are divided between the server and a client.

    Attributes:
        private: Names of the parameters and buffers that stay on the client.
    """

    private: frozenset[str] = frozenset()

    def shared_layout(self, layout: Layout) -> Layout:
        """Return the layout of the parameters that travel."""
        if not self.private:
            return layout
        return _part(layout, self.private, is_kept=False)

    def shared(self, params: Params) -> Params:
        """Return the parameters that travel; the same object if those are all."""
        return _select(params, self.shared_layout(params.layout))

    def shared_buffers(self, buffers: Section) -> Section:
        """Return the buffers that travel; the same object if those are all."""
        return _filtered(buffers, lambda name: name not in self.private)

    def own(self, weights: Weights) -> Params:
        """Return the parameters and buffers that stay, as one vector of named tensors."""
        params = _select(weights.params, _part(weights.params.layout, self.private, is_kept=True))
        buffers = _filtered(weights.buffers, lambda name: name in self.private)
        return Params.of({**params, **buffers}) if buffers else params

    def join(self, layout: Layout, shared: Weights, own: Params) -> Weights:
        """Return a whole model.

        Args:
            layout: All of its parameters.
            shared: What has travelled.
            own: What ``own`` has returned.
        """
        if not self.private:
            return shared
        named = {**shared.params, **own}
        flat = torch.cat([named[name].reshape(-1) for name in layout.names])
        buffers = {name: tensor for name, tensor in own.items() if name not in layout}
        return Weights(Params(layout, flat), {**shared.buffers, **buffers})


#: Everything travels.
ALL_SHARED = ParamView()


@lru_cache(maxsize=256)
def _part(layout: Layout, names: frozenset[str], *, is_kept: bool) -> Layout:
    """Return the layout of the tensors that are among some names, or of the others."""
    chosen = [
        (name, shape)
        for name, shape in zip(layout.names, layout.shapes, strict=True)
        if (name in names) is is_kept
    ]
    if len(chosen) == len(layout.names):
        return layout
    return Layout(tuple(name for name, _ in chosen), tuple(shape for _, shape in chosen))


def _select(params: Params, layout: Layout) -> Params:
    if layout is params.layout or layout == params.layout:
        return params
    pieces = [params[name].reshape(-1) for name in layout.names]
    flat = torch.cat(pieces) if pieces else params.flat.new_empty(0)
    return Params(layout, flat)


def _filtered(section: Section, is_wanted: Callable[[str], bool]) -> Section:
    chosen: Mapping[str, torch.Tensor] = {
        name: tensor for name, tensor in section.items() if is_wanted(name)
    }
    return section if len(chosen) == len(section) else chosen


def mean_of(parts: list[Params]) -> Params:
    """Return the mean of vectors of one layout, all of which count alike."""
    return parts[0].with_flat(torch.stack([part.flat for part in parts]).mean(0))
