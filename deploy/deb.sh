#!/bin/sh
# Builds the Debian package from the commit that is checked out into build/deb; nothing is written elsewhere.
# DEB_VERSION gives it another version (the test of upgrades does).
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" meson.build)
work=build/deb/carillon-$version
rm -rf "$work"
mkdir -p "$work"
git archive HEAD | tar -x -C "$work"
cp -r "$work/deploy/debian" "$work/debian"
if [ -n "${DEB_VERSION:-}" ]; then
    printf 'carillon (%s) unstable; urgency=medium\n\n  * A later build.\n\n -- Carillon maintainers <maintainers@carillon.invalid>  %s\n' \
        "$DEB_VERSION" "$(date -R)" >"$work/debian/changelog"
fi
cd "$work"
if ! dpkg-buildpackage --build=binary --unsigned-changes >../build.log 2>&1; then
    tail -n 60 ../build.log >&2
    exit 1
fi
cd ../../..
ls -1 build/deb/*.deb
