"""A data set as named tensors and JSON, which is how it is kept on disk."""

from __future__ import annotations

from dataclasses import asdict

from fedcore.data.cache import Cached, Prepared
from fedcore.data.dataset import Dataset, Examples
from fedcore.data.groups import Groups
from fedcore.data.preparation import preparation_from_json
from fedcore.spec.tasks import InputKind, TaskName
from fedcore.tasks import TargetScale


def pack(dataset: Dataset) -> Prepared:
    """Return a data set as tensors and facts."""
    tensors = {
        "train_x": dataset.train.x,
        "train_y": dataset.train.y,
        "test_x": dataset.test.x,
        "test_y": dataset.test.y,
    }
    for number, owners in enumerate(dataset.groups.values()):
        tensors[f"train_group_{number}"] = owners.train
        tensors[f"test_group_{number}"] = owners.test
    facts = {
        "num_classes": dataset.num_classes,
        "task": dataset.task_name.value,
        "input_kind": dataset.input_kind.value,
        "num_tokens": dataset.num_tokens,
        "class_names": list(dataset.class_names),
        "groups": [[column, list(owners.names)] for column, owners in dataset.groups.items()],
        "scale": asdict(dataset.scale),
        "preparation": dataset.preparation.to_json(),
    }
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    return Prepared(contiguous, facts)


def unpack(cached: Cached) -> Dataset:
    """Return the data set that ``pack`` took apart; it has no name yet."""
    tensors, facts = cached.tensors, cached.facts
    return Dataset(
        train=Examples(tensors["train_x"], tensors["train_y"]),
        test=Examples(tensors["test_x"], tensors["test_y"]),
        num_classes=int(facts["num_classes"]),
        task_name=TaskName(facts["task"]),
        input_kind=InputKind(facts["input_kind"]),
        num_tokens=int(facts["num_tokens"]),
        class_names=tuple(facts["class_names"]),
        groups={
            column: Groups(
                tuple(names), tensors[f"train_group_{number}"], tensors[f"test_group_{number}"]
            )
            for number, (column, names) in enumerate(facts["groups"])
        },
        scale=TargetScale(tuple(facts["scale"]["mean"]), tuple(facts["scale"]["std"])),
        preparation=preparation_from_json(facts["preparation"]),
    )
