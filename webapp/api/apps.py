from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "webapp.api"
    label = "api"

    def ready(self) -> None:
        # Importing them registers the system checks and the schema extensions.
        from webapp.api import checks, schema  # noqa: F401, PLC0415
