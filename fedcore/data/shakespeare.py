"""Tiny Shakespeare: what each role says, one document per role."""

from __future__ import annotations

from fedcore.data.columns import continue_documents
from fedcore.data.dataset import Dataset
from fedcore.data.groups import Groups
from fedcore.data.hub import Splits
from fedcore.data.preparation import TextPreparation
from fedcore.data.published import Published
from fedcore.data.source import DATASETS
from fedcore.data.tokenizers import Characters
from fedcore.spec.data import ShakespeareSpec

TEST_FRACTION = 0.2


@DATASETS.implements(ShakespeareSpec)
class Shakespeare(Published):
    """The speeches of a role in the order of the play, the last fifth of them held out.

    The cut is made by characters, as in LEAF, so that a role with one long speech has both parts.
    """

    spec: ShakespeareSpec
    folder_name = "shakespeare"

    def assemble(self, splits: Splits) -> Dataset:
        """Return windows of the roles' texts."""
        table = splits.tables["train"]
        speeches: dict[str, list[str]] = {}
        for role, text in zip(table["role"].to_pylist(), table["text"].to_pylist(), strict=True):
            speeches.setdefault(role, []).append(text)
        roles = sorted(speeches)
        documents = ["\n".join(speeches[role]) for role in roles]
        cuts = [len(text) - int(len(text) * TEST_FRACTION) for text in documents]
        tokenizer = self.request.load_tokenizer() or Characters()
        train, test = (
            list(tokenizer.encode(parts))
            for parts in (
                [text[:cut] for text, cut in zip(documents, cuts, strict=True)],
                [text[cut:] for text, cut in zip(documents, cuts, strict=True)],
            )
        )
        return continue_documents(
            train,
            test,
            {"role": Groups.of(roles, roles)},
            preparation=TextPreparation(tokenizer, self.spec.length),
            num_tokens=tokenizer.size,
            length=self.spec.length,
        )
