"""Everything that changes jobs and runs, one verb each; workers call these and nothing deeper."""

from webapp.jobs.failures import Failure
from webapp.jobs.operation_models import Notice as NoticeRow
from webapp.jobs.services.advance_sweep import advance_sweep
from webapp.jobs.services.cancel_sweep import cancel_sweep
from webapp.jobs.services.chunk_leases import (
    ChunkLease,
    claim_another,
    claim_chunk,
    release_chunk,
    renew_chunk,
)
from webapp.jobs.services.discard_old import Discarded, discard_old
from webapp.jobs.services.discard_template import discard_template
from webapp.jobs.services.end_run import cancel_run, fail_run, finish_run, pause_run
from webapp.jobs.services.keep_view import keep_view
from webapp.jobs.services.launch_run import launch_run
from webapp.jobs.services.leases import (
    Checkpoint,
    Lease,
    LeaseLostError,
    acquire_lease,
    release_lease,
    renew_lease,
)
from webapp.jobs.services.log_message import log_message
from webapp.jobs.services.mark_running import mark_running
from webapp.jobs.services.mend_times import mend_times
from webapp.jobs.services.notify_end import Receiver, receivers_due, send_next_notice
from webapp.jobs.services.open_rounds import MeasuredPace, OpenRound, Part, find_open_round
from webapp.jobs.services.organise_run import (
    MAX_TAGS,
    Description,
    describe_run,
    restore_run,
    star_run,
    tag_run,
    trash_run,
    unstar_run,
    untag_run,
)
from webapp.jobs.services.preview_partition import (
    preview_partition,
    preview_to_make,
    record_failed_preview,
    record_preview,
)
from webapp.jobs.services.reconcile import reconcile, sweeps_to_advance
from webapp.jobs.services.reconcile_chunks import reconcile_chunks
from webapp.jobs.services.record_checkpoint import record_checkpoint
from webapp.jobs.services.record_part import fail_chunk, record_part
from webapp.jobs.services.record_round import RoundGapError, record_round, record_rounds
from webapp.jobs.services.report_worker import WorkerReport, forget_worker, report_worker
from webapp.jobs.services.request_cancel import request_cancel
from webapp.jobs.services.request_pause import request_pause
from webapp.jobs.services.request_resume import request_resume
from webapp.jobs.services.request_retry import request_retry, request_retry_failed
from webapp.jobs.services.resume_sweep import resume_sweep
from webapp.jobs.services.run_changes import IllegalTransitionError
from webapp.jobs.services.set_quota import set_quota
from webapp.jobs.services.shared_rounds import close_round, drop_results, open_round
from webapp.jobs.services.submit_job import submit_job, submit_sweep
from webapp.jobs.services.take_run import take_run
from webapp.jobs.sweep_results import Trial

__all__ = [
    "MAX_TAGS",
    "Checkpoint",
    "ChunkLease",
    "Description",
    "Discarded",
    "Failure",
    "IllegalTransitionError",
    "Lease",
    "LeaseLostError",
    "MeasuredPace",
    "NoticeRow",
    "OpenRound",
    "Part",
    "Receiver",
    "RoundGapError",
    "Trial",
    "WorkerReport",
    "acquire_lease",
    "advance_sweep",
    "cancel_run",
    "cancel_sweep",
    "claim_another",
    "claim_chunk",
    "close_round",
    "describe_run",
    "discard_old",
    "discard_template",
    "drop_results",
    "fail_chunk",
    "fail_run",
    "find_open_round",
    "finish_run",
    "forget_worker",
    "keep_view",
    "launch_run",
    "log_message",
    "mark_running",
    "mend_times",
    "open_round",
    "pause_run",
    "preview_partition",
    "preview_to_make",
    "receivers_due",
    "reconcile",
    "reconcile_chunks",
    "record_checkpoint",
    "record_failed_preview",
    "record_part",
    "record_preview",
    "record_round",
    "record_rounds",
    "release_chunk",
    "release_lease",
    "renew_chunk",
    "renew_lease",
    "report_worker",
    "request_cancel",
    "request_pause",
    "request_resume",
    "request_retry",
    "request_retry_failed",
    "restore_run",
    "resume_sweep",
    "send_next_notice",
    "set_quota",
    "star_run",
    "submit_job",
    "submit_sweep",
    "sweeps_to_advance",
    "tag_run",
    "take_run",
    "trash_run",
    "unstar_run",
    "untag_run",
]
