"""Every HTTP and websocket route."""

from __future__ import annotations

from allauth.socialaccount.providers.openid_connect.views import callback
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from webapp.accounts.views.audit import AuditExportView, AuditListView
from webapp.accounts.views.browsers import BrowserListView, BrowserView
from webapp.accounts.views.invitations import (
    AccountRequestView,
    InvitationAcceptView,
    InvitationListView,
    InvitationPreviewView,
    InvitationView,
)
from webapp.accounts.views.people import PersonListView, PersonView
from webapp.accounts.views.projects import (
    MemberListView,
    MemberView,
    ProjectListView,
    ProjectView,
)
from webapp.accounts.views.sessions import (
    CsrfView,
    LoginView,
    LogoutView,
    MeView,
    SignInOptionsView,
    to_sign_in,
)
from webapp.accounts.views.tokens import (
    ProjectTokenListView,
    ProjectTokenView,
    TokenListView,
    TokenView,
)
from webapp.api import errors
from webapp.api.health import LiveView, ReadyView
from webapp.api.schema_view import SchemaView
from webapp.artifacts.views import ArtifactListView, ModelView
from webapp.intents.views import IntentView
from webapp.jobs.consumers import RunConsumer, UnknownPathConsumer
from webapp.jobs.views.comparison import CompareView
from webapp.jobs.views.jobs import JobListView, JobRunListView, JobView
from webapp.jobs.views.organising import (
    RunBulkView,
    RunFacetsView,
    RunSparklinesView,
    SavedViewListView,
    SavedViewView,
)
from webapp.jobs.views.previews import SpecPartitionView
from webapp.jobs.views.quotas import QuotaView
from webapp.jobs.views.run_data import (
    RunClientRoundsView,
    RunClientsView,
    RunEventsView,
    RunFailuresView,
    RunLogView,
    RunMetricsView,
)
from webapp.jobs.views.runs import (
    RunCancelView,
    RunListView,
    RunPauseView,
    RunResumeView,
    RunRetryFailedView,
    RunRetryView,
    RunView,
)
from webapp.jobs.views.specs import CatalogueView, SpecSchemaView, SpecValidateView
from webapp.jobs.views.sweeps import SweepCancelView, SweepListView, SweepResumeView, SweepView
from webapp.jobs.views.workers import WorkerListView
from webapp.metrics import metrics
from webapp.sites.consumers import SiteConsumer
from webapp.sites.views.agents import (
    AcceptView,
    EnrolView,
    FailView,
    HeartbeatView,
    KeyView,
    MessageView,
    RefuseView,
    ResultView,
    SiteRunView,
    StatusView,
    TaskListView,
    UploadView,
)
from webapp.sites.views.drafts import SiteDraftView, SiteEligibilityView
from webapp.sites.views.people import (
    OneSiteView,
    ProjectSiteListView,
    RunSitesView,
    SiteApproveView,
    SiteHistoryView,
    SiteInvitationView,
    SiteListView,
    SiteRevokeView,
    SiteTaskListView,
)
from webapp.spa import page

