"""A tiny random language model with a tokenizer of single bytes, in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


def write_writer(folder: Path, *, seed: int = 0, room: int = 16_384, width: int = 32) -> Path:
    """Write a GPT-2 whose weights are drawn at random, and return its folder."""
    from transformers import GPT2Config, GPT2LMHeadModel  # noqa: PLC0415

    vocabulary = _write_tokenizer(folder)
    config = GPT2Config(
        vocab_size=len(vocabulary),
        n_positions=room,
        n_embd=width,
        n_layer=1,
        n_head=2,
        bos_token_id=vocabulary["<end>"],
        eos_token_id=vocabulary["<end>"],
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def _write_tokenizer(folder: Path) -> dict[str, int]:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: place for place, letter in enumerate(letters)}
    vocabulary["<end>"] = len(vocabulary)
    inner: Any = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=inner,
        eos_token="<end>",  # noqa: S106
        pad_token="<end>",  # noqa: S106
    ).save_pretrained(folder)
    return vocabulary
