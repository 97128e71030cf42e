"""Files of the user's own: what is read, and how everything that is wrong is explained."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from fedcore.data import Dataset, Request, limits, load_dataset
from fedcore.environment import Folders
from fedcore.errors import DatasetError
from fedcore.spec.data import HuggingFaceDatasetSpec, UploadSpec
from fedcore.spec.tasks import InputKind, TaskName

ROWS = 40


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    lines = [f"{n},{n % 7},{'abc'[n % 3]},{'yes' if n % 2 else 'no'}" for n in range(ROWS)]
    (folder / "table.csv").write_text("\n".join(["n,seven,letter,label", *lines]) + "\n")
    return folder


def load(data: Path | None, **settings: Any) -> Dataset:
    base = Path("/nowhere") if data is None else data
    folders = Folders(data, base.parent / "cache")
    return load_dataset(UploadSpec.model_validate(settings), Request(0, 4, folders))


def refusal(data: Path | None, **settings: Any) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        load(data, **settings)
    assert caught.value.field
    assert caught.value.field.startswith("dataset.")
    assert caught.value.fix
    return caught.value


def png(size: tuple[int, int] = (4, 4), value: int = 100, mode: str = "L") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, value).save(stream, "PNG")
    return stream.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """Return a file of some bytes that claims to be an enormous image."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def write_images(folder: Path, classes: tuple[str, ...] = ("cat", "dog"), count: int = 6) -> None:
    for place, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number}.png").write_bytes(png(value=100 * place + number))


class TestTables:
    def test_a_csv_is_numbers_categories_and_classes(self, data: Path) -> None:
        dataset = load(data, path="table.csv", target="label")
        assert dataset.task_name is TaskName.CLASSIFICATION
        assert dataset.class_names == ("no", "yes")
        assert dataset.input_shape == (2 + 3,)
        assert (len(dataset.train), len(dataset.test)) == (32, 8)
        assert abs(float(dataset.train.x[:, 0].mean())) < 1e-5
        assert set(dataset.train.x[:, 2:].unique().tolist()) == {0.0, 1.0}

    def test_the_rows_held_out_do_not_depend_on_the_seed(self, data: Path) -> None:
        spec = UploadSpec(path="table.csv", target=("label",))
        folders = Folders(data, data.parent / "cache")
        first, other = (load_dataset(spec, Request(seed, 4, folders)) for seed in (0, 1))
        assert first.fingerprint == other.fingerprint

    def test_owners_are_named_by_a_column(self, data: Path) -> None:
        dataset = load(data, path="table.csv", target="label", group="letter")
        groups = dataset.groups["letter"]
        assert groups.names == ("a", "b", "c")
        assert len(groups.train) == len(dataset.train)
        assert dataset.input_shape == (2,)  # the owner is no input unless it is named as one

    def test_parquet_and_separate_splits(self, data: Path) -> None:
        folder = data / "both"
        folder.mkdir()
        for name, count in (("train", 20), ("test", 5)):
            table = pa.table({"x": np.arange(count) / 2, "y": np.arange(count) * 1.5})
            pq.write_table(table, folder / f"{name}.parquet")
        dataset = load(data, path="both", target="y")
        assert dataset.task_name is TaskName.REGRESSION
        assert (len(dataset.train), len(dataset.test)) == (20, 5)
        raw = dataset.test.y * dataset.scale.std[0] + dataset.scale.mean[0]
        assert torch.allclose(raw[:, 0], torch.arange(5) * 1.5, atol=1e-4)

    def test_missing_values_say_so(self, data: Path) -> None:
        (data / "gaps.csv").write_text(
            "a,b,label\n"
            + "\n".join(f"{n if n % 4 else ''},{'x' if n % 5 else ''},{n % 2}" for n in range(40))
        )
        dataset = load(data, path="gaps.csv", target="label")
        assert dataset.input_shape == (2 + 2,)
        is_missing = dataset.train.x[:, 1] == 1
        assert (dataset.train.x[is_missing, 0] == 0).all()

    def test_text_and_several_labels(self, data: Path) -> None:
        table = pa.table(
            {"text": [f"word{n % 5} tail" for n in range(20)], "tags": [["a"], ["b", "c"]] * 10}
        )
        pq.write_table(table, data / "tags.parquet")
        dataset = load(data, path="tags.parquet", target="tags", length=4, vocabulary=8)
        assert dataset.input_kind is InputKind.TEXT
        assert dataset.task_name is TaskName.MULTI_LABEL
        assert dataset.class_names == ("a", "b", "c")
        assert dataset.train.x.shape == (16, 4)
        assert set(dataset.train.y.sum(1).tolist()) == {1.0, 2.0}

    def test_text_without_a_target_goes_on(self, data: Path) -> None:
        (data / "prose.csv").write_text("text\n" + "\n".join(["to be or not to be"] * 10) + "\n")
        dataset = load(data, path="prose.csv", length=8)
        assert dataset.task_name is TaskName.NEXT_TOKEN
        x, y = dataset.train.x[0], dataset.train.y[0]
        assert bytes(x.tolist()) == b"to be or"
        assert bytes(y.tolist()) == b"o be or "

    def test_changed_content_is_read_again(self, data: Path) -> None:
        before = load(data, path="table.csv", target="label")
        text = (data / "table.csv").read_text().replace("yes", "aye")
        (data / "table.csv").write_text(text)
        after = load(data, path="table.csv", target="label")
        assert after.class_names == ("aye", "no")
        assert before.fingerprint != after.fingerprint


