"""What a prompt may not ask for: anything that is no description of a federated run."""

from __future__ import annotations

from webapp.intents.context import Context
from webapp.intents.lexicon import Role
from webapp.intents.reading import Item, Reading

COMMANDS = (
    "I can only describe federated runs. I cannot delete, stop, read or change anything, so "
    "nothing was done."
)
OFF_TOPIC = (
    "I can only describe federated runs: the data, the clients, the model, the method. "
    "Try “FedProx on MNIST with 20 clients for 30 rounds”."
)
_REACH = 7


def refused_command(reading: Reading) -> str | None:
    """Return why a prompt is refused that tries to command the system, or None."""
    for at, item in enumerate(reading.items):
        following = [i for i in reading.items[at + 1 : at + _REACH] if i.sentence == item.sentence]
        if item.is_operator("command") and _acts_on_system(item, following):
            return COMMANDS
        if item.is_operator("show") and any(each.is_operator("secret") for each in following):
            return COMMANDS
        if item.is_operator("ignore") and any(
            each.is_operator("instructions") for each in following
        ):
            return COMMANDS
    return None


def _acts_on_system(verb: Item, following: list[Item]) -> bool:
    if verb.text in ("rm", "sudo", "drop table", "chmod", "wget", "import os", "insert into"):
        return True
    for item in following:
        if item.is_operator("object"):
            return True
        if item.quantity is not None or item.find(Role.KIND) or item.find(Role.SETTING):
            return False
    return False


def is_off_topic(context: Context) -> bool:
    """Return whether nothing in a prompt is about a federated run."""
    findings = context.findings
    return findings.evidence == 0 and not (context.reading.has("train") and not findings.questions)
