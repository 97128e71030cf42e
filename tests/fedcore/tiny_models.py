"""Models of the transformers library, tiny and random, and a few reviews to learn from."""

from pathlib import Path
from typing import Any

import torch

from benchmarks.questions import SPECIAL, word_tokenizer
from fedcore.spec import RunSpec

WORDS = [*SPECIAL, *"good bad fine awful movie the a was it truly . , b c d e f g".split()]  # noqa: SIM905
ROWS = [
    ("the movie was good .", "yes"),
    ("it was truly fine", "yes"),
    ("a good , good movie", "yes"),
    ("the movie was bad .", "no"),
    ("it was truly awful", "no"),
    ("a bad , bad movie", "no"),
] * 8


def _write_tokenizer(folder: Path) -> None:
    word_tokenizer(WORDS[len(SPECIAL) :]).save_pretrained(folder)


def write_bert(folder: Path) -> None:
    from transformers import BertConfig, BertForSequenceClassification  # noqa: PLC0415

    config = BertConfig(  # type: ignore[call-arg]
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
        num_labels=2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertForSequenceClassification(config).save_pretrained(folder)
    _write_tokenizer(folder)


def write_gpt(folder: Path, spread: float = 0.02) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel  # noqa: PLC0415

    config = GPT2Config(
        vocab_size=len(WORDS),
        n_positions=24,
        n_embd=16,
        n_layer=1,
        n_head=2,
        bos_token_id=2,
        eos_token_id=3,
        initializer_range=spread,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        GPT2LMHeadModel(config).save_pretrained(folder)
    _write_tokenizer(folder)


def run_spec(path: str, **overrides: Any) -> RunSpec:
    return RunSpec.parse(
        {
            "rounds": 2,
            "dataset": {
                "kind": "upload",
                "path": "reviews.csv",
                "input": "text",
                "target": "label",
                "length": 12,
            },
            "partition": {"kind": "iid", "clients": 2},
            "model": {"kind": "huggingface", "path": path},
            "sampling": {"kind": "full"},
            "local": {"epochs": 6, "batch_size": 8, "lr": 0.01, "optimizer": "adam"},
            **overrides,
        }
    )


def reviews_folder(folder: Path) -> Path:
    """Write the reviews into a data folder and return it."""
    folder.mkdir()
    lines = [f'"{text}",{label}' for text, label in ROWS]
    (folder / "reviews.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return folder
