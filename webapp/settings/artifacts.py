"""From the environment to where checkpoints and models are kept: a folder, or a bucket."""

from __future__ import annotations

from typing import Any

from webapp.settings.env import Environment


def artifact_storage(environment: Environment) -> dict[str, Any]:
    """Return Django's settings for the default storage."""
    if environment.s3_bucket is None:
        folder = (environment.artifact_dir or environment.var / "artifacts").absolute()
        return {
            "BACKEND": "webapp.artifacts.storage.AtomicFileSystemStorage",
            "OPTIONS": {"location": str(folder)},
        }
    options: dict[str, Any] = {
        "bucket_name": environment.s3_bucket,
        "location": environment.s3_prefix,
        "endpoint_url": environment.s3_endpoint,
        "region_name": environment.s3_region,
    }
    if environment.s3_access_key_id is not None and environment.s3_secret_access_key is not None:
        options["access_key"] = environment.s3_access_key_id
        options["secret_key"] = environment.s3_secret_access_key.get_secret_value()
    return {"BACKEND": "webapp.artifacts.object_storage.ObjectStorage", "OPTIONS": options}
