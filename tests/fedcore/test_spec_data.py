"""Rules between data, partition, model and metrics, each with a fix."""

from typing import Any

import pytest

from fedcore.spec import RunSpec, check
from fedcore.spec.data import UploadSpec

TEXT: dict[str, Any] = {"dataset": {"kind": "banking77"}, "model": {"kind": "dan"}}
PLAYS: dict[str, Any] = {
    "dataset": {"kind": "shakespeare"},
    "model": {"kind": "char_lstm"},
    "partition": {"kind": "natural"},
}
OWN: dict[str, Any] = {"kind": "upload", "path": "a.csv"}


def target(metric: str, value: float) -> dict[str, Any]:
    return {"evaluation": {"target": {"metric": metric, "value": value}}}


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        PLAYS,
        {**PLAYS, "model": {"kind": "tiny_gpt"}, **target("perplexity", 9.5)},
        {**PLAYS, "model": {"kind": "huggingface", "path": "owner/name"}},
        {**TEXT, "model": {"kind": "huggingface", "path": "owner/name"}},
        {"dataset": {"kind": "heart"}, "partition": {"kind": "natural", "by": "hospital"}},
        {"dataset": {"kind": "synthetic"}, "partition": {"kind": "natural"}},
        {"dataset": {**OWN, "target": "y", "group": "who"}, "partition": {"kind": "natural"}},
        {"dataset": {**OWN, "task": "regression"}, **target("r2", -3)},
        {"dataset": {"kind": "cifar10"}, "model": {"kind": "vit"}},
    ],
)
def test_what_fits_together_is_accepted(data: dict[str, Any]) -> None:
    assert check(data).problems == ()


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"dataset": {"kind": "banking77"}}, "model.kind"),
        ({**TEXT, "model": {"kind": "char_lstm"}}, "model.kind"),
        ({**PLAYS, "model": {"kind": "dan"}}, "model.kind"),
        ({**PLAYS, "partition": {"kind": "dirichlet"}}, "partition.kind"),
        ({**PLAYS, "partition": {"kind": "shards"}}, "partition.kind"),
        ({**PLAYS, "partition": {"kind": "feature"}}, "partition.kind"),
        ({**PLAYS, "attack": {"kind": "label_flip"}}, "attack.kind"),
        ({"partition": {"kind": "natural"}}, "partition.kind"),
        (
            {"dataset": {"kind": "heart"}, "partition": {"kind": "natural", "by": "ward"}},
            "partition.by",
        ),
        ({"dataset": OWN, "partition": {"kind": "natural"}}, "dataset.group"),
        (
            {
                "dataset": {"kind": "heart"},
                "partition": {"kind": "feature", "transform": "rotation"},
            },
            "partition.transform",
        ),
        (
            {"partition": {"kind": "shards", "mode": "classes", "clients": 3}},
            "partition.classes_per_client",
        ),
        ({"partition": {"kind": "shards", "clients": 1000}}, "partition.classes_per_client"),
        ({"dataset": {"kind": "digits", "max_train": 10}}, "partition.clients"),
        ({"model": {"kind": "vit", "patch_size": 3}}, "model.patch_size"),
        ({"model": {"kind": "resnet", "width": 12}}, "model.groups"),
        (target("perplexity", 2), "evaluation.target.metric"),
        (
            {"dataset": {**OWN, "task": "regression"}, **target("accuracy", 0.9)},
            "evaluation.target.metric",
        ),
        ({"dataset": {**OWN, "task": "regression"}, **target("r2", 2)}, "evaluation.target.value"),
        ({**PLAYS, **target("perplexity", 1)}, "evaluation.target.value"),
        (target("accuracy", 95), "evaluation.target.value"),
    ],
)
def test_what_does_not_fit_is_explained_where_it_is(data: dict[str, Any], path: str) -> None:
    problems = check(data).problems
    assert path in {problem.path for problem in problems}
    assert all(problem.fix for problem in problems)


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../up", "a/../../up", "~/x", "c:/x", "a\\b", "", "http://x/y", "a\nb", "."],
)
def test_a_path_stays_inside(path: str) -> None:
    for kind in ("upload", "huggingface"):
        problems = check({"dataset": {"kind": kind, "path": path}}).problems
        assert "dataset.path" in {problem.path for problem in problems}
    problems = check({**TEXT, "model": {"kind": "huggingface", "path": path}}).problems
    assert "model.path" in {problem.path for problem in problems}


def test_one_column_may_be_named_without_a_list() -> None:
    spec = UploadSpec.model_validate({"path": "a.csv", "input": "x", "target": ["y", "z"]})
    assert spec.input == ("x",)
    assert spec.target == ("y", "z")
    run = RunSpec.parse({"dataset": {**OWN, "input": "x"}})
    assert RunSpec.from_yaml(run.to_yaml()) == run


def test_the_split_sizes_that_a_run_uses_are_known() -> None:
    info = RunSpec.parse({"dataset": {"kind": "mnist", "max_train": 500}}).dataset.info()
    assert info is not None
    assert (info.num_train, info.num_test) == (500, 10_000)
