"""What happens to messages between the hooks of a method and the wire."""

from fedcore.pipeline.announcer import PACKED, Announcer, Delivery
from fedcore.pipeline.pipeline import PLAIN, Pipeline, Sent, build_pipeline

__all__ = ["PACKED", "PLAIN", "Announcer", "Delivery", "Pipeline", "Sent", "build_pipeline"]
