"""A declaration has names and counts, and of the rows only what the site agreed to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

from fedcore.agent.config import DeclaredDataset
from fedcore.agent.datasets import Rows, declare, read_rows, version_of
from fedcore.errors import DatasetError
from fedcore.sites.messages import DatasetDeclaration

CONDITIONS = ["none", "mild", "severe"]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    lines = ["patient,age,pressure,kind,condition,disease"]
    for row in range(100):
        kind = "" if row == 3 else row % 4
        pressure = "" if row == 7 else 120.5 + row
        condition = "zoonosis" if row == 11 else CONDITIONS[row % 3]
        disease = "yes" if row % 2 else "no"
        lines.append(f"Erika Muster {row},{30 + row},{pressure},{kind},{condition},{disease}")
    (tmp_path / "heart.csv").write_text("\n".join(lines))
    return tmp_path


def declared(data_dir: Path, **settings: object) -> tuple[Rows, DatasetDeclaration]:
    dataset = DeclaredDataset.model_validate({"name": "heart", "path": "heart.csv"} | settings)
    rows = read_rows(dataset, data_dir)
    return rows, declare(dataset, rows)


def test_names_and_counts_are_all_that_is_said_unasked(data_dir: Path) -> None:
    _, said = declared(data_dir, title="Heart disease")
    assert (said.num_train, said.num_test, said.class_counts) == (80, 20, None)
    assert [(column.name, column.kind) for column in said.columns] == [
        ("patient", "text"),
        ("age", "number"),
        ("pressure", "number"),
        ("kind", "category"),
        ("condition", "category"),
        ("disease", "category"),
    ]
    for column in said.columns:
        assert (column.values, column.mean, column.std) == ((), None, None)


def test_what_the_site_agrees_to_is_said(data_dir: Path) -> None:
    share = ("class_counts", "categories", "scales")
    rows, said = declared(data_dir, target="disease", share=share)
    columns = {column.name: column for column in said.columns}
    assert said.class_counts is not None
    assert set(said.class_counts) == {"yes", "no"}
    assert sum(said.class_counts.values()) == 80
    assert columns["kind"].values == ("0", "1", "2", "3")
    ages = rows.train["age"].to_numpy()
    assert columns["age"].mean == pytest.approx(ages.mean())
    assert columns["age"].std == pytest.approx(ages.std())


def test_no_declaration_holds_what_only_few_rows_have(data_dir: Path) -> None:
    share = ("class_counts", "categories", "scales")
    _, said = declared(data_dir, target="disease", share=share)
    text = said.model_dump_json()
    assert "severe" in text
    assert "zoonosis" not in text
    assert "Muster" not in text


def test_columns_that_runs_may_not_see_are_not_there(data_dir: Path) -> None:
    rows, said = declared(data_dir, columns=("age", "disease"))
    assert rows.train.column_names == rows.test.column_names == ["age", "disease"]
    assert [column.name for column in said.columns] == ["age", "disease"]


@pytest.mark.parametrize("settings", [{"columns": ("ages",)}, {"target": "diseases"}])
def test_a_column_that_is_not_there_is_named(data_dir: Path, settings: dict[str, object]) -> None:
    with pytest.raises(DatasetError, match=r"'heart' has no column '(ages|diseases)'"):
        declared(data_dir, **settings)


def test_the_same_rows_are_held_out_every_time(data_dir: Path) -> None:
    first, second = (declared(data_dir)[0] for _ in range(2))
    assert first.test.equals(second.test)
    train, test = (set(split["patient"].to_pylist()) for split in (first.train, first.test))
    assert not train & test


def test_parquet_with_a_test_file_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "lungs").mkdir()
    for split, count in (("train", 20), ("test", 4)):
        yes = np.arange(count) % 2 == 0
        table = pa.table({"x": np.arange(count) / 7, "y": yes})
        pyarrow.parquet.write_table(table, tmp_path / "lungs" / f"{split}.parquet")
    _, said = declared(tmp_path, path="lungs")
    assert (said.num_train, said.num_test) == (20, 4)
    assert [column.kind for column in said.columns] == ["number", "category"]


def test_a_folder_of_images_is_counted_by_class(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("L", (4, 4), number).save(tmp_path / "pets" / name / f"{number}.png")
    _, said = declared(tmp_path, path="pets", target="label", share=("class_counts",))
    assert said.columns == ()
    assert said.class_counts is not None
    assert set(said.class_counts) == {"cat", "dog"}
    assert sum(said.class_counts.values()) == said.num_train == 16


def test_a_link_out_of_the_data_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "heart.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(DatasetError, match="leads outside the data folder"):
        declared(tmp_path / "data")


def test_a_change_of_the_files_is_noticed(data_dir: Path) -> None:
    dataset = DeclaredDataset(name="heart", path="heart.csv")
    before = version_of(dataset, data_dir)
    assert version_of(dataset, data_dir) == before
    with (data_dir / "heart.csv").open("a") as file:
        file.write("\nMax Muster,50,120,1,none,no")
    assert version_of(dataset, data_dir) != before