class TestImages:
    def test_folders_are_classes(self, data: Path) -> None:
        write_images(data / "pets")
        dataset = load(data, path="pets")
        assert dataset.class_names == ("cat", "dog")
        assert dataset.input_shape == (1, 4, 4)
        assert (len(dataset.train), len(dataset.test)) == (10, 2)
        every = dataset.preparation.apply(torch.arange(256))
        assert torch.isin(dataset.train.x, every).all()
        assert (
            dataset.train.x[dataset.train.y == 0].max()
            < dataset.train.x[dataset.train.y == 1].min()
        )

    def test_sizes_and_colours_are_made_equal(self, data: Path) -> None:
        write_images(data / "pets" / "train")
        write_images(data / "pets" / "test", count=2)
        (data / "pets" / "train" / "cat" / "0.png").write_bytes(png((9, 5), mode="RGB"))
        assert refusal(data, path="pets").field == "dataset.image_size"
        dataset = load(data, path="pets", image_size=6)
        assert dataset.input_shape == (3, 6, 6)
        assert (len(dataset.train), len(dataset.test)) == (12, 4)

    @pytest.mark.parametrize(
        "content",
        [b"", b"not an image", png()[:-20], huge_png(50_000, 50_000), huge_png(5000, 5000)],
        ids=["empty", "text", "cut", "bomb", "large"],
    )
    def test_what_is_no_sound_image_is_named(self, data: Path, content: bytes) -> None:
        write_images(data / "pets")
        (data / "pets" / "cat" / "odd.png").write_bytes(content)
        assert "odd.png" in refusal(data, path="pets").message

    def test_an_image_outside_of_a_class(self, data: Path) -> None:
        write_images(data / "pets")
        (data / "pets" / "stray.png").write_bytes(png())
        assert "stray.png" in refusal(data, path="pets").message


