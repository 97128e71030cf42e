"""Everything that changes sites and what they are asked."""

from webapp.sites.services.flights import still_asked
from webapp.sites.services.forgetting import forget_files
from webapp.sites.services.heartbeats import record_heartbeat
from webapp.sites.services.identities import (
    approve_site,
    enrol_site,
    invite_site,
    renew_invitation,
    revoke_site,
    rotate_key,
)
from webapp.sites.services.reconcile_sites import reconcile_sites
from webapp.sites.services.requests import authenticate, require_approved
from webapp.sites.services.roster import (
    MemberOfRun,
    class_names_of,
    form_roster,
    refuse_unfit_sites,
)
from webapp.sites.services.round_on_sites import (
    Candidates,
    Errand,
    Flights,
    MaskedSum,
    Outcome,
    RoundOnSites,
    Stage,
    errands_of,
)
from webapp.sites.services.site_rounds import (
    candidates,
    close_last_round,
    fill_places,
    find_round,
    give_up_waiting,
    open_stage,
    wait_on,
)
from webapp.sites.services.tasks import (
    accept_task,
    fail_task,
    finish_task,
    get_member,
    get_task,
    refuse_task,
    tasks_of,
)
from webapp.sites.services.uploads import add_piece

__all__ = [
    "Candidates",
    "Errand",
    "Flights",
    "MaskedSum",
    "MemberOfRun",
    "Outcome",
    "RoundOnSites",
    "Stage",
    "accept_task",
    "add_piece",
    "approve_site",
    "authenticate",
    "candidates",
    "class_names_of",
    "close_last_round",
    "enrol_site",
    "errands_of",
    "fail_task",
    "fill_places",
    "find_round",
    "finish_task",
    "forget_files",
    "form_roster",
    "get_member",
    "get_task",
    "give_up_waiting",
    "invite_site",
    "open_stage",
    "reconcile_sites",
    "record_heartbeat",
    "refuse_task",
    "refuse_unfit_sites",
    "renew_invitation",
    "require_approved",
    "revoke_site",
    "rotate_key",
    "still_asked",
    "tasks_of",
    "wait_on",
]
