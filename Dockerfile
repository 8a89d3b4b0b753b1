# syntax=docker/dockerfile:1
# The image of every outlet process: `outlet` is its entry point, the command says which one (docs/cluster.md).

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/outlet
WORKDIR /build
# First what seldom changes, exactly as the lock has it, checked by its hashes.
COPY requirements.lock ./
RUN /opt/outlet/bin/python -m pip install --require-hashes --no-deps --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY deploy/unneeded.py deploy/
COPY domain domain
COPY streams streams
COPY projections projections
COPY adapters adapters
RUN /opt/outlet/bin/python -m pip install --no-deps --no-build-isolation --no-index .
# The lock holds the tools of development too; what the outlet does not run with stays behind.
RUN /opt/outlet/bin/python deploy/unneeded.py single-outlet kafka postgres > unneeded.txt \
    && /opt/outlet/bin/python -m pip uninstall --yes --quiet --requirement unneeded.txt \
    && /opt/outlet/bin/outlet version

FROM python:3.12-slim
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="single-outlet" \
      org.opencontainers.image.description="Partner agencies' warnings in, one outlet warning per district out" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 outlet \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin outlet \
    && install --directory --owner=10001 --group=10001 --mode=0750 /data
COPY --from=build /opt/outlet /opt/outlet
ENV PATH=/opt/outlet/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OUTLET_DATA=/data
USER 10001:10001
WORKDIR /data
ENTRYPOINT ["outlet"]
