#!/usr/bin/env bash
# Builds tollgate and runs the demo: ./deploy/demo.sh [arguments of `tollgate demo`]
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(cmake g++ make curl)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    echo "installing: ${missing[*]}"
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
fi

cargo build --release --locked
exec "${CARGO_TARGET_DIR:-target}/release/tollgate" demo "$@"
