# A site's agent: the engine beside the data, without Django and everything else of the server.
# Build from the repository's root: docker build -f docker/site.Dockerfile -t roundhouse-site .
#
# TORCH and PIP_EXTRA_INDEX_URL are those of docker/worker.Dockerfile.

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
    && install -d -o roundhouse -g roundhouse -m 700 /srv/site
WORKDIR /app
RUN python -m venv /opt/roundhouse && pip install "${TORCH}"
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY supply/site.lock supply/
COPY fedcore/ fedcore/
RUN pip install --require-hashes --no-deps --requirement supply/site.lock \
    && pip install --no-build-isolation --constraint constraints.txt --editable '.[site]'

USER roundhouse
# site.yaml, policy.yaml, data/ (which may be read-only) and state/ are mounted here.
WORKDIR /srv/site
VOLUME /srv/site
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s --retries=3 \
    CMD ["roundhouse", "site", "status"]
CMD ["roundhouse", "site", "run"]