api: list[URLPattern | URLResolver] = [
    # What sites ask: fedcore.sites.routes. They ask in crowds, and what is first is found first.
    path("site/enrol/", EnrolView.as_view()),
    path("site/status/", StatusView.as_view()),
    path("site/heartbeat/", HeartbeatView.as_view()),
    path("site/key/", KeyView.as_view()),
    path("site/tasks/", TaskListView.as_view()),
    path("site/runs/<uuid:run_id>/", SiteRunView.as_view()),
    path("site/tasks/<uuid:task_id>/accept/", AcceptView.as_view()),
    path("site/tasks/<uuid:task_id>/refuse/", RefuseView.as_view()),
    path("site/tasks/<uuid:task_id>/fail/", FailView.as_view()),
    path("site/tasks/<uuid:task_id>/message/", MessageView.as_view()),
    path("site/tasks/<uuid:task_id>/upload/", UploadView.as_view()),
    path("site/tasks/<uuid:task_id>/result/", ResultView.as_view()),
    path("auth/csrf/", CsrfView.as_view()),
    path("auth/login/", LoginView.as_view()),
    path("auth/logout/", LogoutView.as_view()),
    path("auth/me/", MeView.as_view()),
    path("auth/options/", SignInOptionsView.as_view()),
    path("auth/request/", AccountRequestView.as_view()),
    path("auth/sessions/", BrowserListView.as_view()),
    path("auth/sessions/<int:session_id>/", BrowserView.as_view()),
    path("invitations/preview/", InvitationPreviewView.as_view()),
    path("invitations/accept/", InvitationAcceptView.as_view()),
    path("users/", PersonListView.as_view()),
    path("users/<uuid:user_id>/", PersonView.as_view()),
    path("audit/", AuditListView.as_view()),
    path("audit/export/", AuditExportView.as_view()),
    path("tokens/", TokenListView.as_view()),
    path("tokens/<uuid:token_id>/", TokenView.as_view()),
    path("projects/", ProjectListView.as_view()),
    path("projects/<uuid:project_id>/", ProjectView.as_view()),
    path("projects/<uuid:project_id>/members/", MemberListView.as_view()),
    path("projects/<uuid:project_id>/members/<uuid:member_id>/", MemberView.as_view()),
    path("projects/<uuid:project_id>/invitations/", InvitationListView.as_view()),
    path("projects/<uuid:project_id>/invitations/<uuid:invitation_id>/", InvitationView.as_view()),
    path("projects/<uuid:project_id>/tokens/", ProjectTokenListView.as_view()),
    path("projects/<uuid:project_id>/tokens/<uuid:token_id>/", ProjectTokenView.as_view()),
    path("projects/<uuid:project_id>/quota/", QuotaView.as_view()),
    path("catalogue/", CatalogueView.as_view()),
    path("spec/schema/", SpecSchemaView.as_view()),
    path("spec/validate/", SpecValidateView.as_view()),
    path("intents/", IntentView.as_view()),
    path("spec/partition/", SpecPartitionView.as_view()),
    path("jobs/", JobListView.as_view()),
    path("jobs/<uuid:job_id>/", JobView.as_view()),
    path("jobs/<uuid:job_id>/runs/", JobRunListView.as_view()),
    path("jobs/<uuid:job_id>/sweep/", SweepView.as_view()),
    path("jobs/<uuid:job_id>/sweep/cancel/", SweepCancelView.as_view()),
    path("jobs/<uuid:job_id>/sweep/resume/", SweepResumeView.as_view()),
    path("sweeps/", SweepListView.as_view()),
    path("runs/", RunListView.as_view()),
    path("runs/bulk/", RunBulkView.as_view()),
    path("runs/facets/", RunFacetsView.as_view()),
    path("runs/sparklines/", RunSparklinesView.as_view()),
    path("runs/<uuid:run_id>/", RunView.as_view()),
    path("runs/<uuid:run_id>/pause/", RunPauseView.as_view()),
    path("runs/<uuid:run_id>/resume/", RunResumeView.as_view()),
    path("runs/<uuid:run_id>/cancel/", RunCancelView.as_view()),
    path("runs/<uuid:run_id>/retry/", RunRetryView.as_view()),
    path("runs/<uuid:run_id>/retry-failed/", RunRetryFailedView.as_view()),
    path("runs/<uuid:run_id>/metrics/", RunMetricsView.as_view()),
    path("runs/<uuid:run_id>/clients/", RunClientsView.as_view()),
    path("runs/<uuid:run_id>/client-rounds/", RunClientRoundsView.as_view()),
    path("runs/<uuid:run_id>/logs/", RunLogView.as_view()),
    path("runs/<uuid:run_id>/failures/", RunFailuresView.as_view()),
    path("runs/<uuid:run_id>/events/", RunEventsView.as_view()),
    path("runs/<uuid:run_id>/artifacts/", ArtifactListView.as_view()),
    path("runs/<uuid:run_id>/model/", ModelView.as_view()),
    path("compare/", CompareView.as_view()),
    path("projects/<uuid:project_id>/sites/", ProjectSiteListView.as_view()),
    path("runs/<uuid:run_id>/sites/", RunSitesView.as_view()),
    path("sites/", SiteListView.as_view()),
    path("sites/eligibility/", SiteEligibilityView.as_view()),
    path("sites/draft/", SiteDraftView.as_view()),
    path("sites/<uuid:site_id>/", OneSiteView.as_view()),
    path("sites/<uuid:site_id>/invitation/", SiteInvitationView.as_view()),
    path("sites/<uuid:site_id>/approve/", SiteApproveView.as_view()),
    path("sites/<uuid:site_id>/revoke/", SiteRevokeView.as_view()),
    path("sites/<uuid:site_id>/history/", SiteHistoryView.as_view()),
    path("sites/<uuid:site_id>/tasks/", SiteTaskListView.as_view()),
    path("views/", SavedViewListView.as_view()),
    path("views/<uuid:view_id>/", SavedViewView.as_view()),
    path("workers/", WorkerListView.as_view()),
    path("health/live/", LiveView.as_view()),
    path("health/ready/", ReadyView.as_view()),
    path("schema/", SchemaView.as_view()),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("_allauth/browser/v1/", include("webapp.accounts.headless_urls")),
    # Where the identity provider sends people back to.
    path(
        "accounts/oidc/<str:provider_id>/login/callback/", callback, name="openid_connect_callback"
    ),
    re_path(r"^(?:api|ws|_allauth|accounts)(?:/|$)", errors.not_found),
    path("metrics", metrics),
    # Its own form asks for a password only: no second factor, no throttle.
    path("admin/login/", to_sign_in),
    path("admin/", admin.site.urls),
    re_path(r"^(?!static/).*$", page),
]

# Django's stubs know views only; what Channels routes to is an ASGI application.
websocket_urlpatterns = [
    path("ws/runs/<uuid:run_id>/", RunConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/site/", SiteConsumer.as_asgi()),  # type: ignore[arg-type]
    re_path(r"", UnknownPathConsumer.as_asgi()),  # type: ignore[arg-type]
]

handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.server_error
