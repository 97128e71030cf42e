"""The configuration of a site: every mistake is named, nothing outside its folders is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from fedcore.agent.config import ConfigError, SiteConfig, read_site
from fedcore.sites.documents import SiteFileError, read_document

SERVER = "server: https://roundhouse.example\n"
DATASET = SERVER + "datasets: [{{name: heart, path: heart.csv, {}}}]"

MISTAKES = [
    ("", "server", "missing"),
    ("server: roundhouse.example", "server", "Write https://host[:port]."),
    ("server: ftp://roundhouse.example", "server", "Write https://host[:port]."),
    ("server: https://me:secret@roundhouse.example", "server", "Write https://host[:port]."),
    ("server: https://roundhouse.example?a=1", "server", "has a query"),
    ("server: http://roundhouse.example", "server", "not encrypted"),
    ("server: http://127.0.0.1.evil.example", "server", "not encrypted"),
    ("server: http://localhost.evil.example:80", "server", "not encrypted"),
    (SERVER + "tls: {pins: [ABC]}", "tls.pins.0", "pattern"),
    (SERVER + "status_page: {port: 0}", "status_page.port", "The limit is 1."),
    (SERVER + "status_page: {host: 0.0.0.0}", "status_page.host", "no setting called"),
    (SERVER + "datasets: [{name: Heart, path: a.csv}]", "datasets.0.name", "pattern"),
    (SERVER + "datasets: [{name: heart, path: ../a.csv}]", "datasets.0.path", "inside"),
    (SERVER + "datasets: [{name: heart, path: /etc/passwd}]", "datasets.0.path", "inside"),
    (DATASET.format("share: [rows]"), "datasets.0.share.0", "'class_counts'"),
    (DATASET.format("share: [class_counts]"), "datasets.0", "Add target"),
    (DATASET.format("target: x, columns: [y]"), "datasets.0", "Add it to columns"),
    (
        SERVER + "datasets: [{name: a, path: a.csv}, {name: a, path: b.csv}]",
        "",
        "Two data sets are called 'a'",
    ),
]


@pytest.mark.parametrize(("text", "path", "says"), MISTAKES)
def test_a_mistake_is_named_with_its_field_and_fix(text: str, path: str, says: str) -> None:
    with pytest.raises(SiteFileError) as caught:
        read_document(text, SiteConfig, "site.yaml")
    (problem,) = caught.value.problems
    assert problem.path == path
    assert says in f"{problem.message} {problem.fix}"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://roundhouse.example/", "https://roundhouse.example"),
        ("https://proxy.example:8443/roundhouse/", "https://proxy.example:8443/roundhouse"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_is_kept_without_its_slash(written: str, meant: str) -> None:
    assert read_document(f"server: '{written}'", SiteConfig, "site.yaml").server == meant


def test_a_site_is_its_files(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(DATASET.format("target: disease, share: [class_counts]"))
    (tmp_path / "policy.yaml").write_text("projects: [heart]")
    (tmp_path / "data").mkdir()
    site = read_site(tmp_path / "site.yaml")
    assert site.data_dir == tmp_path / "data"
    assert site.policy.projects == ("heart",)
    assert site.dataset("heart") == site.config.datasets[0]
    assert site.dataset("lungs") is None


def test_a_site_without_policy_or_data_folder_does_not_start(tmp_path: Path) -> None:
    config = tmp_path / "site.yaml"
    with pytest.raises(ConfigError, match="no configuration file"):
        read_site(config)
    config.write_text(SERVER)
    with pytest.raises(ConfigError, match="no policy file"):
        read_site(config)
    (tmp_path / "policy.yaml").write_text("projects: [heart]\nrounds: 4")
    with pytest.raises(SiteFileError, match="rounds"):
        read_site(config)
    (tmp_path / "policy.yaml").write_text("projects: [heart]")
    with pytest.raises(ConfigError, match="no data folder"):
        read_site(config)
