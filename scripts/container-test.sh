#!/bin/sh
# Build the image, run it with docker-compose.yml beside an origin of our own, and see that it
# polls, that it runs unprivileged, and that the data outlives a restart and down/up.
#
# Uses the Docker daemon that runs, or starts one of its own where it may (root). The base image is
# pulled, or made by debootstrap where there is no registry. At the end it removes what it made.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d /tmp/aggregator-container.XXXXXX)
project="aggregatortest$$"
base=python:3.11-slim-bookworm
port=${AGGREGATOR_PORT:-18080}
python=$(sh scripts/python.sh)
daemon=
made_base=
failed=1

say() { printf '\n== %s\n' "$*"; }

cleanup() {
    set +e
    if [ "$failed" -ne 0 ] && [ -f "$work/override.yml" ]; then
        echo "FAILED; the last lines of the containers:" >&2
        compose logs --tail 40 >&2
    fi
    [ -f "$work/override.yml" ] && compose down --volumes --timeout 20 >/dev/null 2>&1
    docker image rm --force "$project" >/dev/null 2>&1
    for image in $(sed -n 's/^ ---> \([0-9a-f]\{12\}\)$/\1/p' "$work/build.log" 2>/dev/null); do
        if docker image ls --quiet --filter dangling=true | grep -q "$image"; then
            docker image rm --force "$image" >/dev/null 2>&1
        fi
    done
    [ -n "$made_base" ] && docker image rm --force "$base" >/dev/null 2>&1
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null
        wait "$daemon" 2>/dev/null
        umount "$work"/exec/netns/* 2>/dev/null
    fi
    rm -rf "$work"
    exit "$failed"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

need() {  # need PROGRAM PACKAGE: install it where that is allowed
    command -v "$1" >/dev/null 2>&1 && return 0
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "Installing $2"
        apt-get update -q >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$2" >/dev/null
    else
        echo "$1 is needed; install $2" >&2
        exit 1
    fi
}

start_daemon() {
    [ "$(id -u)" -eq 0 ] || { echo "No Docker daemon answers, and only root can start one" >&2; exit 1; }
    need dockerd docker.io
    need iptables iptables
    say "Starting a Docker daemon of our own"
    export DOCKER_HOST="unix://$work/docker.sock"
    dockerd --data-root "$work/docker" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
        --host "$DOCKER_HOST" >"$work/dockerd.log" 2>&1 &
    daemon=$!
    for _ in $(seq 60); do
        docker info >/dev/null 2>&1 && return 0
        kill -0 "$daemon" 2>/dev/null || break
        sleep 1
    done
    echo "The Docker daemon does not start:" >&2
    tail -n 20 "$work/dockerd.log" >&2
    exit 1
}

make_base() {
    [ "$(id -u)" -eq 0 ] || { echo "Cannot pull $base, and only root can make it" >&2; exit 1; }
    need debootstrap debootstrap
    say "Making $base by debootstrap (it cannot be pulled)"
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
        bookworm "$work/base" >"$work/debootstrap.log" || { tail "$work/debootstrap.log" >&2; exit 1; }
    rm -rf "$work/base/var/cache/apt" "$work/base/var/lib/apt/lists" "$work/base/usr/share/doc"
    # The build uses the package index that this machine is configured with, and trusts whom it does.
    if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
        cp /etc/ssl/certs/ca-certificates.crt "$work/base/etc/ssl/certs/ca-certificates.crt"
    fi
    "$python" -m pip config list 2>/dev/null | sed -n \
        "s/^\(global\|install\|:env:\)\.\(index-url\|extra-index-url\|trusted-host\|proxy\|timeout\|default-timeout\)='\(.*\)'\$/\2 = \3/p" |
        { echo "[global]"; cat; } >"$work/base/etc/pip.conf"
    tar -C "$work/base" -c . | docker import - "$base" >/dev/null
    rm -rf "$work/base"
    made_base=yes
}

compose() {
    # shellcheck disable=SC2086 # `docker compose` is two words
    AGGREGATOR_PORT=$port COMPOSE_PROFILES=sqlite $compose_command --project-name "$project" \
        --project-directory "$root" -f "$root/docker-compose.yml" -f "$work/override.yml" "$@"
}

inside() { compose exec -T aggregator "$@"; }

wait_healthy() {
    container=$(compose ps -q aggregator)
    for _ in $(seq 90); do
        state=$(docker inspect --format '{{.State.Health.Status}}' "$container")
        [ "$state" = healthy ] && return 0
        sleep 1
    done
    echo "the container is $state" >&2
    return 1
}

served() {  # served FIELD: that field of every item served, sorted
    "$python" -c '
import json, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=10) as answer:
    print("\n".join(sorted(item[sys.argv[2]] for item in json.load(answer)["items"])))
' "http://127.0.0.1:$port/feeds/all.json" "$1"
}

not_served() {  # not_served FIELD FILE: how many lines of the file are in no served item
    served "$1" | LC_ALL=C sort -u >"$work/served"
    LC_ALL=C sort -u "$2" | LC_ALL=C comm -23 - "$work/served" | wc -l
}

expect() {  # expect WHAT WANTED GOT
    [ "$2" = "$3" ] || { echo "$1: wanted $2, got $3" >&2; exit 1; }
    echo "ok: $1: $3"
}

need docker docker.io
docker info >/dev/null 2>&1 || start_daemon
if docker compose version >/dev/null 2>&1; then
    compose_command="docker compose"
else
    need docker-compose docker-compose
    compose_command=docker-compose
fi
docker image inspect "$base" >/dev/null 2>&1 || docker pull -q "$base" 2>/dev/null || make_base

say "Building the image"
DOCKER_BUILDKIT=0 docker build --network host --tag "$project" . >"$work/build.log" 2>&1 || {
    tail -n 30 "$work/build.log" >&2
    exit 1
}
docker image ls "$project"

# The sample news run in a second container; the service may contact that network and no other.
mkdir "$work/config"
cp config/aggregator.schema.json "$work/config/"
sed -e 's#http://127.0.0.1:8181/#http://origin:8181/#' \
    -e 's#\[127.0.0.1/32\]#[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]#' \
    -e 's#^  poll: 1m#  poll: 12h#' demo/aggregator.yaml >"$work/config/aggregator.yaml"
printf '  allow_private: yes\n' >"$work/private"
sed -i "/^  poll: 12h/r $work/private" "$work/config/aggregator.yaml"
chmod -R a+rX "$work/config"
chmod a+x "$work"
cat >"$work/override.yml" <<YAML
services:
  aggregator:
    image: $project
    volumes: ["$work/config:/config:ro"]
  origin:
    image: $project
    profiles: [sqlite]
    entrypoint: [python3, -m, demo.origin, --host, 0.0.0.0, --base, "http://origin:8181"]
    environment: {PYTHONPATH: /sample}
    volumes: ["$root/demo:/sample/demo:ro"]
    healthcheck: {disable: true}
YAML

say "Up"
compose up -d --no-build
wait_healthy
expect "runs as an unprivileged user" 10001 "$(inside id -u)"
if inside touch /opt/aggregator/x 2>/dev/null; then
    echo "the root file system can be written" >&2
    exit 1
fi
echo "ok: the root file system is read-only"

say "Poll"
inside aggregator poll --all
inside_origin='
from datetime import UTC, datetime
from demo.stories import load
now = datetime.now(UTC)
everything = load(now)
print("\n".join(s.title for outlet in everything.outlets for s in everything.of(outlet.id, now)))
'
compose exec -T origin python3 -c "$inside_origin" >"$work/stories"
expect "the origin has stories" yes "$([ "$(wc -l <"$work/stories")" -ge 10 ] && echo yes)"
expect "stories of the sample feeds that are not served" 0 "$(not_served title "$work/stories")"
served id >"$work/ids"

say "Restart"
compose restart aggregator
wait_healthy
expect "items lost by a restart" 0 "$(not_served id "$work/ids")"

say "Down and up, without the origin"
container=$(compose ps -q aggregator)
compose stop aggregator
expect "stopped by itself within the grace period" 0 \
    "$(docker inspect --format '{{.State.ExitCode}}' "$container")"
compose down
compose up -d --no-build aggregator
wait_healthy
expect "items lost by down and up" 0 "$(not_served id "$work/ids")"

say "The other profiles are valid compositions"
for profile in postgres cluster; do
    COMPOSE_PROFILES=$profile $compose_command -f "$root/docker-compose.yml" config >/dev/null
    echo "ok: docker-compose.yml with the profile $profile"
done

failed=0
say "All seen"
