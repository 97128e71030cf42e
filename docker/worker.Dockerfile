# A run worker or the upkeep worker: the engine with PyTorch.
# Build from the repository's root: docker build -f docker/worker.Dockerfile -t roundhouse-worker .
#
# TORCH is what pip installs first, PIP_EXTRA_INDEX_URL where else pip looks. For the small CPU build
# give PyTorch's CPU index and TORCH=torch==2.13.0+cpu; without them the default build, with CUDA, is taken.

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE}
ARG TORCH=torch==2.13.0
ARG PIP_EXTRA_INDEX_URL=
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PATH=/opt/roundhouse/bin:$PATH
RUN useradd --system --uid 10001 --home-dir /srv/home --create-home roundhouse \
    && install -d -o roundhouse -g roundhouse /srv/artifacts /srv/data
WORKDIR /app
# PyTorch first, in a layer of its own: it is by far the largest and changes least.
RUN python -m venv /opt/roundhouse && pip install "${TORCH}"
COPY pyproject.toml constraints.txt README.md LICENSE manage.py ./
COPY supply/worker.lock supply/
COPY fedcore/ fedcore/
COPY webapp/ webapp/
COPY workers/ workers/
RUN pip install --require-hashes --no-deps --requirement supply/worker.lock \
    && pip install --no-build-isolation --constraint constraints.txt --editable '.[worker]'

USER roundhouse
ENV DJANGO_SETTINGS_MODULE=webapp.settings.production \
    ROUNDHOUSE_MODE=server \
    ROUNDHOUSE_ARTIFACT_DIR=/srv/artifacts
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s --retries=3 \
    CMD ["roundhouse", "doctor"]
CMD ["roundhouse", "worker"]
