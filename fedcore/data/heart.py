"""Heart disease: patients of four hospitals, with many values missing."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from fedcore.data.columns import Choice, Tables, build_dataset
from fedcore.data.dataset import Dataset
from fedcore.data.hub import Splits
from fedcore.data.published import Published
from fedcore.data.source import DATASETS
from fedcore.data.splits import hold_out_of_each
from fedcore.spec.data import HeartSpec
from fedcore.spec.tasks import InputKind, TaskName

TEST_FRACTION = 0.2
_NUMBERS = ("age", "trestbps", "chol", "thalach", "oldpeak", "ca")
_CODES = ("sex", "cp", "fbs", "restecg", "exang", "slope", "thal")
#: A living patient has neither a blood pressure nor a cholesterol of zero: it was not measured.
_NEVER_ZERO = ("trestbps", "chol")


@DATASETS.implements(HeartSpec)
class Heart(Published):
    """Is there a disease (``num`` above 0)? A fifth of each hospital's patients is held out."""

    folder_name = "heart"

    def assemble(self, splits: Splits) -> Dataset:
        """Return the patients, the same ones held out whatever the seed of the run."""
        table = _cleaned(splits.tables["train"])
        kept, held = hold_out_of_each(table["hospital"].to_pylist(), TEST_FRACTION)
        choice = Choice(
            input=(*_NUMBERS, *_CODES),
            target=("disease",),
            groups=("hospital",),
            task=TaskName.CLASSIFICATION,
            input_kind=InputKind.VECTOR,
            categories=_CODES,
        )
        tables = Tables(table.take(kept), table.take(held), {"disease": ("healthy", "diseased")})
        return build_dataset(tables, choice, None)


def _cleaned(table: pa.Table) -> pa.Table:
    """Return the rows with impossible zeros made missing, and the degree of disease as yes or no.

    Raises:
        KeyError: If a column is not there.
    """
    for name in _NEVER_ZERO:
        values = pc.if_else(pc.equal(table[name], 0), None, table[name])
        table = table.set_column(table.column_names.index(name), name, values)
    return table.append_column("disease", pc.cast(pc.greater(table["num"], 0), pa.int8()))
