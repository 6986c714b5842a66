# For tests alone, never for production: a stand-in for Stripe, and the services on a clock that can be moved.
ARG SERVICES_IMAGE=booking-services:dev
ARG BUILD_IMAGE=python:3.12-slim
ARG RUNTIME_IMAGE=python:3.12-slim

FROM ${BUILD_IMAGE} AS build
ENV XDG_CACHE_HOME=/cache
WORKDIR /src
COPY requirements/uv.txt requirements/testing.txt requirements/simulator.txt requirements/build.txt requirements/
COPY stripe_simulator stripe_simulator
COPY deploy/images/hear_sigterm.py deploy/images/hear_sigterm.pth ./
RUN --mount=type=secret,id=ca,target=/run/ca.crt \
    --mount=type=secret,id=pip_conf,target=/etc/pip.conf \
    --mount=type=secret,id=uv_toml,target=/etc/uv/uv.toml \
    --mount=type=cache,target=/cache \
    if [ -e /run/ca.crt ]; then export PIP_CERT=/run/ca.crt SSL_CERT_FILE=/run/ca.crt; fi \
 && python=$(readlink -f "$(command -v python3)") \
 && "$python" -m venv /build \
 && /build/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt \
 && export UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 \
 && /build/bin/uv venv --quiet --python "$python" /app \
 && /build/bin/uv pip install --quiet --python /app/bin/python --require-hashes -r requirements/simulator.txt \
 && /build/bin/uv build --quiet --wheel --require-hashes --build-constraints requirements/build.txt \
    --python /app/bin/python --out-dir /wheels stripe_simulator \
 && /build/bin/uv pip install --quiet --python /app/bin/python --no-deps --no-index /wheels/*.whl \
 && cp hear_sigterm.py hear_sigterm.pth /app/lib/python3*/site-packages/ \
 && /build/bin/uv pip install --quiet --python /app/bin/python --require-hashes --target /testing -r requirements/testing.txt
RUN mkdir /empty

FROM ${RUNTIME_IMAGE} AS simulator
COPY --from=build /app /app
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="booking-stripe-simulator" \
      org.opencontainers.image.description="Stripe's API for tests: stripe_simulator/README.md" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/app/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 12111 12112
ENTRYPOINT ["python", "-m", "stripe_simulator", "--host", "0.0.0.0", "--port", "12111", "--control-port", "12112"]

FROM ${SERVICES_IMAGE} AS testing
COPY --from=build /testing /testing
# Where the clock's file is, which containers share as a volume: a new volume has this directory's owner.
COPY --from=build --chown=65532:65532 /empty /clock
# What a system is made of: the testkit of booking-contracts starts what this image says.
COPY deploy/__init__.py deploy/compose.yaml deploy/compose.clock.yaml /testing/deploy/
COPY deploy/postgres /testing/deploy/postgres
COPY deploy/local/__init__.py deploy/local/service.py deploy/local/crashing.py deploy/local/clock_offset.py \
     deploy/local/mailbox.py deploy/local/mail_message.py deploy/local/mail_rules.py /testing/deploy/local/
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="booking-testing" \
      org.opencontainers.image.description="The services on a movable clock, the clock, and a mailbox: for tests alone" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PYTHONPATH=/testing CLOCK_OFFSET_FILE=/clock/offset
