# The reconciler alone; mount a repository of specs at /work:
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" --env GENESYSCLOUD_OAUTHCLIENT_ID \
#       --env GENESYSCLOUD_OAUTHCLIENT_SECRET reconciler plan --env test
FROM python:3.13-slim AS build

WORKDIR /source
COPY requirements.lock ./
RUN python -m venv /opt/reconciler \
    && /opt/reconciler/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY reconciler reconciler
# What only building needs is taken away again, pip included.
RUN /opt/reconciler/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/reconciler/bin/pip uninstall --yes editables hatchling packaging pathspec pluggy tomlkit trove-classifiers \
        pip

FROM python:3.13-slim

# Commits are read by Git. Whose the mounted repository is does not matter here, whereas Git would refuse it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*' \
    && useradd --uid 10001 --create-home reconciler \
    && mkdir --mode=1777 /var/cache/reconciler
COPY --from=build /opt/reconciler /opt/reconciler

ENV PATH=/opt/reconciler/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    RECONCILER_CACHE_DIR=/var/cache/reconciler
USER 10001
WORKDIR /work
ENTRYPOINT ["reconciler"]
CMD ["--help"]
