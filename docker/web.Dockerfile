# The web process: Django and the built front end. No torch: extras are [web], and a test holds it so.
# Build from the repository's root: docker build -f docker/web.Dockerfile -t roundhouse-web .

ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG NODE_IMAGE=node:20-bookworm-slim

FROM ${NODE_IMAGE} AS frontend
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM ${PYTHON_IMAGE}
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PATH=/opt/roundhouse/bin:$PATH
RUN useradd --system --uid 10001 --home-dir /srv/home --create-home roundhouse \
    && install -d -o roundhouse -g roundhouse /srv/artifacts
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE manage.py ./
COPY supply/web.lock supply/
COPY fedcore/ fedcore/
COPY webapp/ webapp/
# Editable: the packages stay beside manage.py and frontend/dist, where the settings look for them.
RUN python -m venv /opt/roundhouse \
    && pip install --require-hashes --no-deps --requirement supply/web.lock \
    && pip install --no-build-isolation --constraint constraints.txt --editable '.[web]'
COPY --from=frontend /build/frontend/dist/ frontend/dist/

USER roundhouse
ENV DJANGO_SETTINGS_MODULE=webapp.settings.production \
    ROUNDHOUSE_MODE=server \
    ROUNDHOUSE_ARTIFACT_DIR=/srv/artifacts
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/api/v1/health/ready/', timeout=4)"]
CMD ["uvicorn", "webapp.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--no-access-log", "--no-server-header", "--no-proxy-headers", "--ws-max-size", "65536", \
     "--timeout-graceful-shutdown", "10"]
