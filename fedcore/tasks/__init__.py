"""Tasks: loss and metrics of what is learnt from a data set."""

# Importing a task registers it.
from fedcore.tasks import multi_label, next_token, regression  # noqa: F401
from fedcore.tasks.base import IGNORED, UNSCALED, TargetScale, Task, make_task, task_classes
from fedcore.tasks.classification import Classification
from fedcore.tasks.clients import spread

__all__ = [
    "IGNORED",
    "UNSCALED",
    "Classification",
    "TargetScale",
    "Task",
    "make_task",
    "spread",
    "task_classes",
]
