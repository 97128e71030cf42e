"""The files that a new site starts with; what is there already is left as it is."""

from __future__ import annotations

from pathlib import Path

_CONFIG = """\
# How this site takes part. docs/sites.md explains every setting.
config_version: 1
server: {server}
data_dir: data          # beside this file; nothing outside it is read
state_dir: state        # keys, log, unfinished work: keep it private, and keep it
policy: policy.yaml
{tls}
# Data sets that runs may ask for, by name. Only names and counts are told to the server, and what
# `share` lists: class_counts, categories, scales.
datasets: []
#  - name: heart
#    title: Heart disease, ward 3
#    path: heart.csv
#    target: disease
#    share: [class_counts, categories, scales]
"""

_POLICY = """\
# What this site takes part in, checked here for every task. docs/sites.md explains the rules.
policy_version: 1
projects: [{project}]
datasets: any
methods: any
models: [linear, mlp]
max_work:
  rounds: 200
  local_epochs: 10
  round_seconds: 600
  model_parameters: 1000000
min_cohort: 2           # clients of a round, and updates that a result comes of
privacy:
  secure_aggregation: optional   # required: the server sees sums of updates alone
# max_epsilon: 4                 # asks for differential privacy
approval: manual        # a person here approves each run; automatic: the rules alone decide
"""


def write_config(file: Path, server: str, *, ca_file: Path | None, pins: tuple[str, ...]) -> bool:
    """Write a first configuration and make the data folder; return whether there was none."""
    (file.parent / "data").mkdir(parents=True, exist_ok=True)
    lines = []
    if ca_file is not None:
        lines.append(f"  ca_file: {_quoted(str(ca_file.resolve()))}")
    if pins:
        lines.append(f"  pins: [{', '.join(map(_quoted, pins))}]")
    tls = "\n".join(["tls:", *lines, ""]) if lines else ""
    return _write_new(file, _CONFIG.format(server=_quoted(server), tls=tls))


def write_policy(file: Path, project: str) -> bool:
    """Write a first policy, for the project that invited the site; return whether there was none.

    It is a careful one: every run waits for a person.
    """
    return _write_new(file, _POLICY.format(project=_quoted(project)))


def _write_new(file: Path, text: str) -> bool:
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        return False
    return True


def _quoted(text: str) -> str:
    """Return text as a YAML string that means nothing else."""
    return "'" + text.replace("'", "''") + "'"
