"""A table with columns of known meaning as a data set; every source of rows ends up here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from fedcore.data.dataset import Dataset, Examples, Preparation
from fedcore.data.groups import Groups
from fedcore.data.inputs import (
    Inputs,
    infer_kind,
    read_images,
    read_texts,
    read_tokens,
    read_vectors,
)
from fedcore.data.limits import require_tensor_fits
from fedcore.data.preparation import TextPreparation, TokenPreparation
from fedcore.data.targets import infer_task, read_targets
from fedcore.data.tokenizers import Bytes, Tokenizer, Words
from fedcore.data.windows import cut_windows
from fedcore.errors import DatasetError
from fedcore.spec.tasks import InputKind, TaskName

_TOKEN_BYTES = 4
_TARGET_BYTES = 8


@dataclass(frozen=True)
class Choice:
    """Which columns mean what; what is None or empty follows from the columns themselves.

    Attributes:
        input: Columns to learn from; None takes all that are neither target nor group.
        target: Columns to predict; empty predicts the next token.
        groups: Columns that name the owner of a row.
        task: What is learnt.
        input_kind: What an input is.
        categories: Columns of numbers that are codes of categories.
        image_size: Width and height to scale images to.
        length: Tokens per example.
        vocabulary: Words that the built-in tokenizer tells apart.
    """

    input: tuple[str, ...] | None = None
    target: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    task: TaskName | None = None
    input_kind: InputKind | None = None
    categories: tuple[str, ...] = ()
    image_size: int | None = None
    length: int = 128
    vocabulary: int = 10_000


@dataclass(frozen=True, eq=False)
class Tables:
    """Rows of both splits.

    Attributes:
        train: Training split.
        test: Test split, with the same columns.
        class_names: Names of classes by column, where they are known beforehand.
    """

    train: pa.Table
    test: pa.Table
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)


def build_dataset(tables: Tables, choice: Choice, tokenizer: Tokenizer | None) -> Dataset:
    """Return the data set that some columns of a table make.

    Args:
        tables: Rows of both splits.
        choice: Which columns mean what.
        tokenizer: That of the model, if it brings one; None for a built-in one.

    Raises:
        DatasetError: If the table does not have such columns, or they do not fit together.
    """
    choice = complete(choice, tables)
    if choice.task is TaskName.NEXT_TOKEN:
        return _next_tokens(tables, choice, tokenizer)
    columns = choice.input or ()
    targets = read_targets(
        choice.task or TaskName.CLASSIFICATION,
        tables.train,
        tables.test,
        choice.target,
        tables.class_names,
    )
    inputs, num_tokens = _inputs(tables, choice, columns, tokenizer)
    groups = {
        name: Groups.of_columns(tables.train[name], tables.test[name], name)
        for name in choice.groups
    }
    return Dataset(
        train=Examples(inputs.train, targets.train),
        test=Examples(inputs.test, targets.test),
        num_classes=len(targets.names),
        task_name=targets.task,
        input_kind=choice.input_kind or InputKind.VECTOR,
        num_tokens=num_tokens,
        class_names=targets.names,
        groups=groups,
        scale=targets.scale,
        preparation=inputs.preparation,
    )


def complete(choice: Choice, tables: Tables) -> Choice:
    """Return the choice with everything decided.

    Raises:
        DatasetError: If a column does not exist, or a split has no rows.
    """
    _require_rows(tables)
    names = tables.train.column_names
    taken = {*choice.target, *choice.groups}
    columns = choice.input or tuple(name for name in names if name not in taken)
    for key, chosen in (
        ("input", columns),
        ("target", choice.target),
        ("group", choice.groups),
    ):
        _require_columns(tables, chosen, f"dataset.{key}")
    if not columns:
        raise DatasetError(
            "no column is left to learn from",
            field="dataset.input",
            fix="Name the columns to learn from in dataset.input.",
        )
    both = set(columns) & set(choice.target)
    if both:
        raise DatasetError(
            f"column {min(both)!r} is input and target at once",
            field="dataset.input",
            fix="Predicting a column from itself teaches nothing; remove it from one of the two.",
        )
    completed = replace(
        choice,
        input=columns,
        task=choice.task or infer_task(tables.train, choice.target),
        input_kind=choice.input_kind or infer_kind(tables.train, columns),
    )
    _require_agreement(completed)
    return completed


def _require_rows(tables: Tables) -> None:
    for table, split in ((tables.train, "training"), (tables.test, "test")):
        if table.num_rows == 0:
            raise DatasetError(
                f"the {split} split has no rows",
                field="dataset.path",
                fix="Give a file with rows in it, enough to hold some out for testing.",
            )


def _require_columns(tables: Tables, names: Sequence[str], where: str) -> None:
    for table, split in ((tables.train, "training"), (tables.test, "test")):
        present = table.column_names
        for name in names:
            if present.count(name) != 1:
                known = ", ".join(present[:20])
                problem = "has no column" if name not in present else "has more than one column"
                raise DatasetError(
                    f"the {split} split {problem} {name!r}",
                    field=where,
                    fix=f"Its columns are: {known}{', ...' if len(present) > 20 else ''}.",  # noqa: PLR2004
                )


def _require_agreement(choice: Choice) -> None:
    """Check that task, targets and kind of input go together."""
    columns, kind = choice.input or (), choice.input_kind
    is_next = choice.task is TaskName.NEXT_TOKEN
    if is_next == bool(choice.target):
        raise DatasetError(
            "predicting the next token needs no target column"
            if is_next
            else f"the task {choice.task} needs a target column",
            field="dataset.target",
            fix="Remove dataset.target." if is_next else "Name the column to predict.",
        )
    if is_next and kind not in (InputKind.TEXT, InputKind.TOKENS):
        raise DatasetError(
            "there is no text to continue, and no target column to predict",
            field="dataset.target",
            fix="Name the column to predict in dataset.target, or a column of text in "
            "dataset.input.",
        )
    if kind in (InputKind.IMAGE, InputKind.TOKENS) and len(columns) != 1:
        raise DatasetError(
            f"{len(columns)} columns cannot be read as one {kind.value} input",
            field="dataset.input",
            fix="Name one column in dataset.input.",
        )


def _inputs(
    tables: Tables, choice: Choice, columns: tuple[str, ...], tokenizer: Tokenizer | None
) -> tuple[Inputs, int]:
    """Return the inputs and the size of their vocabulary, 0 if they are not tokens."""
    train, test = tables.train, tables.test
    if choice.input_kind is InputKind.IMAGE:
        return read_images(train, test, columns[0], choice.image_size), 0
    if choice.input_kind is InputKind.VECTOR:
        return read_vectors(train, test, columns, choice.categories), 0
    require_tensor_fits((train.num_rows + test.num_rows) * choice.length * _TOKEN_BYTES)
    if choice.input_kind is InputKind.TOKENS:
        rows = [read_tokens(table, columns[0]) for table in (train, test)]
        prepare = TokenPreparation(choice.length)
        return Inputs(prepare.apply(rows[0]), prepare.apply(rows[1]), prepare), _num_tokens(rows)
    texts = [read_texts(table, columns) for table in (train, test)]
    used = TextPreparation(tokenizer or Words.learn(texts[0], choice.vocabulary), choice.length)
    return Inputs(used.apply(texts[0]), used.apply(texts[1]), used), used.tokenizer.size


def _next_tokens(tables: Tables, choice: Choice, tokenizer: Tokenizer | None) -> Dataset:
    """Return windows of the rows' texts, each row a document of its own."""
    columns = choice.input or ()
    preparation: Preparation
    if choice.input_kind is InputKind.TOKENS:
        train, test = (read_tokens(table, columns[0]) for table in (tables.train, tables.test))
        preparation, num_tokens = TokenPreparation(choice.length), _num_tokens([train, test])
    else:
        used = tokenizer or Bytes()
        train, test = (
            list(used.encode(read_texts(table, columns))) for table in (tables.train, tables.test)
        )
        preparation, num_tokens = TextPreparation(used, choice.length), used.size
    owners = {
        name: Groups.of_columns(tables.train[name], tables.test[name], name)
        for name in choice.groups
    }
    return continue_documents(
        train,
        test,
        owners,
        preparation=preparation,
        num_tokens=num_tokens,
        length=choice.length,
    )


