#!/usr/bin/env bash
# Builds tollgate and runs the demo: ./deploy/demo.sh [arguments of `tollgate demo`]
set -euo pipefail
cd "$(dirname "$0")/.."

deploy/packages.sh cmake g++ make curl

cargo build --release --locked
exec "${CARGO_TARGET_DIR:-target}/release/tollgate" demo "$@"
