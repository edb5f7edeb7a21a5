# What deploy/run, deploy/test and deploy/check-image share. Sourced, never run.
# shellcheck shell=bash
# shellcheck disable=SC2034 # its variables are for those who source it

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
jobs=$(nproc)

# One heading a step, so that readers of the output know where they are.
step() { printf '\n== %s\n' "$*"; }

# Indents what a command prints, under its heading.
indent() { sed -u 's/^/   /'; }

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# quietly COMMAND...: shows what the command printed only if it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  ((status == 0)) || cat "$log" >&2
  rm -f "$log"
  return "$status"
}

# wait_until SECONDS WHAT COMMAND...: runs the command until it succeeds; ends the script if it never does.
wait_until() {
  local deadline=$((SECONDS + $1)) seconds=$1 what=$2
  shift 2
  until "$@"; do
    ((SECONDS < deadline)) || fail "waited $seconds s in vain for this: $what"
    sleep 0.1
  done
}

# stop_process PID: asks it to end, waits at most 10 s, returns its exit status.
stop_process() {
  kill -TERM "$1" 2>/dev/null || true
  timeout 10 tail --pid="$1" -f /dev/null || kill -KILL "$1" 2>/dev/null || true
  wait "$1"
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# packages_for PURPOSE...: the packages of these purposes, from the list.
packages_for() {
  local purpose
  for purpose; do awk -v purpose="$purpose" '$1 == purpose { print $2 }' "$root/deploy/packages"; done | sort -u
}

# install_packages PURPOSE...: what is there already costs nothing and needs no rights.
install_packages() {
  local wanted installed missing
  mapfile -t wanted < <(packages_for "$@")
  # shellcheck disable=SC2016 # the format is dpkg-query's, not the shell's
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
    awk '$1 == "installed" { print $2 }' | sort -u) || true
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}") <(printf '%s\n' "$installed"))
  ((${#missing[@]} > 0)) || return 0
  step "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  command -v apt-get >/dev/null || fail "there is no apt-get here; install what these packages hold by hand"
  ((EUID == 0)) || command -v sudo >/dev/null || fail "installing needs root: run this as root, or install sudo"
  quietly as_root apt-get -qq update
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "${missing[@]}"
}

# configure PRESET [-D...]: prepares a build as CMakePresets.json describes it.
configure() {
  (cd "$root" && quietly cmake --preset "$@")
}

# compile PRESET [TARGET...]: builds these targets, or all.
compile() {
  local preset=$1
  shift
  (cd "$root" && cmake --build --preset "$preset" --parallel "$jobs" --target "${@:-all}")
}
