"""Data sets: what comes out, what is kept, and what is said when one cannot be read."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import fedcore.data.cache as cache_module
from fedcore.data import Dataset, Request, load_dataset
from fedcore.data.cache import Prepared, load_or_build
from fedcore.data.dataset import Scaling
from fedcore.engine import Engine
from fedcore.environment import Folders
from fedcore.errors import DatasetError
from fedcore.spec.data import DatasetSpec
from tests.fedcore.runs import small_spec


def load(folders: Folders, seed: int = 0, clients: int = 20, **settings: Any) -> Dataset:
    spec = DatasetSpec.kinds()[settings["kind"]].model_validate(settings)
    return load_dataset(spec, Request(seed, clients, folders))


def write_images(folder: Path, name: str, labels: list[int], *, size: int = 28) -> None:
    """Write a split as the hub does: encoded images and whole numbers, with features named."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    def encoded(label: int) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(np.full((size, size), label * 20, dtype=np.uint8)).save(stream, "PNG")
        return stream.getvalue()

    images = pa.array([{"bytes": encoded(label), "path": None} for label in labels])
    table = pa.table({"image": images, "label": pa.array(labels, pa.int64())})
    features = {"image": {"_type": "Image"}, "label": {"dtype": "int64", "_type": "Value"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(metadata), folder / f"{name}.parquet")


def test_digits_are_images_of_mean_0_and_deviation_1(folders: Folders) -> None:
    digits = load(folders, kind="digits")
    assert digits.train.x.shape == (1437, 1, 8, 8)
    assert digits.test.x.shape == (360, 1, 8, 8)
    assert digits.train.x.dtype == torch.float32
    assert digits.train.y.dtype == torch.int64
    assert abs(float(digits.train.x.mean())) < 1e-3
    assert abs(float(digits.train.x.std()) - 1) < 1e-3
    assert sorted(set(digits.test.y.tolist())) == list(range(10))


def test_the_test_split_of_digits_is_the_same_for_every_seed(folders: Folders) -> None:
    first, second = load(folders, seed=0, kind="digits"), load(folders, seed=1, kind="digits")
    assert first.fingerprint == second.fingerprint
    assert torch.equal(first.test.y, second.test.y)


def test_scaling_turns_raw_pixels_into_inputs(folders: Folders) -> None:
    digits = load(folders, kind="digits")
    lowest, highest = digits.preparation.apply(torch.tensor([0, 16]))
    assert torch.isclose(lowest, digits.train.x.min())
    assert torch.isclose(highest, digits.train.x.max())


def test_tensors_start_at_a_round_address_however_they_came(
    tmp_path: Path, folders: Folders
) -> None:
    """Fast matrix routines may round by alignment; the first run must equal the second."""
    fresh = Folders(None, tmp_path)
    for dataset in (load(fresh, kind="digits"), load(fresh, kind="digits")):
        assert dataset.train.x.data_ptr() % 64 == 0
        assert dataset.test.x.data_ptr() % 64 == 0
    odd = load(folders, kind="synthetic", num_samples=101, num_features=3)
    assert odd.test.x.data_ptr() % 64 == 0


class TestSynthetic:
    def test_sizes_are_those_of_the_spec(self, folders: Folders) -> None:
        data = load(folders, kind="synthetic", num_samples=500, num_features=7, num_classes=4)
        assert data.train.x.shape == (400, 7)
        assert data.test.x.shape == (100, 7)
        assert int(data.train.y.max()) < 4

    def test_data_follow_from_the_seed(self, folders: Folders) -> None:
        first, other = (load(folders, seed=seed, kind="synthetic") for seed in (0, 1))
        assert first.fingerprint == load(folders, seed=0, kind="synthetic").fingerprint
        assert first.fingerprint != other.fingerprint

    def test_a_linear_model_explains_a_single_owner(self, folders: Folders) -> None:
        """One owner has one logistic model, so a linear model can learn all of its labels."""
        data = load(folders, clients=1, kind="synthetic", num_samples=500, num_classes=3)
        weight = torch.zeros(61, 3, requires_grad=True)
        x = torch.cat([data.train.x, torch.ones(len(data.train), 1)], dim=1)
        optimizer = torch.optim.LBFGS([weight], max_iter=200)

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(x @ weight, data.train.y)
            loss.backward()
            return loss

        optimizer.step(closure)
        assert ((x @ weight).argmax(1) == data.train.y).float().mean() > 0.99

    def test_inputs_spread_as_the_paper_says(self, folders: Folders) -> None:
        data = load(folders, clients=1, kind="synthetic", num_samples=20_000)
        variances = data.train.x.double().var(0)
        expected = torch.arange(1, 61, dtype=torch.float64) ** -1.2
        assert torch.allclose(variances, expected, rtol=0.1)

    def test_beta_moves_the_owners_apart(self, folders: Folders) -> None:
        def spread(beta: float) -> float:
            data = load(folders, clients=50, kind="synthetic", alpha=0, beta=beta)
            return float(data.train.x.mean(1).var())

        assert spread(5) > 5 * spread(0)


class TestCache:
    def build(self) -> Prepared:
        self.built = getattr(self, "built", 0) + 1
        return Prepared({"x": torch.arange(5.0), "y": torch.arange(3)}, {"n": 2.5})

    def test_what_is_built_once_is_found_again(self, tmp_path: Path) -> None:
        for _ in range(3):
            cached = load_or_build(tmp_path, "name", "key", self.build)
            assert cached.tensors["x"].tolist() == [0, 1, 2, 3, 4]
            assert cached.tensors["y"].tolist() == [0, 1, 2]
            assert cached.facts == {"n": 2.5}
        assert self.built == 1
        load_or_build(tmp_path, "name", "another key", self.build)
        assert self.built == 2

    @pytest.mark.parametrize("damage", ["cut", "empty", "garbage"])
    def test_a_damaged_file_is_built_again(self, tmp_path: Path, damage: str) -> None:
        checksum = load_or_build(tmp_path, "name", "key", self.build).checksum
        (path,) = tmp_path.iterdir()
        content = path.read_bytes()
        path.write_bytes({"cut": content[:-1], "empty": b"", "garbage": b"x" * 500}[damage])
        assert load_or_build(tmp_path, "name", "key", self.build).checksum == checksum
        assert self.built == 2

    def test_writing_to_a_tensor_does_not_reach_the_file(self, tmp_path: Path) -> None:
        load_or_build(tmp_path, "name", "key", self.build).tensors["x"].fill_(7)
        again = load_or_build(tmp_path, "name", "key", self.build)
        assert again.tensors["x"].tolist() == [0, 1, 2, 3, 4]

    def test_a_cache_that_cannot_be_written_is_done_without(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(cache_module, "write_atomically", refuse)
        cached = load_or_build(tmp_path, "name", "key", self.build)
        assert cached.tensors["x"].tolist() == [0, 1, 2, 3, 4]
        assert list(tmp_path.iterdir()) == []


class TestLocalParquet:
    def folders(self, tmp_path: Path) -> Folders:
        return Folders(tmp_path / "data", tmp_path / "cache")

    def write(self, tmp_path: Path, train: list[int], test: list[int]) -> None:
        write_images(tmp_path / "data" / "mnist", "train", train)
        write_images(tmp_path / "data" / "mnist", "test", test)

    def test_a_local_folder_is_read(self, tmp_path: Path) -> None:
        self.write(tmp_path, [0, 3, 9, 3], [1, 2])
        data = load(self.folders(tmp_path), kind="mnist")
        assert data.train.x.shape == (4, 1, 28, 28)
        assert data.train.y.tolist() == [0, 3, 9, 3]
        assert isinstance(data.preparation, Scaling)
        raw = data.train.x * data.preparation.std + data.preparation.mean
        assert torch.allclose(raw[:, 0, 0, 0] * 255, torch.tensor([0.0, 60, 180, 60]), atol=1e-3)

    def test_changed_files_are_read_again(self, tmp_path: Path) -> None:
        self.write(tmp_path, [0, 3], [1])
        before = load(self.folders(tmp_path), kind="mnist")
        self.write(tmp_path, [0, 4], [1])
        after = load(self.folders(tmp_path), kind="mnist")
        assert after.train.y.tolist() == [0, 4]
        assert before.fingerprint != after.fingerprint

    def refusal(self, tmp_path: Path) -> DatasetError:
        folders = self.folders(tmp_path)
        with pytest.raises(DatasetError) as caught:
            Engine.create(
                small_spec(dataset={"kind": "mnist"}),
                data_dir=folders.data,
                cache_dir=folders.cache,
            )
        error = caught.value
        assert error.field == "dataset.kind"
        assert "ROUNDHOUSE_DATA_DIR" in (error.fix or "")
        return error

    def test_an_unreadable_file_is_explained(self, tmp_path: Path) -> None:
        self.write(tmp_path, [0, 3], [1])
        (tmp_path / "data" / "mnist" / "train.parquet").write_bytes(b"not parquet")
        assert "cannot read mnist" in self.refusal(tmp_path).message

    def test_a_missing_split_is_explained(self, tmp_path: Path) -> None:
        write_images(tmp_path / "data" / "mnist", "train", [0, 3])
        assert "test" in self.refusal(tmp_path).message

    def test_labels_out_of_range_are_explained(self, tmp_path: Path) -> None:
        self.write(tmp_path, [0, 12], [1])
        assert "labels" in self.refusal(tmp_path).message

    def test_images_of_several_sizes_are_explained(self, tmp_path: Path) -> None:
        self.write(tmp_path, [0, 3], [1])
        write_images(tmp_path / "data" / "mnist", "test", [1, 2], size=20)
        assert "size" in self.refusal(tmp_path).message

    def test_nothing_is_left_in_the_cache_by_a_failure(self, tmp_path: Path) -> None:
        self.test_an_unreadable_file_is_explained(tmp_path)
        assert list((tmp_path / "cache").rglob("*.safetensors")) == []


def test_the_environment_names_the_folders() -> None:
    named = Folders.from_environment({"ROUNDHOUSE_DATA_DIR": "/d", "ROUNDHOUSE_CACHE_DIR": "/c"})
    assert named == Folders(Path("/d"), Path("/c"))
    unnamed = Folders.from_environment({"XDG_CACHE_HOME": "/x"})
    assert unnamed == Folders(None, Path("/x/roundhouse"))
    assert named.with_overrides(Path("/other"), None) == Folders(Path("/other"), Path("/c"))
