"""The client side of the Flower contender, in a module that Ray's actor processes can import."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from flwr.app import (  # type: ignore[import-not-found]
    ArrayRecord,
    Context,
    Message,
    MetricRecord,
    RecordDict,
)
from flwr.clientapp import ClientApp  # type: ignore[import-not-found]
from torch import nn

from benchmarks.peers.plain_loop import train_client
from benchmarks.peers.tensors import Arguments, Shared, build
from benchmarks.workloads import WORKLOADS


@lru_cache
def _kept(workload: str, folder: str) -> tuple[Shared, nn.Module]:
    """Return data and model of this actor process, made at its first client."""
    torch.set_num_threads(1)
    return Shared(Path(folder)), build(WORKLOADS[workload])


def client_app(given: Arguments) -> Any:
    """Return the client side."""
    app = ClientApp()
    name, folder = given.workload.name, str(given.data)

    @app.train()  # type: ignore[untyped-decorator]
    def train(message: Message, context: Context) -> Message:
        shared, model = _kept(name, folder)
        model.load_state_dict(message.content["arrays"].to_torch_state_dict())
        x, y = shared.client(int(context.node_config["partition-id"]))
        train_client(model, x, y, WORKLOADS[name])
        content = RecordDict(
            {
                "arrays": ArrayRecord(model.state_dict()),
                "metrics": MetricRecord({"num-examples": len(y)}),
            }
        )
        return Message(content=content, reply_to=message)

    return app
