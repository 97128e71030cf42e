"""The one file that says how a site takes part: server, folders, data sets, policy, status page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from fedcore.errors import PermanentError
from fedcore.sites.base import Sha256, Slug, Text
from fedcore.sites.documents import SiteDocument, read_document, refusal
from fedcore.sites.policy import Policy
from fedcore.spec.data.custom import Column, InsidePath

#: As `fedcore.sites.signing.fingerprint` writes it.
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{4}(?::[0-9a-f]{4}){7}$")]
Shared = Literal["class_counts", "categories", "scales"]

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_PORTS = {"http": 80, "https": 443}


class ConfigError(PermanentError):
    """A file or folder that the configuration names cannot be used."""

    code = "invalid_site_config"


def server_address(url: str) -> str:
    """Return the address of a server without path, query and trailing slash.

    Raises:
        PydanticCustomError: If it is none, or not encrypted and not this machine.
    """
    parts = urlsplit(url)
    host, is_plain = parts.netloc, parts.scheme == "http"
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise refusal("not_an_address", f"{url!r} is no address.", "Write https://host[:port].")
    if is_plain and host.rpartition(":")[0] not in _LOOPBACK and host not in _LOOPBACK:
        raise refusal(
            "not_encrypted",
            f"{url!r} is not encrypted.",
            "Use https://; plain http:// is for a server on this machine.",
        )
    if parts.query or parts.fragment:
        raise refusal("not_an_address", f"{url!r} has a query.", "Write https://host[:port].")
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"


class Tls(SiteDocument):
    """How the server is recognised, beyond a certificate that this machine trusts."""

    ca_file: str | None = Field(
        None, description="Certificates to trust instead of the machine's, as PEM."
    )
    pins: tuple[Sha256, ...] = Field(
        (),
        max_length=20,
        description="SHA-256 of public keys that the server may have; none pins nothing. Name the "
        "next key beside the one in use before it is changed.",
    )


class StatusPage(SiteDocument):
    """A page for people on this machine; other machines cannot reach it."""

    enabled: bool = Field(default=True, description="Whether to serve it.")
    port: int = Field(8471, ge=1, le=65535, description="On 127.0.0.1.")


class DeclaredDataset(SiteDocument):
    """A data set that runs may ask for, by its name."""

    name: Slug = Field(description="How runs name it.")
    path: InsidePath = Field(description="CSV or Parquet file, or folder, in the data folder.")
    title: Text = Field("", description="For people.")
    delimiter: Literal[",", ";", "\t", "|"] = Field(
        ",", description="What separates the columns of a CSV file."
    )
    target: Column | None = Field(
        None, description="Column of the classes, if their counts may be shared."
    )
    columns: tuple[Column, ...] | None = Field(
        None, min_length=1, description="Columns that runs may see; empty shows all of them."
    )
    test_fraction: float = Field(
        0.2, gt=0, lt=1, description="Share held out where the data have no test split."
    )
    share: tuple[Shared, ...] = Field(
        (),
        description="What the server may know beside names and counts: examples per class, the "
        "categories of columns, mean and standard deviation of numbers.",
    )

    @model_validator(mode="after")
    def _counts_need_a_target(self) -> Self:
        if "class_counts" in self.share and self.target is None:
            raise refusal(
                "missing_target",
                "Counts per class need to know which column holds the classes.",
                "Add target, or remove class_counts from share.",
            )
        if self.columns is not None and self.target not in (None, *self.columns):
            raise refusal(
                "hidden_target",
                f"The target {self.target!r} is not among the columns that runs may see.",
                "Add it to columns.",
            )
        return self


class SiteConfig(SiteDocument):
    """What the file says; paths that are not absolute are beside the file."""

    config_version: Literal[1] = Field(1, description="Version of this format.")
    server: Annotated[str, AfterValidator(server_address)] = Field(
        description="Address of the server."
    )
    data_dir: str = Field("data", description="Folder with the data; nothing outside is read.")
    state_dir: str = Field("state", description="Keys, log, unfinished work; private.")
    policy: str = Field("policy.yaml", description="File with what this site lets others do.")
    datasets: tuple[DeclaredDataset, ...] = Field((), max_length=50, description="Data sets.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where to train.")
    tls: Tls = Field(Tls(), description="How the server is recognised.")
    peers: tuple[Fingerprint, ...] | None = Field(
        None,
        max_length=10_000,
        description="Fingerprints of the sites that secure sums may be made with, learnt from the "
        "sites themselves; empty takes the server's word for who takes part.",
    )
    status_page: StatusPage = Field(StatusPage(), description="A page on this machine.")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [each.name for each in self.datasets]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            message = f"Two data sets are called {twice!r}."
            raise refusal("name_taken", message, "Give each a name of its own.")
        return self


@dataclass(frozen=True)
class Site:
    """A site as its files describe it.

    Attributes:
        config: What the configuration says.
        policy: What the policy file says.
        folder: Of the configuration; its paths start here.
    """

    config: SiteConfig
    policy: Policy
    folder: Path

    @property
    def data_dir(self) -> Path:
        """Folder with the data."""
        return self.folder / self.config.data_dir

    @property
    def state_dir(self) -> Path:
        """Folder with keys, log and unfinished work."""
        return self.folder / self.config.state_dir

    def dataset(self, name: str) -> DeclaredDataset | None:
        """Return the data set of this name, if the site has declared it."""
        return next((each for each in self.config.datasets if each.name == name), None)


def read_config(path: Path) -> SiteConfig:
    """Return what a configuration file says.

    Raises:
        SiteFileError: With every problem of the file.
        ConfigError: If it cannot be read.
    """
    fix = "Name it with --config, or make one with `roundhouse site enrol`."
    return read_document(_text(path, "configuration", fix), SiteConfig, str(path))


def read_site(path: Path) -> Site:
    """Return the site that a configuration file describes.

    Raises:
        SiteFileError: With every problem of the configuration or the policy.
        ConfigError: If a file or folder cannot be used.
    """
    config = read_config(path)
    folder = path.resolve().parent
    file = folder / config.policy
    text = _text(file, "policy", "Write one as docs/sites.md says; without it nothing is allowed.")
    site = Site(config, Policy.parse(text, str(file)), folder)
    if not site.data_dir.is_dir():
        raise ConfigError(
            f"there is no data folder {site.data_dir}",
            field="data_dir",
            fix=f"Make it, or correct data_dir in {path}.",
        )
    return site


def _text(path: Path, what: str, fix: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"there is no {what} file {path}", fix=fix) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the {what} file {path} cannot be read: {error}", fix=fix) from error
