"""FedGH: the server trains one header on class means of clients whose models differ.

Source: Yi, Wang, Liu, Shi and Yu, "FedGH: Heterogeneous Federated Learning with Generalized Global
Header", ACM MM 2023, arXiv:2303.13137, Algorithm 1. Paper to code: the global header is the section
``model`` of the state, weight (classes, features) and bias; V_k^s is ``prototypes``, the mean
feature of client k's examples of class s after its training, with the model as it is tested. The
authors' code takes the mean of the means of batches, which differs where batches are uneven, and
its server steps an optimiser of another module, so its header never moves; here the mean is exact
and the header is trained. The server's step and its passes are our choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from fedcore.algorithms.base import LOSS, METHODS, OWN, Gradient
from fedcore.algorithms.gathering import GatheringMethod
from fedcore.clients.training import Batch, ClientData, LocalContext, Trained
from fedcore.errors import ModelError
from fedcore.messages import Message, Update
from fedcore.models.base import FeatureModel
from fedcore.models.layers import last_layers, tensor_names
from fedcore.params import Layout, Params, Section, vector
from fedcore.rng import Purpose, rng
from fedcore.spec.algorithms import FedGhSpec
from fedcore.state import MODEL, ClientState, RunState
from fedcore.tasks import Classification
from fedcore.weights import ParamView, Weights
from fedcore.wire.container import TensorInfo
from fedcore.wire.schema import Schema

PROTOTYPES = "prototypes"
CLASSES = "classes"
#: Section of what a client keeps: the header as its own training left it.
HEADER = "header"
#: What the tensors of a header are called outside of a model.
NAMES = ("weight", "bias")
#: Cross-entropy of the header on the class means of the last round, after its training.
HEADER_LOSS = "header_loss"
#: Examples whose activations are in memory at the same time.
CHUNK = 1000


@METHODS.implements(FedGhSpec)
@dataclass(frozen=True, eq=False)
class FedGh(GatheringMethod[FedGhSpec]):
    """There is no global model: a client predicts with its extractor and a header."""

    def __post_init__(self) -> None:
        if not isinstance(self.context.objective, Classification):
            raise ModelError(
                "FedGH needs examples with one label each",
                field="algorithm.kind",
                fix="Use another method, or a data set with classes.",
            )

    def param_view(self) -> ParamView:
        """Return that all but the last layer stays."""
        model = self.context.model
        return ParamView(frozenset(tensor_names(model)) - last_layers(model, 1))

    # --- clients ---------------------------------------------------------------------------------

    def initial_tensors(self, model: Params) -> Mapping[str, Section]:
        """Return the header of the first architecture, with which all begin."""
        return {MODEL: _as_header(self.view.shared(model))}

    def receive(self, message: Message, private: ClientState | None) -> Mapping[str, Weights]:
        """Return the client's model with the server's header, or with its own."""
        header = vector(message.sections, MODEL)
        if not self.spec.replace_header and private is not None:
            header = vector(private.sections, HEADER)
        return {MODEL: self._with_header(header, private)}

    def transform_grad(
        self, gradient: Gradient, weights: Tensor, batch: Batch, context: LocalContext
    ) -> Tensor:
        """Return the gradient, shortened to ``max_grad_norm``."""
        direction = super().transform_grad(gradient, weights, batch, context)
        length = torch.linalg.vector_norm(direction)
        shortened: Tensor = direction * (self.spec.max_grad_norm / length).clamp(max=1.0)
        return shortened

    def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
        """Return the mean feature of every class that the client holds, and how many it has."""
        labels, counts, means = self._class_means(trained.weights, data)
        return Update(
            sections={
                PROTOTYPES: Params.of({"mean": means}),
                CLASSES: {"label": labels.to(torch.int32), "count": counts.to(torch.int32)},
            },
            scalars={LOSS: trained.loss},
            base_version=message.base_version,
            client_id=data.client_id,
            weight=self.weight(data),
        )

    def keep(
        self,
        trained: Trained,
        message: Message,  # noqa: ARG002
        private: ClientState | None,  # noqa: ARG002
    ) -> ClientState | None:
        """Return the extractor, and the header beside it."""
        weights = trained.weights
        header = _as_header(self.view.shared(weights.params))
        return ClientState({OWN: self.view.own(weights), HEADER: header})

    def _class_means(self, weights: Weights, data: ClientData) -> tuple[Tensor, Tensor, Tensor]:
        """Return labels, examples of each, and their mean features (labels, features)."""
        model = self.context.model
        if not isinstance(model, FeatureModel):
            raise TypeError(f"{type(model).__name__} shows no features")
        named = {**weights.params, **weights.buffers}
        with torch.no_grad():
            chunks = [
                model.features(named, data.examples.x.index_select(0, rows)).double()
                for rows in data.rows.split(CHUNK)
            ]
            features = torch.cat(chunks)
            own = data.examples.y.index_select(0, data.rows)
            labels, place, counts = own.unique(return_inverse=True, return_counts=True)
            sums = features.new_zeros(len(labels), features.shape[1]).index_add(0, place, features)
        return labels, counts, (sums / counts.unsqueeze(1)).float()

    # --- server ----------------------------------------------------------------------------------

    def expected_update(self, state: RunState, client_id: int) -> Schema:  # noqa: ARG002
        """Return at most one vector per class."""
        classes, width = state.model["weight"].shape
        mean = TensorInfo("mean", torch.float32, (classes, width), is_longest=True)
        counted = tuple(
            TensorInfo(name, torch.int32, (classes,), is_longest=True)
            for name in ("label", "count")
        )
        return Schema("update", ((PROTOTYPES, (mean,)), (CLASSES, counted)), (LOSS,))

    def objection(self, update: Update) -> str | None:
        """Return what is wrong with the classes that an update speaks of."""
        labels, counts = update.sections[CLASSES]["label"], update.sections[CLASSES]["count"]
        num_means = len(update.sections[PROTOTYPES]["mean"])
        if not len(labels) == len(counts) == num_means > 0:
            return f"bad classes: {len(labels)} labels, {len(counts)} counts, {num_means} means"
        if int(counts.min()) < 1 or len(labels.unique()) != len(labels):
            return "bad classes: one appears twice, or has no examples"
        num_classes = self.view.shared_layout(self.context.layout).shapes[-1][0]
        if int(labels.min()) < 0 or int(labels.max()) >= num_classes:
            return f"bad classes: there are only {num_classes}"
        return None

    def server_train(self, state: RunState, updates: Sequence[Update]) -> RunState:
        """Return the state with the header trained on the class means."""
        means = torch.cat([update.sections[PROTOTYPES]["mean"] for update in updates])
        labels = torch.cat([update.sections[CLASSES]["label"] for update in updates]).long()
        counts = torch.cat([update.sections[CLASSES]["count"] for update in updates])
        shares = counts / counts.double().mean() if self.spec.weighted else torch.ones_like(counts)
        header = state.model.clone()
        for rows in self._batches(len(labels), state.round_index):
            self._step(header, means[rows], labels[rows], shares[rows].float())
        loss = functional.cross_entropy(_logits(header, means), labels)
        return replace(
            state,
            tensors={**state.tensors, MODEL: header},
            method={**state.method, HEADER_LOSS: float(loss)},
        )

    def _batches(self, count: int, round_index: int) -> Iterator[Tensor]:
        """Yield the class means of each step: in their order one by one, else shuffled."""
        size = self.spec.header_batch
        generator = rng(self.context.seed, Purpose.SERVER_ORDER, round_index)
        for _ in range(self.spec.header_epochs):
            in_order = torch.arange(count)
            order = in_order if size == 1 else torch.randperm(count, generator=generator)
            yield from order.split(size)

    def _step(self, header: Params, means: Tensor, labels: Tensor, shares: Tensor) -> None:
        """Take one step of SGD on the mean cross-entropy, in place."""
        error = _logits(header, means).softmax(1)
        error[torch.arange(len(labels)), labels] -= 1.0
        error *= shares.unsqueeze(1) / len(labels)
        header["weight"].sub_(error.T @ means, alpha=self.spec.header_lr)
        header["bias"].sub_(error.sum(0), alpha=self.spec.header_lr)

    # --- afterwards ------------------------------------------------------------------------------

    def evaluate_model(self, state: RunState) -> Weights | None:  # noqa: ARG002
        """Return None: the mean of extractors that were never brought together is no model."""
        return None

    def personal_model(self, state: RunState, client_id: int) -> Weights:
        """Return a client's extractor with the header that the spec asks for."""
        private = state.clients.get(client_id)
        header = state.model
        if private is not None and self.spec.predict_with == "own_header":
            header = vector(private.sections, HEADER)
        return self._with_header(header, private)

    def round_metrics(self, state: RunState) -> Mapping[str, float]:
        """Return how well the header tells the class means of the round apart."""
        return {HEADER_LOSS: float(str(state.method[HEADER_LOSS]))}

    def _with_header(self, header: Params, private: ClientState | None) -> Weights:
        """Return a whole model of the architecture at hand."""
        names = self.view.shared_layout(self.context.layout)
        return self.completed(Weights(Params(names, header.flat)), private)


def _as_header(layer: Params) -> Params:
    """Return an output layer under names that no model has to itself."""
    return Params(Layout(NAMES, layer.layout.shapes), layer.flat)


def _logits(header: Params, features: Tensor) -> Tensor:
    return functional.linear(features, header["weight"], header["bias"])