class TestRefusals:
    @pytest.mark.parametrize(
        ("settings", "field"),
        [
            ({"target": "nothing"}, "dataset.target"),
            ({"input": ["n", "nothing"], "target": "label"}, "dataset.input"),
            ({"target": "label", "group": "nothing"}, "dataset.group"),
            ({"input": "label", "target": "label"}, "dataset.input"),
            ({}, "dataset.target"),
            ({"target": "label", "task": "regression"}, "dataset.target"),
            ({"target": ["label", "letter"]}, "dataset.target"),
            ({"target": "label", "task": "next_token"}, "dataset.target"),
            ({"target": "label", "input": "n", "input_kind": "image"}, "dataset.input"),
            ({"target": "label", "input": "n", "input_kind": "text"}, "dataset.input"),
            ({"target": "label", "input": "n", "input_kind": "tokens"}, "dataset.input"),
            ({"target": "n", "task": "multi_label"}, "dataset.target"),
        ],
    )
    def test_columns_that_do_not_fit(
        self, data: Path, settings: dict[str, Any], field: str
    ) -> None:
        assert refusal(data, path="table.csv", **settings).field == field

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("empty.csv", b""),
            ("header.csv", b"a,b\n"),
            ("binary.csv", png() * 3),
            ("latin.csv", "a,b\nü,1\n".encode("latin-1")),
            ("ragged.csv", b"a,b\n1,2\n1,2,3\n"),
            ("text.parquet", b"a,b\n1,2\n"),
            ("cut.parquet", b"PAR1 and no more"),
            ("pickle.pkl", b"\x80\x04."),
        ],
    )
    def test_files_that_are_not_what_they_seem(self, data: Path, name: str, content: bytes) -> None:
        (data / name).write_bytes(content)
        error = refusal(data, path=name, target="b")
        assert error.field == "dataset.path"
        assert name in error.message

    def test_a_target_that_is_missing_or_never_varies(self, data: Path) -> None:
        (data / "a.csv").write_text("x,y\n1,a\n2,\n3,b\n4,a\n5,b\n")
        assert refusal(data, path="a.csv", target="y").field == "dataset.target"
        (data / "b.csv").write_text("x,y\n1,a\n2,a\n3,a\n4,a\n")
        assert refusal(data, path="b.csv", target="y").field == "dataset.target"

    def test_one_row_leaves_nothing_to_hold_out(self, data: Path) -> None:
        (data / "one.csv").write_text("x,y\n1,a\n")
        assert refusal(data, path="one.csv", target="y").field == "dataset.path"

    def test_infinite_numbers(self, data: Path) -> None:
        (data / "inf.csv").write_text("x,y\n1,a\ninf,b\n3,a\n4,b\n")
        assert refusal(data, path="inf.csv", target="y").field == "dataset.input"

    def test_links_out_of_the_data_folder(self, data: Path, tmp_path: Path) -> None:
        secret = tmp_path / "secret.csv"
        secret.write_text("x,y\n1,a\n2,b\n")
        (data / "link.csv").symlink_to(secret)
        (data / "up").symlink_to(tmp_path)
        write_images(data / "pets")
        (data / "pets" / "cat" / "link.png").symlink_to(secret)
        assert "outside" in refusal(data, path="link.csv", target="y").message
        assert "outside" in refusal(data, path="up/secret.csv", target="y").message
        assert "link.png" in refusal(data, path="pets").message

    def test_nothing_there_and_no_data_folder(self, data: Path) -> None:
        assert refusal(data, path="nowhere.csv", target="y").field == "dataset.path"
        (data / "hollow").mkdir()
        assert refusal(data, path="hollow").field == "dataset.path"
        assert "ROUNDHOUSE_DATA_DIR" in (refusal(None, path="x.csv", target="y").fix or "")

    def test_limits_are_kept(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MAX_TENSOR_BYTES", 100)
        assert "limit" in refusal(data, path="table.csv", target="label").message

    def test_too_many_categories(self, data: Path) -> None:
        lines = [f"id{n},1,{n % 2}" for n in range(1500)]
        (data / "ids.csv").write_text("\n".join(["id,one,y", *lines]) + "\n")
        error = refusal(data, path="ids.csv", target="y")
        assert error.field == "dataset.input"
        assert "'id'" in (error.fix or "")


class TestHuggingFaceLayout:
    def load(self, data: Path, **settings: Any) -> Dataset:
        spec = HuggingFaceDatasetSpec.model_validate(settings)
        return load_dataset(spec, Request(0, 4, Folders(data, data.parent / "cache")))

    def write(self, folder: Path, name: str, count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        table = pa.table({"x": np.arange(count) / 2, "y": np.arange(count) % 3})
        pq.write_table(table, folder / name)

    def test_splits_are_found_by_name(self, data: Path) -> None:
        folder = data / "own" / "set"
        self.write(folder / "data", "train-00000-of-00002.parquet", 12)
        self.write(folder / "data", "train-00001-of-00002.parquet", 8)
        self.write(folder / "data", "test-00000-of-00001.parquet", 6)
        dataset = self.load(data, path="own/set", target="y")
        assert (len(dataset.train), len(dataset.test)) == (20, 6)
        assert dataset.num_classes == 3

    def test_without_a_test_split_some_rows_are_held_out(self, data: Path) -> None:
        self.write(data / "single", "train.parquet", 20)
        dataset = self.load(data, path="single", target="y", test_fraction=0.25)
        assert (len(dataset.train), len(dataset.test)) == (15, 5)

    def test_a_description_cannot_name_files_outside(self, data: Path, tmp_path: Path) -> None:
        self.write(tmp_path / "secret", "train.parquet", 30)
        self.write(data / "sly", "train.parquet", 10)
        (data / "sly" / "README.md").write_text(
            "---\nconfigs:\n- config_name: default\n  data_files: ../../secret/*.parquet\n---\n"
        )
        dataset = self.load(data, path="sly", target="y")
        assert len(dataset.train) + len(dataset.test) == 10

    def test_what_is_wrong_is_explained(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        self.write(data / "single", "train.parquet", 20)
        (data / "hollow").mkdir()
        for settings, field in (
            ({"path": "single", "target": "y", "train_split": "fit"}, "dataset.train_split"),
            ({"path": "single", "target": "y", "test_split": "exam"}, "dataset.test_split"),
            ({"path": "single", "target": "y", "test_split": "train"}, "dataset.test_split"),
            ({"path": "single", "target": "z"}, "dataset.target"),
            ({"path": "hollow", "target": "y"}, "dataset.path"),
        ):
            with pytest.raises(DatasetError) as caught:
                self.load(data, **settings)
            assert caught.value.field == field
            assert caught.value.fix
