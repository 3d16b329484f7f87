#!/bin/sh
# base-image.sh - makes sure debian:bookworm-slim exists on this engine: there already, else pulled,
# else made with mmdebstrap from this machine's own apt sources (works without a registry).
# BASE_IMAGE=tag; BASE_IMAGE_PULL=0 does not try a pull; APT_SOURCES=file, in deb822 form.
set -eu

tag=${BASE_IMAGE:-debian:bookworm-slim}
sources=${APT_SOURCES:-/etc/apt/sources.list.d/debian.sources}

if docker image inspect "$tag" >/dev/null 2>&1; then
    echo "$tag: present"
    exit 0
fi
if [ "${BASE_IMAGE_PULL:-1}" = 1 ] && timeout 120 docker pull -q "$tag" 2>/dev/null; then
    exit 0
fi
if ! command -v mmdebstrap >/dev/null; then
    echo "cannot pull $tag and mmdebstrap is missing: apt-get install mmdebstrap" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What Debian's own slim image leaves out; and without the two empty cache settings every
# "RUN apt-get install" layer would keep about 70 MB of apt's caches.
set -f
excludes=""
for part in man locale doc info lintian groff; do
    excludes="$excludes --dpkgopt=path-exclude=/usr/share/$part/*"
done
# shellcheck disable=SC2016,SC2086
if ! mmdebstrap --quiet --mode=root --variant=minbase $excludes \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-include=/usr/share/locale/locale.alias' \
    --aptopt='Acquire::Languages "none"' --aptopt='Acquire::GzipIndexes "true"' \
    --aptopt='Dir::Cache::pkgcache ""' --aptopt='Dir::Cache::srcpkgcache ""' \
    --aptopt='DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; }' \
    --include=usr-is-merged --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin' \
    --customize-hook='rm -rf "$1"/var/log/* "$1"/var/cache/debconf/*-old' \
    bookworm "$work/base.tar" "$sources" >"$work/log" 2>&1; then
    cat "$work/log" >&2
    echo "mmdebstrap could not make $tag from $sources (see above)" >&2
    exit 1
fi
docker import --change 'CMD ["bash"]' "$work/base.tar" "$tag" >/dev/null
echo "$tag: made from $sources"