def continue_documents(
    train: Sequence[Sequence[int]],
    test: Sequence[Sequence[int]],
    owners: Mapping[str, Groups],
    *,
    preparation: Preparation,
    num_tokens: int,
    length: int,
) -> Dataset:
    """Return the data set of predicting each token of some documents from those before it.

    Args:
        train: Tokens of each training document.
        test: Tokens of each test document.
        owners: Owners of the documents by column.
        preparation: How text became tokens.
        num_tokens: Size of the vocabulary.
        length: Tokens per example.

    Raises:
        DatasetError: If a split has no document of two tokens, or is too large for memory.
    """
    tokens = sum(len(document) for split in (train, test) for document in split)
    documents = len(train) + len(test)
    require_tensor_fits((tokens + documents * length) * (_TOKEN_BYTES + _TARGET_BYTES))
    (train_part, of_train), (test_part, of_test) = (
        cut_windows(split, length) for split in (train, test)
    )
    for part, split_name in ((train_part, "training"), (test_part, "test")):
        if len(part) == 0:
            raise DatasetError(
                f"no text of the {split_name} split is as long as two tokens",
                field="dataset.input",
                fix="Choose a column of longer texts.",
            )
    return Dataset(
        train=train_part,
        test=test_part,
        num_classes=num_tokens,
        task_name=TaskName.NEXT_TOKEN,
        input_kind=InputKind.TEXT,
        num_tokens=num_tokens,
        groups={column: group.take(of_train, of_test) for column, group in owners.items()},
        preparation=preparation,
    )


def _num_tokens(splits: Sequence[Sequence[Sequence[int]]]) -> int:
    """Return how many tokens the vocabulary must have at least."""
    largest = max((max(row) for rows in splits for row in rows if row), default=-1)
    if largest < 0:
        raise DatasetError(
            "all lists of tokens are empty",
            field="dataset.input",
            fix="Choose a column of lists that hold tokens.",
        )
    return largest + 1
