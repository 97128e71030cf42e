"""Differential privacy and secure aggregation: what a run promises about the clients' data.

Source: McMahan et al., ICLR 2018, arXiv:1710.06963 (clients); Abadi et al., CCS 2016,
arXiv:1607.00133 (examples); Andrew et al., NeurIPS 2021, arXiv:1905.03871 (a clip that follows the
updates); Bonawitz et al., CCS 2017, eprint 2017/281 (secure aggregation).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, model_validator

from fedcore.spec.base import BASIC, Spec, either, instead_of, only_with, slider

#: Fewest clients in a secure sum: a sum of two tells each of them the other's numbers.
FEWEST_IN_SUM = 3
#: Delta is at most one over this power of how many there are to protect.
_DELTA_POWER = 1.1


def largest_delta(count: int) -> float:
    """Return the largest delta that promises something to one of so many clients or examples.

    With one over their number, publishing one of them outright would be allowed.
    """
    return math.pow(max(count, 2), -_DELTA_POWER)


class DpSpec(Spec):
    """Differential privacy: what is released hardly depends on any one client, or any one example.

    Either the promise is given (epsilon), and noise is made to fit it over all rounds, or the noise
    is, and the run says what it promises.
    """

    level: Literal["client", "example"] = Field(
        "client",
        description="Who is protected: a client with all of its data, by noise of the server; or "
        "each single example, by noise that its client adds in every local step.",
        json_schema_extra=BASIC,
    )
    epsilon: float | None = Field(
        8.0,
        gt=0,
        le=1000,
        description="Largest privacy loss of the whole run; smaller is more private. 1 to 10 is "
        "usual. Empty when noise is given.",
        json_schema_extra=BASIC | slider(0.1, 100, "log"),
    )
    noise_multiplier: float | None = Field(
        None,
        ge=0,
        le=1000,
        description="Standard deviation of the noise as a multiple of the clip, instead of "
        "epsilon; 0 adds none and promises nothing.",
        json_schema_extra=instead_of("epsilon"),
    )
    delta: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Chance that the promise does not hold. Empty is one over the 1.1th power of "
        "the number of clients, or of training examples; it may not be larger.",
    )
    clip_norm: float = Field(
        1.0,
        gt=0,
        le=1e12,
        description="Longest update of a client, or gradient of an example; longer ones are cut "
        "to it, and the noise grows with it.",
        json_schema_extra=BASIC | slider(0.01, 100, "log"),
    )
    adaptive_clip: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of updates that shall be shorter than the clip, which then follows "
        "them from clip_norm on; 0.5 is usual. Empty keeps the clip as it is.",
        json_schema_extra=only_with("level", "client"),
    )

    @model_validator(mode="before")
    @classmethod
    def _noise_replaces_epsilon(cls, data: Any) -> Any:
        return either(data, "epsilon", "noise_multiplier")


class PrivacySpec(Spec):
    """What a run promises about the clients' data; by default nothing."""

    dp: DpSpec | None = Field(
        None,
        description="Differential privacy: clipping and noise, with an account of what they "
        "promise.",
    )
    secure_aggregation: bool = Field(
        default=False,
        description="Clients send integers under masks that cancel in the sum: the server learns "
        "the sum of a round and no single update.",
    )

    def protects(self, level: Literal["client", "example"]) -> bool:
        """Return whether there is differential privacy of this level."""
        return self.dp is not None and self.dp.level == level


@dataclass(frozen=True)
class Promise:
    """What the catalogue says of one of the promises, which have no ``kind`` of their own.

    Attributes:
        kind: Its name in the catalogue.
        path: The setting that makes it, and ``value`` what it is set to.
        value: See ``path``.
        title: Name for people.
        summary: One sentence.
        description: The rest of the explanation.
        paper: Where the idea comes from.
        synonyms: Other names that people use.
        constraints: What it needs, in words.
        settings: The class that holds its settings.
        example: The shortest spec document that uses it.
    """

    kind: str
    path: str
    value: str | bool
    title: str
    summary: str
    description: str
    paper: str
    synonyms: tuple[str, ...]
    constraints: tuple[str, ...]
    settings: type[Spec]
    example: dict[str, Any]


