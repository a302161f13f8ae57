# The engine as one image: API, relay, worker and command line. It runs as nobody in particular, on a root that is
# read-only; what it keeps is in the volume /data (keys of personal data; with no TENOR_DATABASE_URL, PostgreSQL too).
# Brokers are extras (`tenor[nats]`): an image FROM this one installs what it needs.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements requirements
RUN python -m venv /opt/tenor \
 && /opt/tenor/bin/python -m pip install --require-hashes -r requirements/runtime.txt
# What builds the package is locked too, and stays behind in this stage.
RUN python -m venv /opt/builder \
 && /opt/builder/bin/python -m pip install --require-hashes -r requirements/dev.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/builder/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /build/wheels . \
 && /opt/tenor/bin/python -m pip install --no-deps --no-index /build/wheels/*.whl \
 && /opt/tenor/bin/python -m compileall -q /opt/tenor/lib

FROM python:3.11-slim
RUN useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin tenor \
 && install -d -o tenor -g tenor -m 0700 /data
COPY --from=build /opt/tenor /opt/tenor
ENV PATH=/opt/tenor/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TENOR_DATA_DIR=/data
USER tenor
WORKDIR /data
VOLUME /data
EXPOSE 8090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8090/readyz', timeout=4)"]
ENTRYPOINT ["tenor"]
CMD ["serve", "--host", "0.0.0.0"]
