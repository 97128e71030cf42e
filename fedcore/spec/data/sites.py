"""Data that stay where they are: tables on sites, read by all of them in the same way."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from fedcore.spec.base import BASIC, Spec
from fedcore.spec.data.base import DatasetInfo, DatasetSpec
from fedcore.spec.data.custom import MAX_COLUMNS, Column
from fedcore.spec.data.partitions import PartitionSpec
from fedcore.spec.tasks import InputKind, TaskName

_MOST_VALUES = 1000

Values = Annotated[
    tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=_MOST_VALUES)
]
_STD = "Divides a number after mean is taken off it."


class InputColumn(Spec):
    """A column to learn from, and how every site turns it into inputs.

    With values it is a category, one input for each; otherwise a number on a scale that all sites
    have in common.
    """

    column: Column = Field(description="Name of the column on the sites.")
    values: Values | None = Field(
        None, description="Categories, as text; another value sets no input. Empty for a number."
    )
    mean: float = Field(0.0, description="Taken off a number; a missing one counts as this.")
    std: float = Field(1.0, gt=0, description=_STD)
    has_missing: bool = Field(
        default=False, description="Whether one more input says that a value is missing."
    )

    @model_validator(mode="after")
    def _values_differ(self) -> Self:
        if self.values is not None and (
            not self.values or len(set(self.values)) < len(self.values)
        ):
            raise ValueError("values are at least one category, each named once")
        return self

    @property
    def width(self) -> int:
        """Number of inputs that the column becomes."""
        return (1 if self.values is None else len(self.values)) + self.has_missing


class TargetColumn(Spec):
    """The column to predict: one of some classes, or a number."""

    column: Column = Field(description="Name of the column on the sites.")
    classes: Values | None = Field(
        None, description="What stands in the column, as text; empty for a number."
    )
    mean: float = Field(0.0, description="Taken off a number to be predicted.")
    std: float = Field(1.0, gt=0, description=_STD)

    @model_validator(mode="after")
    def _classes_differ(self) -> Self:
        few = 2
        named = self.classes
        if named is not None and (len(named) < few or len(set(named)) < len(named)):
            raise ValueError("classes are two or more, each named once")
        return self


class SitesDatasetSpec(DatasetSpec):
    """A table that each site has of its own, under one name, with columns of one meaning.

    A site reads its columns as the spec says, so that all train the same model; rows never leave
    it. Scales and categories are agreed on beforehand: sites may declare means and values.
    """

    title: ClassVar[str] = "Data on sites"
    synonyms: ClassVar[tuple[str, ...]] = (
        "real sites",
        "data on sites",
        "on site",
        "federated sites",
    )
    constraints: ClassVar[tuple[str, ...]] = (
        "needs runtime.placement sites, and the columns that the sites have declared",
    )
    example: ClassVar[dict[str, Any]] = {
        "dataset": {
            "kind": "sites",
            "name": "heart",
            "inputs": [{"column": "age", "mean": 54, "std": 9}],
            "target": {"column": "disease", "classes": ["0", "1"]},
        },
        "partition": {"kind": "sites", "clients": 2},
        "runtime": {"placement": "sites", "sites": ["north", "south"], "round_limit_s": 600},
    }

    kind: Literal["sites"] = "sites"
    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$",
        description="Name under which every site has declared its data set.",
        json_schema_extra=BASIC,
    )
    inputs: tuple[InputColumn, ...] = Field(
        min_length=1, max_length=MAX_COLUMNS, description="Columns to learn from, in this order."
    )
    target: TargetColumn = Field(description="Column to predict.")

    @model_validator(mode="after")
    def _columns_differ(self) -> Self:
        names = [each.column for each in self.inputs]
        if len(set(names)) < len(names) or self.target.column in names:
            raise ValueError("a column is named once, as an input or as the target")
        return self

    @property
    def num_features(self) -> int:
        """Length of one input."""
        return sum(each.width for each in self.inputs)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that a site must have."""
        return (*(each.column for each in self.inputs), self.target.column)

    def known_task(self) -> TaskName:
        """Return what the target says."""
        is_number = self.target.classes is None
        return TaskName.REGRESSION if is_number else TaskName.CLASSIFICATION

    def outline(self) -> DatasetInfo:
        """Return everything but how many examples the sites have: none of them is here."""
        return DatasetInfo(
            task=self.known_task(),
            input_kind=self.known_input_kind(),
            input_shape=(self.num_features,),
            num_classes=len(self.target.classes or ("",)),
            num_train=0,
            num_test=0,
        )

    def known_input_kind(self) -> InputKind:
        """Return that an example is a row of numbers."""
        return InputKind.VECTOR


class SitesPartitionSpec(PartitionSpec):
    """Every site is one client, with the examples that it has.

    Clients are numbered in the order of ``runtime.sites``.
    """

    title: ClassVar[str] = "One client per site"
    synonyms: ClassVar[tuple[str, ...]] = ("per site", "one client per site")
    constraints: ClassVar[tuple[str, ...]] = ("needs a data set on sites",)
    example: ClassVar[dict[str, Any]] = {
        **SitesDatasetSpec.example,
    }

    kind: Literal["sites"] = "sites"
