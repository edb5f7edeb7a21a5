# What the scripts in deploy/ share. Sourced, never run.
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

# A TCP port of loopback that nobody listens on: one of those that are asked for, if it is free, otherwise any.
free_port() {
  local port
  for port in "$@" $(shuf --input-range 20000-30000 --head-count 20); do
    if ! has_listener "$port"; then
      echo "$port"
      return
    fi
  done
  fail "found no free port"
}
has_listener() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

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

# Where there is a ccache, what was compiled once is not compiled again. It takes all paths from the checkout's root.
export CCACHE_BASEDIR=${CCACHE_BASEDIR-$root} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR-1}

# configure PRESET [-D...]: prepares a build as CMakePresets.json describes it.
configure() {
  local launcher=${CMAKE_CXX_COMPILER_LAUNCHER-$(command -v ccache)}
  (cd "$root" && quietly cmake --preset "$@" -D CMAKE_CXX_COMPILER_LAUNCHER="$launcher")
}

# compile PRESET [TARGET...]: builds these targets, or all.
compile() {
  local preset=$1
  shift
  (cd "$root" && cmake --build --preset "$preset" --parallel "$jobs" --target "${@:-all}")
}

# ---- For deploy/check-image and deploy/check-package, which are root ----

# need_root ARGUMENTS...: starts the script anew through sudo if it has to.
need_root() {
  ((EUID != 0)) || return 0
  command -v sudo >/dev/null || fail "changing roots needs root: run this as root, or install sudo"
  exec sudo "$0" "$@"
}

# debian_files DIRECTORY: the files of a minimal Debian 12 without documentation and translations, as in the official
# slim image. They are made once, from Debian's own packages, and kept in build/images.
debian_files() {
  local mirror=${LEKT_DEBIAN_MIRROR:-http://deb.debian.org/debian}
  local security_mirror=${LEKT_DEBIAN_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
  local kept=$build/images/bookworm.tar
  if [[ ! -f $kept ]]; then
    step "Making a Debian 12 from its packages, once"
    mkdir -p "$build/images"
    quietly debootstrap --variant=minbase bookworm "$1" "$mirror"
    cat >"$1/etc/apt/sources.list" <<TEXT
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb $security_mirror bookworm-security main
TEXT
    rm -rf "$1"/usr/share/{doc,info,locale,man}/* "$1"/var/{cache/apt,lib/apt/lists,log}/*
    tar --create --numeric-owner --directory "$1" --file "$kept.part" .
    mv "$kept.part" "$kept"
  else
    mkdir -p "$1"
    tar --extract --numeric-owner --preserve-permissions --directory "$1" --file "$kept"
  fi
}
