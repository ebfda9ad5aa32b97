# The service in one small image: built in one stage, run in another that has no compiler and no pip.
# Both stages use the same base, so that the virtual environment finds its interpreter.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python3 -m venv /opt/aggregator
ENV PATH=/opt/aggregator/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# The locked requirements change seldom, so they are a layer of their own: `run`, or `cluster` with the
# queue of many workers.
ARG REQUIREMENTS=run
COPY requirements/run.txt requirements/cluster.txt requirements/
RUN pip install --require-hashes -r "requirements/${REQUIREMENTS}.txt"
COPY pyproject.toml README.md LICENSE ./
COPY aggregator aggregator
COPY packaging packaging
RUN pip install --no-deps --no-build-isolation . \
    && pip uninstall --yes hatchling editables \
    && pip uninstall --yes pip setuptools \
    && python3 packaging/licences.py --into /opt/aggregator/share/doc/aggregator/LICENCES.txt \
    && find /opt/aggregator -type d -name tests -prune -exec rm -rf {} +

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="aggregator" \
      org.opencontainers.image.description="A self-hosted news-feed aggregator" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --system --gid 10001 aggregator \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /data aggregator \
    && install -d -o aggregator -g aggregator /data
COPY --from=build /opt/aggregator /opt/aggregator
COPY config /config
ENV PATH=/opt/aggregator/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AGGREGATOR_CONFIG=/config/aggregator.yaml \
    AGGREGATOR_LISTEN=0.0.0.0:8080 \
    AGGREGATOR_STORAGE_URL=sqlite:////data/aggregator.db
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
# The slim image has no curl; a container that listens elsewhere needs its own health check.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/health/live', timeout=4)"]
ENTRYPOINT ["aggregator"]
CMD ["run"]
