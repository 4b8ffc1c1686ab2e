#!/bin/sh
# Installs those of the named Debian packages that are missing; says nothing when none is.
set -eu

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "deps: not a Debian system, so nothing is installed. What Debian calls: $*" >&2
    exit 0
fi

missing=
for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "deps: missing packages; install them with: sudo apt-get install$missing" >&2
    exit 1
fi

echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # lists of words
install="$as_root apt-get install -y -q --no-install-recommends $missing"
$install >/dev/null 2>&1 || { $as_root apt-get update -q >/dev/null && $install >/dev/null; } || {
    echo "deps: apt-get could not install:$missing" >&2
    exit 1
}
