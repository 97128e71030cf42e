"""Client-level differential privacy: DP-FedAvg with a trusted server.

Clients' changes are cut to a length C, the server adds them up, adds noise of z C to every number
of the sum, and divides by the number of clients that a round has on average, which is a constant:
with the real number the result would tell who was there. Whatever the server does then costs
nothing more.

Source: McMahan, Ramage, Talwar and Zhang, ICLR 2018, arXiv:1710.06963, Algorithm 1; Andrew,
Thakkar, McMahan and Ramaswamy, NeurIPS 2021, arXiv:1905.03871, Algorithm 1 and theorem 1 (the clip
that follows the updates). Paper to code: S or C is ``clip``, z is ``noise``, qN is
``expected_cohort``, gamma is ``dp.adaptive_clip``, b_i - 1/2 is the tensor ``short`` of the
section ``clipping``, eta_C is ``CLIP_LR``, sigma_b is ``COUNT_NOISE_SHARE`` times qN.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from fedcore.aggregators import Accumulator
from fedcore.aggregators.clipping import norm, shrink
from fedcore.errors import PrivacyError
from fedcore.messages import Update
from fedcore.params import Layout, Params, Section
from fedcore.privacy.accounts import Account
from fedcore.privacy.ledgers import number, sums_in, with_sum
from fedcore.privacy.noise import KEY_BYTES, Draws, SecretDraws, SeededDraws
from fedcore.rng import Purpose, rng
from fedcore.spec import RunSpec
from fedcore.spec.privacy import DpSpec, largest_delta
from fedcore.spec.promised import sum_of_round
from fedcore.spec.renyi import NoisySum
from fedcore.spec.rules_privacy import COUNT_NOISE_SHARE
from fedcore.spec.rules_trust import SIMULATED
from fedcore.spec.sampling import PoissonSamplingSpec
from fedcore.state import Json, RunState
from fedcore.wire import Schema
from fedcore.wire.container import TensorInfo

#: Scalar of what clients are sent: the length that their changes are cut to.
CLIP = "clip"
#: Section of an update that says whether it was shorter than that, where the clip adapts.
CLIPPING = "clipping"
SHORT = "short"
CLIPPING_INFO = (CLIPPING, (TensorInfo(SHORT, torch.float32, (1,)),))
#: Section of an update that is the client's change.
_DELTA = "delta"
#: How fast the clip follows the updates.
CLIP_LR = 0.2
HALF = 0.5
#: What the state keeps: the noise multiplier and the clip of the next round.
NOISE = "noise_multiplier"
#: On real sites also the key of the noise, which only the server knows.
KEY = "key"


@dataclass(frozen=True)
class ClientPrivacy:
    """Protects each client of a run with all its data.

    Attributes:
        spec: Of the whole run.
        dp: What it asks for.
        num_clients: Clients that could take part.
    """

    spec: RunSpec
    dp: DpSpec
    num_clients: int

    # --- before the first round -----------------------------------------------------------------

    def begin(self) -> dict[str, Json]:
        """Return what the state keeps.

        Raises:
            PrivacyError: If no noise is enough for the epsilon of the spec, or counting the short
                updates would take all of it.
        """
        noise = self.dp.noise_multiplier
        if noise is None:
            noise = self.account.noise_for(self.dp.epsilon or math.inf, self._sum_with(1.0))
        self._noise_of_sum(noise)
        kept: dict[str, Json] = {NOISE: noise, CLIP: self.dp.clip_norm}
        if self.spec.runtime.placement not in SIMULATED:
            kept[KEY] = secrets.token_hex(KEY_BYTES)
        return kept

    @cached_property
    def account(self) -> Account:
        """How rounds are accounted for."""
        return Account(self.dp.delta or largest_delta(self.num_clients), self.spec.rounds)

    @property
    def expected_cohort(self) -> float:
        """Clients that a round has on average: what sums are divided by."""
        sampling = self.spec.sampling
        if isinstance(sampling, PoissonSamplingSpec):
            return sampling.chance(self.num_clients) * self.num_clients
        return float(sampling.cohort_size(self.num_clients))

    def _sum_with(self, noise: float) -> NoisySum:
        return sum_of_round(self.spec.sampling, self.num_clients, noise)

    # --- client, and again server -----------------------------------------------------------------

    def clip_of(self, state: RunState) -> float:
        """Return the clip of the next round."""
        return number(state.privacy, CLIP)

    def scalars(self, state: RunState) -> dict[str, float]:
        """Return what clients are told beside the model."""
        return {CLIP: self.clip_of(state)}

    def expected_schema(self, schema: Schema) -> Schema:
        """Return the schema of an update with what privacy adds to it."""
        if self.dp.adaptive_clip is None:
            return schema
        return replace(schema, sections=(*schema.sections, CLIPPING_INFO))

    def length_of(self, update: Update) -> int:
        """Return how many numbers a change has."""
        return _change(update).layout.total

    def flagged(self, update: Update, clip: float) -> Update:
        """Return an update that says whether it is short, where the clip adapts."""
        if self.dp.adaptive_clip is None:
            return update
        flag = torch.tensor([HALF if norm(_change(update).flat) <= clip else -HALF])
        return replace(update, sections={**update.sections, CLIPPING: {SHORT: flag}})

    def cut(self, update: Update, clip: float) -> Update:
        """Return an update whose change of the model is no longer than the clip."""
        change = _change(update)
        factor = shrink(norm(change.flat), clip)
        if factor == 1.0:
            return update
        short = change.with_flat(change.flat * factor)
        return replace(update, sections={**update.sections, _DELTA: short})

    def bounded(self, update: Update, clip: float) -> Update:
        """Return an update as the server uses it, whatever the client did."""
        update = self.cut(update, clip)
        if CLIPPING not in update.sections:
            return update
        flag = update.sections[CLIPPING][SHORT].clamp(-HALF, HALF)
        return replace(update, sections={**update.sections, CLIPPING: {SHORT: flag}})

    # --- server, with the sum ---------------------------------------------------------------------

    def release(
        self, accumulator: Accumulator, state: RunState, layout: Layout
    ) -> tuple[Accumulator, RunState]:
        """Return the noisy mean of a round, and the state after it was accounted for.

        Args:
            accumulator: The plain mean of the clipped updates and their number; none at all is a
                round like any other.
            state: Before the round.
            layout: Of the model.
        """
        noise, clip = number(state.privacy, NOISE), self.clip_of(state)
        mean = _mean_of(accumulator, _DELTA, layout.total)
        draws = self._draws(state, mean, accumulator.count)
        std = self._noise_of_sum(noise) * clip
        released = self._noisy(mean, accumulator.count, std, draws)
        sections: dict[str, Section] = {_DELTA: Params(layout, released.to(state.model.flat))}
        kept = {**state.privacy, CLIP: self._next_clip(accumulator, clip, draws)}
        ledger = with_sum(state.ledger, self._sum_with(noise))
        after = replace(state, privacy=kept, ledger=ledger)
        return Accumulator(sections, accumulator.weight, max(accumulator.count, 1)), after

    def metrics(self, state: RunState) -> dict[str, float]:
        """Return what the rounds so far have spent, and the clip where it moves."""
        found = {"epsilon": self.account.epsilon([sums_in(event) for event in state.ledger])}
        if self.dp.adaptive_clip is not None:
            found["clip_norm"] = self.clip_of(state)
        return found

    def _noisy(self, mean: Tensor, count: int, std: float, draws: Draws) -> Tensor:
        """Return the noisy sum of so many vectors over the expected number of them.

        Args:
            mean: Of those vectors, shape ``(n,)``.
            count: How many there are.
            std: Of the noise on every number of their sum.
            draws: Draws it.
        """
        scale = count / self.expected_cohort
        found = mean if scale == 1.0 else mean * scale
        if std == 0:
            return found
        return found + draws.normal(len(mean)).to(mean) * (std / self.expected_cohort)

    def _next_clip(self, accumulator: Accumulator, clip: float, draws: Draws) -> float:
        """Return ``C exp(-eta (b - gamma))``, b the noisy share of updates that were short.

        What is added up is a half for a short update and minus a half for a long one, so that one
        client moves the sum by a half; theorem 1 needs that, and the number of clients stays
        unknown.
        """
        if self.dp.adaptive_clip is None:
            return clip
        mean = _mean_of(accumulator, CLIPPING, 1)
        std = COUNT_NOISE_SHARE * self.expected_cohort if self.dp.noise_multiplier != 0 else 0.0
        share = float(self._noisy(mean, accumulator.count, std, draws)) + HALF
        return clip * math.exp(-CLIP_LR * (share - self.dp.adaptive_clip))

    def _noise_of_sum(self, noise: float) -> float:
        """Return the part of the noise multiplier for the sum: all, unless the clip adapts."""
        if self.dp.adaptive_clip is None or noise == 0:
            return noise
        count_noise = COUNT_NOISE_SHARE * self.expected_cohort
        rest = noise**-2 - (2 * count_noise) ** -2
        if rest <= 0:
            raise PrivacyError(
                f"counting short updates with a noise of {count_noise:.3g} clients takes all of a "
                f"noise multiplier of {noise:.4g}",
                field="privacy.dp.adaptive_clip",
                fix=f"Sample more than {10 * noise:.4g} clients per round, or leave it empty.",
            )
        return math.pow(rest, -0.5)

    def _draws(self, state: RunState, mean: Tensor, count: int) -> Draws:
        """Return the noise of a round; where it is secret, other numbers get other noise."""
        if self.spec.runtime.placement in SIMULATED:
            return SeededDraws(rng(self.spec.seed, Purpose.PRIVACY, state.round_index))
        content = hashlib.sha256(mean.cpu().contiguous().numpy().tobytes()).digest()
        key = bytes.fromhex(str(state.privacy[KEY]))
        return SecretDraws(key, state.round_index.to_bytes(8), count.to_bytes(8), content)


def _change(update: Update) -> Params:
    change = update.sections[_DELTA]
    if not isinstance(change, Params):
        raise TypeError("a change of the model is one vector")
    return change


def _mean_of(accumulator: Accumulator, name: str, length: int) -> Tensor:
    """Return the mean of a section over all updates, shape ``(length,)``; zeros without any."""
    section = accumulator.sections.get(name)
    if section is None or accumulator.count == 0:
        return torch.zeros(length)
    return section.flat if isinstance(section, Params) else torch.cat([*section.values()])
