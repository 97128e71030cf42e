from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, call_command

from webapp.accounts.services import ensure_administrator


class Command(BaseCommand):
    help = "Make the first administrator and project. Running it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="Bring the database up first.")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["migrate"]:
            call_command("migrate", interactive=False, verbosity=options["verbosity"])
        try:
            password = ensure_administrator()
        except ValidationError as error:
            reasons = " ".join(error.messages)
            raise CommandError(f"ROUNDHOUSE_ADMIN_PASSWORD is not good enough. {reasons}") from None
        if password is None:
            self.stdout.write("Roundhouse is set up.")
            return
        name = settings.ENVIRONMENT.admin_username
        self.stdout.write(f"First administrator: {name}, password: {password}")
        self.stdout.write("The password is shown this once; change it after signing in.")
