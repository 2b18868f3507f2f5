#!/usr/bin/env bash
# Builds the package and, from it, the container image gateway:latest.
#   BASE=debian:bookworm-slim must be the Debian this machine runs: the package links its DPDK.
. "$(dirname "$0")/lib.sh"

for builder in buildah podman docker; do
    have "$builder" && break
done
have "$builder" || die "no buildah, podman or docker here"
# shellcheck source=/dev/null
base=${BASE:-docker.io/library/debian:$(. /etc/os-release && echo "$VERSION_CODENAME")-slim}

context=target/image
deb=$(scripts/deb.sh)
mkdir -p "$context"
cp "$deb" "$context/gateway.deb"
say "building the image on $base with $builder"
"$builder" build --build-arg "BASE=$base" -t gateway:latest -f deploy/container/Containerfile "$context"
