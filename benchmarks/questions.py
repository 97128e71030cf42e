"""Questions to a bank for methods that tune a published transformer.

No model can be fetched here, so a small one is made: it learns half of Banking77's intents
centrally, as a public corpus, and clients then have the questions of the other half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from fedcore.environment import Folders

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

MODEL, DATA = "small-bert", "questions"
LENGTH = 24
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_WORDS, _WIDTH, _BATCH = 2000, 64, 32


@dataclass(frozen=True)
class Questions:
    """Texts with the names of their intents."""

    texts: list[str]
    intents: list[str]

    @classmethod
    def read(cls, file: Path) -> Questions:
        """Return what a Parquet file of Banking77 holds."""
        from pyarrow import parquet  # noqa: PLC0415

        columns = parquet.read_table(file).to_pydict()
        label = next(name for name in columns if name != "text")
        return cls(columns["text"], [str(value) for value in columns[label]])

    def of(self, intents: Sequence[str]) -> Questions:
        """Return the questions with one of these intents."""
        wanted = set(intents)
        both = [(t, i) for t, i in zip(self.texts, self.intents, strict=True) if i in wanted]
        return Questions([text for text, _ in both], [intent for _, intent in both])

    def write(self, file: Path) -> None:
        """Write the questions as a Parquet file."""
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415

        table = pa.table({"text": self.texts, "intent": self.intents})
        parquet.write_table(table, file)


def prepare(
    folder: Path, published: Path, *, intents: int = 77, epochs: int = 8, seed: int = 0
) -> Folders:
    """Write the clients' questions and the pretrained model, and return where they lie.

    Args:
        folder: An empty folder for both, and for the cache.
        published: Banking77 as two Parquet files, ``train`` and ``test``.
        intents: How many intents there are, public and of the clients together.
        epochs: Passes over the public half before the clients begin.
        seed: Of the first weights and of the order of the public half.
    """
    train, test = (Questions.read(published / f"{part}.parquet") for part in ("train", "test"))
    names = sorted(set(train.intents))[:intents]
    public, private = names[::2], names[1::2]
    data, models = folder / "data", folder / "models"
    (data / DATA).mkdir(parents=True)
    train.of(private).write(data / DATA / "train.parquet")
    test.of(private).write(data / DATA / "test.parquet")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        _pretrain(train.of(public), models / MODEL, epochs)
    return Folders(data, folder / "cache", models)


def sections() -> dict[str, Any]:
    """Return the sections of a spec that name the data and the model of `prepare`."""
    return {
        "dataset": {
            "kind": "upload",
            "path": DATA,
            "input": "text",
            "target": "intent",
            "length": LENGTH,
        },
        "model": {"kind": "huggingface", "path": MODEL},
    }


def _pretrain(questions: Questions, folder: Path, epochs: int) -> None:
    """Write a BERT of two layers that has learnt to tell these intents apart."""
    from transformers import BertConfig, BertForSequenceClassification  # noqa: PLC0415

    tokenizer = _tokenizer(questions.texts)
    tokenizer.save_pretrained(folder)
    names = sorted(set(questions.intents))
    labels = torch.tensor([names.index(intent) for intent in questions.intents])
    tokens = tokenizer(questions.texts, padding="max_length", truncation=True, max_length=LENGTH)
    ids = torch.tensor(tokens["input_ids"])
    config = BertConfig(  # type: ignore[call-arg]
        vocab_size=len(tokenizer),
        hidden_size=_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=4 * _WIDTH,
        max_position_embeddings=LENGTH,
        num_labels=len(names),
        hidden_dropout_prob=0.1,
    )
    model = BertForSequenceClassification(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    steps = epochs * (len(labels) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in _batches(len(labels)):
            answer = model(ids[rows], attention_mask=(ids[rows] != 0).long()).logits
            optimizer.zero_grad()
            functional.cross_entropy(answer, labels[rows]).backward()
            optimizer.step()
            schedule.step()
    model.eval().save_pretrained(folder)


def _batches(count: int) -> Iterator[Tensor]:
    order = torch.randperm(count)
    for start in range(0, count - _BATCH + 1, _BATCH):
        yield order[start : start + _BATCH]


def _tokenizer(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """Return a tokenizer of the most frequent words, in small letters."""
    from tokenizers.pre_tokenizers import Whitespace  # noqa: PLC0415

    split = Whitespace()
    counts = Counter(word for text in texts for word, _ in split.pre_tokenize_str(text.lower()))
    return word_tokenizer([word for word, _ in counts.most_common(_WORDS)])


def word_tokenizer(words: Sequence[str]) -> PreTrainedTokenizerFast:
    """Return a tokenizer that knows these words, in small letters, after four special tokens."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: PLC0415
    from tokenizers.processors import TemplateProcessing  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    tokens = {word: place for place, word in enumerate([*SPECIAL, *words])}
    inner = Tokenizer(models.WordLevel(tokens, unk_token="[UNK]"))  # noqa: S106
    inner.normalizer, inner.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    inner.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(token, tokens[token]) for token in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=inner,
        unk_token="[UNK]",  # noqa: S106
        pad_token="[PAD]",  # noqa: S106
        cls_token="[CLS]",  # noqa: S106
        sep_token="[SEP]",  # noqa: S106
    )
