# Sourced by deploy/run and deploy/test: finds Swift, installs the Debian packages that are missing, builds.
# shellcheck shell=bash

# A crash must not wait for a backtrace that nobody reads.
export SWIFT_BACKTRACE=enable=no

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The C libraries of Package.swift, and what the scripts themselves call.
debian_packages=(
  build-essential pkg-config curl
  librdkafka-dev libcurl4-openssl-dev libssl-dev librocksdb-dev libyaml-dev libmicrohttpd-dev libgnutls28-dev
)

die() { printf '%s\n' "$@" >&2; exit 1; }

# swift_needed: Swift 6.2 or later, else two lines that say how to get it.
swift_needed() {
  local version
  version=$(swift --version 2>/dev/null | grep -oE 'Swift version [0-9]+\.[0-9]+' | grep -oE '[0-9]+\.[0-9]+' || true)
  local major=${version%%.*} minor=${version##*.}
  if [ -z "$version" ] || [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 2 ]; }; then
    die "Swift 6.2 or later is needed (found: ${version:-none}). Get the toolchain for your Debian from https://www.swift.org/install/linux/" \
        "unpack it and put its usr/bin in front of PATH, then run this again."
  fi
}

# packages_needed NAME…: installs those that are missing, asking nothing.
packages_needed() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "Missing Debian packages: ${missing[*]}" "Install them as root: apt-get install -y ${missing[*]}"
    sudo=(sudo -n)
  fi
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  "${sudo[@]}" apt-get install -y -q "${missing[@]}" >/dev/null 2>&1 \
    || { "${sudo[@]}" apt-get update -q >/dev/null && "${sudo[@]}" apt-get install -y -q "${missing[@]}" >/dev/null; } \
    || die "Could not install: ${missing[*]}"
}

# build ARGS…: one build with the project's gates. The exit status counts, not the last line.
build() {
  swift build --package-path "$top" --explicit-target-dependency-import-check error "$@"
}
