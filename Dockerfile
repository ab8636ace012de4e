# The server, the sync job and the command line in one image: docker build -t opencaas .
# Nothing of the build stage but the finished environment is in the image: no compiler, no package manager, no source.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG UV_VERSION=0.13.9
# What an operator may switch on by a setting has to be there: otel is for OPENCAAS_OTLP_ENDPOINT.
ARG EXTRAS="--extra otel"
ENV UV_PROJECT_ENVIRONMENT=/opt/opencaas \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_COMPILE_BYTECODE=1
WORKDIR /src
RUN python3 -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION}"
# The dependencies are a layer of their own: a change of the source does not fetch them again.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv sync --locked --no-install-project ${EXTRAS}
COPY LICENSE README.md ./
COPY content_core content_core
COPY content_sync content_sync
COPY fixtures fixtures
COPY graphql_app graphql_app
COPY opencaas opencaas
COPY rest_compat rest_compat
COPY schema_gen schema_gen
# Not editable: the packages are copied into the environment, with their bytecode. Anyone may write uv's lock file.
RUN /opt/uv/bin/uv sync --locked --no-editable ${EXTRAS} && rm /opt/opencaas/.lock

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="OpenCaaS" \
      org.opencontainers.image.description="Self-hosted Content-as-a-Service on MongoDB" \
      org.opencontainers.image.licenses="Apache-2.0"
# A user without a home or a shell; by the number Kubernetes sees that it is not root.
# What the base installs packages with goes, and so does every right that a program has of its own.
RUN groupadd --system --gid 10001 opencaas \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin opencaas \
    && rm -rf /usr/local/bin/pip* /usr/local/bin/wheel /usr/local/lib/python3.*/ensurepip \
       /usr/local/lib/python3.*/site-packages/pip /usr/local/lib/python3.*/site-packages/pip-* \
       /usr/local/lib/python3.*/site-packages/setuptools /usr/local/lib/python3.*/site-packages/setuptools-* \
       /usr/local/lib/python3.*/site-packages/wheel /usr/local/lib/python3.*/site-packages/wheel-* \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /opt/opencaas /opt/opencaas
# In a container loopback is the container alone, hence all addresses. The data directory is for a mongod that is not in
# the image; where it points matters only for the message that one gets without OPENCAAS_MONGODB_URI.
ENV PATH=/opt/opencaas/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OPENCAAS_HOST=0.0.0.0 \
    OPENCAAS_PORT=8080 \
    OPENCAAS_DATA_DIR=/tmp/opencaas
WORKDIR /tmp
USER 10001:10001
EXPOSE 8080
# Readiness: it answers, and MongoDB has a primary. By Python, since there is no curl; and not through a proxy.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-I", "-c", "import http.client, os, sys; server = http.client.HTTPConnection('127.0.0.1', int(os.environ['OPENCAAS_PORT']), timeout=4); server.request('GET', '/_logic/ready'); sys.exit(server.getresponse().status != 200)"]
ENTRYPOINT ["opencaas"]
CMD ["serve"]