PROMISES = (
    Promise(
        kind="client",
        path="privacy.dp.level",
        value="client",
        title="Client-level differential privacy",
        summary="The model hardly depends on whether any one client took part, with all its data.",
        description="Clients' updates are cut to a length, and the server adds noise to their sum "
        "before it divides by the number of clients that a round has on average. The server is "
        "trusted; the models that it publishes are protected. It takes many clients: noise that "
        "hides one of a thousand drowns ten.",
        paper="McMahan et al., ICLR 2018, arXiv:1710.06963",
        synonyms=(
            "dp-fedavg", "client level privacy", "user-level privacy", "user-level dp",
            "client-level dp", "user-level differential privacy", "central differential privacy",
            "central dp", "differential privacy", "differentially private", "dp",
            "differentielle Privatsphäre", "differenzielle Privatsphäre", "Differential Privacy",
            "differenziell privat", "differentiell privat", "confidentialité différentielle",
            "vie privée différentielle", "différentiellement privé", "privacidad diferencial",
            "diferencialmente privado", "差分隐私", "客户端级差分隐私", "用户级差分隐私",
        ),
        constraints=(
            "a method whose clients send one change of the model",
            "aggregation mean with weighting uniform",
            "sampling poisson, random or full",
        ),
        settings=DpSpec,
        example={
            "privacy": {"dp": {"level": "client"}},
            "aggregation": {"kind": "mean", "weighting": "uniform"},
            "sampling": {"kind": "poisson"},
        },
    ),
    Promise(
        kind="example",
        path="privacy.dp.level",
        value="example",
        title="Example-level differential privacy",
        summary="What leaves a client hardly depends on any one of its training examples.",
        description="In every local step the gradient of each example is cut to a length and "
        "noise is added to their sum (DP-SGD). What a client sends is private already, so the "
        "server need not be trusted, and whatever it does with updates costs nothing more. Each "
        "client has its own account; that of the run is the largest.",
        paper="Abadi et al., CCS 2016, arXiv:1607.00133",
        synonyms=(
            "dp-sgd", "dpsgd", "record-level privacy", "record-level dp", "example-level dp",
            "example level privacy", "record-level differential privacy",
            "local differential privacy", "local dp", "lokale differentielle Privatsphäre",
            "confidentialité différentielle locale", "privacidad diferencial local",
            "样本级差分隐私", "本地差分隐私",
        ),
        constraints=(
            "a method whose clients take plain steps",
            "a model without running statistics",
        ),
        settings=DpSpec,
        example={"privacy": {"dp": {"level": "example"}}},
    ),
    Promise(
        kind="secure_aggregation",
        path="privacy.secure_aggregation",
        value=True,
        title="Secure aggregation",
        summary="The server learns the sum of a round's updates, and no single one of them.",
        description="Updates become integers, and every pair of clients agrees on a mask that one "
        "adds and the other subtracts. Clients that are lost on the way are recovered from shares "
        "that the others hold. A simulated run computes the same integers, and so has the numbers "
        "of a real one. It hides updates from the server, not from the model: combine it with "
        "differential privacy.",
        paper="Bonawitz et al., CCS 2017, eprint 2017/281",
        synonyms=(
            "secagg", "secure sum", "masked updates", "secure aggregate", "securely aggregate",
            "sichere Aggregation", "sicherer Aggregation", "sicheren Aggregation",
            "sicher aggregieren",
            "agrégation sécurisée", "agrégation sûre", "agregación segura", "suma segura",
            "安全聚合", "安全聚合协议",
        ),
        constraints=(
            "a method whose clients send one change of the model",
            "aggregation mean, no upload compression",
            f"{FEWEST_IN_SUM} or more clients per round",
        ),
        settings=PrivacySpec,
        example={"privacy": {"secure_aggregation": True}},
    ),
)  # fmt: skip
