# The coordinator's image: docker build --tag lekt . && docker run --network host --volume lekt:/var/lib/lekt lekt
# (deploy/compose.yaml says why the network is the host's). It holds the Debian packages that deploy/package makes.

FROM docker.io/library/debian:bookworm-slim AS build
WORKDIR /source
COPY deploy/packages deploy/packages
RUN apt-get update \
    && awk '$1 == "build" || $1 == "deb" { print $2 }' deploy/packages \
       | DEBIAN_FRONTEND=noninteractive xargs apt-get install --yes --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*
COPY . .
RUN deploy/package

FROM docker.io/library/debian:bookworm-slim
LABEL org.opencontainers.image.title="LEKT coordinator" \
      org.opencontainers.image.description="Tells every peer on a network who else is there" \
      org.opencontainers.image.licenses="MIT"
# The numbers are fixed, so that the owner of a volume stays the same from image to image; the package takes the user
# as it finds it. The authorities are for `lekt --tls` without --ca.
RUN --mount=type=bind,from=build,source=/source/build/packages,target=/packages \
    groupadd --gid 7890 lekt \
    && useradd --uid 7890 --gid lekt --home-dir /var/lib/lekt --no-create-home --shell /usr/sbin/nologin lekt \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
         ca-certificates /packages/lekt-server_*.deb /packages/lekt-client_*.deb \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/* /usr/share/man/* \
         /usr/share/bash-completion

# The settings are the package's file, and no variables: so one that is mounted in its place counts, and what is given
# with --env or as a flag beats it. lektctl finds the server by the same file and variables.
ENV LEKT_CONFIG=/etc/lekt/lektd.toml
USER 7890:7890
WORKDIR /var/lib/lekt
VOLUME /var/lib/lekt
# Devices, with --device-listen 0.0.0.0:3006, need 3006/udp and 5000-6000/udp as well. Their hosts (--device-host) are connected
# from the container, with its names: docker run ... lekt --device-listen 0.0.0.0:3006 --device-host wms=10.1.0.5:23
EXPOSE 7890
STOPSIGNAL SIGTERM
# Over the control socket: whatever the server listens on, and whom it serves. Alive, not ready: docs/installation.md.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["lektctl", "health"]
ENTRYPOINT ["lektd"]
