"""Models of the transformers library, tiny and random, made here and read from a local folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fedcore.data import Dataset, Request, load_dataset
from fedcore.data.pretrained import PretrainedText, Published
from fedcore.data.tokenizers import tokenizer_from_json
from fedcore.engine import Engine
from fedcore.environment import Folders
from fedcore.errors import ModelError
from fedcore.models import build_model, load_exported
from fedcore.models.base import DataShape, initial_params
from fedcore.rng import Purpose, rng
from fedcore.spec.data import UploadSpec
from fedcore.spec.models import HuggingFaceModelSpec
from fedcore.spec.tasks import TaskName
from tests.fedcore.tiny_models import ROWS, WORDS, run_spec, write_bert, write_gpt


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_bert(folder / "tiny" / "bert")
    write_gpt(folder / "tiny-gpt")
    return folder


@pytest.fixture
def data(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROUNDHOUSE_MODELS_DIR", str(models))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "data"
    folder.mkdir()
    lines = [f'"{text}",{label}' for text, label in ROWS]
    (folder / "reviews.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return folder


def load(data: Path, path: str | None, **settings: Any) -> Dataset:
    spec = UploadSpec.model_validate({"path": "reviews.csv", "length": 12, **settings})
    tokenizer = None if path is None else PretrainedText(Published.of(path, None))
    folders = Folders(data, data.parent / "cache")
    return load_dataset(spec, Request(0, 2, folders, tokenizer))


def test_text_is_read_through_the_models_own_tokenizer(data: Path) -> None:
    dataset = load(data, "tiny/bert", input="text", target="label")
    assert dataset.num_tokens == len(WORDS)
    row = dataset.train.x[0].tolist()
    assert row[0] == WORDS.index("[CLS]")
    assert WORDS.index("[SEP]") in row
    assert row[-1] == -1
    other = load(data, None, input="text", target="label")
    assert other.fingerprint != dataset.fingerprint
    again = tokenizer_from_json(dataset.preparation.to_json()["tokenizer"])
    assert next(again.encode(["good movie"])) == [WORDS.index("good"), WORDS.index("movie")]


def test_a_classifier_learns(data: Path) -> None:
    engine = Engine.create(run_spec("tiny/bert"), data_dir=data, cache_dir=data.parent / "cache")
    for _ in range(2):
        report = engine.run_round()
    assert report.metrics["accuracy"] > 0.9  # two classes, equally frequent: chance is 0.5
    engine.close()


def test_a_language_model_learns_and_can_be_loaded_elsewhere(data: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    spec = run_spec(
        "tiny-gpt",
        dataset={"kind": "upload", "path": "reviews.csv", "input": "text", "length": 8},
    )
    engine = Engine.create(spec, data_dir=data, cache_dir=data.parent / "cache")
    for _ in range(2):
        report = engine.run_round()
    assert report.metrics["perplexity"] < len(WORDS) / 3  # guessing has that of the vocabulary
    files = {path.name for path in engine.export_model(tmp_path / "exported")}
    assert {"model.safetensors", "model.json", "config.json", "tokenizer.json"} <= files
    loaded: Any
    info: Any
    loaded, info = AutoModelForCausalLM.from_pretrained(  # type: ignore[misc]
        tmp_path / "exported", use_safetensors=True, output_loading_info=True
    )
    assert not info["missing_keys"]
    tokens = AutoTokenizer.from_pretrained(tmp_path / "exported")(
        "the movie was", return_tensors="pt", add_special_tokens=False
    )
    own = load_exported(tmp_path / "exported")
    expected = own(tokens["input_ids"].int())
    assert torch.allclose(loaded.eval()(**tokens).logits, expected, atol=1e-5)
    engine.close()


@pytest.mark.usefixtures("data")
def test_the_seed_alone_decides_the_start() -> None:
    before = torch.get_rng_state()
    shape = DataShape((12,), 2, TaskName.CLASSIFICATION, len(WORDS))
    spec = HuggingFaceModelSpec(path="tiny/bert")
    first, again, other = (
        initial_params(build_model(spec, shape), rng(seed, Purpose.MODEL_INIT))
        for seed in (0, 0, 1)
    )
    assert torch.equal(first.flat, again.flat)
    assert torch.equal(first.flat, other.flat)  # the head was published, too
    new = HuggingFaceModelSpec(path="tiny/bert", pretrained=False)
    random = initial_params(build_model(new, shape), rng(1, Purpose.MODEL_INIT))
    assert not torch.equal(random.flat, first.flat)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(("task", "outputs"), [(TaskName.REGRESSION, 3), (TaskName.MULTI_LABEL, 4)])
def test_other_heads_have_one_output_per_target(task: TaskName, outputs: int) -> None:
    shape = DataShape((12,), outputs, task, len(WORDS))
    model = build_model(HuggingFaceModelSpec(path="tiny/bert"), shape)
    params = initial_params(model, rng(0, Purpose.MODEL_INIT))
    x = torch.tensor([[4, 5, -1], [6, 7, 8]], dtype=torch.int32)
    assert model.apply(params, x).shape == (2, outputs)
    alone = model.apply(params, x[:1, :2])
    assert torch.allclose(model.apply(params, x)[:1], alone, atol=1e-5)  # padding is masked


def refused(make: Callable[[], object]) -> ModelError:
    with pytest.raises(ModelError) as caught:
        make()
    assert caught.value.fix
    return caught.value


@pytest.mark.usefixtures("data")
class TestRefusals:
    shape = DataShape((12,), 2, TaskName.CLASSIFICATION, len(WORDS))

    def build(self, path: str, shape: DataShape | None = None) -> Any:
        model = build_model(HuggingFaceModelSpec(path=path), shape or self.shape)
        return initial_params(model, rng(0, Purpose.MODEL_INIT))

    def test_an_unknown_model(self) -> None:
        assert refused(lambda: self.build("nobody/nothing")).field == "model.path"

    def test_weights_that_are_pickles(self, models: Path) -> None:
        folder = models / "pickled"
        write_bert(folder)
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
        error = refused(lambda: self.build("pickled"))
        assert error.field == "model.path"
        assert "safetensors" in (error.fix or "")

    def test_damaged_weights(self, models: Path) -> None:
        folder = models / "damaged"
        write_bert(folder)
        content = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
        assert refused(lambda: self.build("damaged")).field == "model.path"

    def test_a_model_that_needs_code_of_its_own(self, models: Path) -> None:
        folder = models / "coded"
        folder.mkdir()
        (folder / "config.json").write_text(
            '{"model_type": "own", "auto_map": {"AutoConfig": "code.Own"}}'
        )
        (folder / "code.py").write_text("raise SystemExit('this code must never run')\n")
        assert refused(lambda: self.build("coded")).field == "model.path"

    def test_a_link_out_of_the_models_folder(self, models: Path, tmp_path: Path) -> None:
        write_bert(tmp_path / "outside")
        (models / "linked").symlink_to(tmp_path / "outside")
        assert "outside" in refused(lambda: self.build("linked")).message

    def test_texts_that_are_too_long(self) -> None:
        shape = DataShape((25,), 2, TaskName.CLASSIFICATION, len(WORDS))
        error = refused(lambda: self.build("tiny/bert", shape))
        assert error.field == "dataset.length"
        assert "24" in (error.fix or "")

    def test_a_tokenizer_of_another_model(self) -> None:
        shape = DataShape((12,), 2, TaskName.CLASSIFICATION, len(WORDS) + 1)
        assert refused(lambda: self.build("tiny/bert", shape)).field == "model.path"
