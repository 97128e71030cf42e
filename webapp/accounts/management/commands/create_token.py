from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError

from webapp.accounts.models import User
from webapp.accounts.roles import Scope
from webapp.accounts.services import create_token


class Command(BaseCommand):
    help = "Make an API token for a user; it is printed once, alone on its line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("name", help="What the token is for.")
        parser.add_argument("--scope", choices=list(Scope), default=Scope.RUN, type=Scope)
        parser.add_argument("--days", type=int, default=90, help="How long it is valid.")

    def handle(self, *_: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['username']!r}.")
        lifetime = timedelta(days=options["days"])
        _row, token = create_token(
            user=user, name=options["name"], lifetime=lifetime, scope=options["scope"]
        )
        self.stdout.write(token)
