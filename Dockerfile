# The coordinator's image: docker build --tag lekt . && docker run --network host --volume lekt:/var/lib/lekt lekt
# (deploy/compose.yaml says why the network is the host's).

FROM docker.io/library/debian:bookworm-slim AS build
WORKDIR /source
COPY deploy/packages deploy/packages
RUN apt-get update \
    && awk '$1 == "build" { print $2 }' deploy/packages \
       | DEBIAN_FRONTEND=noninteractive xargs apt-get install --yes --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -D LEKT_TESTS=OFF \
    && cmake --build --preset release --target lektd lekt \
    && strip build/bin/lektd build/bin/lekt

FROM docker.io/library/debian:bookworm-slim
LABEL org.opencontainers.image.title="LEKT coordinator" \
      org.opencontainers.image.description="Tells every peer on a network who else is there" \
      org.opencontainers.image.licenses="MIT"
# The numbers are fixed, so that the owner of a volume stays the same from image to image.
RUN --mount=type=bind,source=deploy/packages,target=/packages \
    apt-get update \
    && awk '$1 == "run" { print $2 }' /packages \
       | DEBIAN_FRONTEND=noninteractive xargs apt-get install --yes --no-install-recommends \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/* \
    && groupadd --gid 7890 lekt \
    && useradd --uid 7890 --gid lekt --home-dir /var/lib/lekt --no-create-home --shell /usr/sbin/nologin lekt \
    && install --directory --owner lekt --group lekt --mode 0755 /var/lib/lekt
COPY --from=build /source/build/bin/lektd /source/build/bin/lekt /usr/local/bin/
COPY --from=build /source/LICENSE /usr/share/doc/lekt/

# Every flag of lektd is an environment variable too. The health check reads LEKT_LISTEN: to use another port,
# change it here or with --env, not with --listen.
ENV LEKT_LISTEN=0.0.0.0:7890 LEKT_DATABASE=/var/lib/lekt/lekt.db
USER 7890:7890
WORKDIR /var/lib/lekt
VOLUME /var/lib/lekt
EXPOSE 7890
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD lekt ping --server "$LEKT_LISTEN"
ENTRYPOINT ["lektd"]
