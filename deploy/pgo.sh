#!/usr/bin/env bash
# Makes the profile of tollgate at work that a release is built with (profile-guided optimization), for the compiler at hand:
# ./deploy/pgo.sh. Builds twice, a quarter of an hour on two cores; leaves deploy/profile/VERSION.profdata, which deploy/rustc.sh
# hands to the compiler, and a release built with it. For whoever changes what runs for each request, the compiler or Cargo.lock.
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTC_WRAPPER CARGO_BUILD_RUSTC_WRAPPER # a cache of compilations would take the place of deploy/rustc.sh
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
host=$(rustc -vV | sed -n 's/^host: //p')
llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
version=$(rustc --version | cut -d ' ' -f 2)

deploy/packages.sh cmake g++ make curl wrk nghttp2-client

profdata=""
for found in "$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata" "/usr/lib/llvm-$llvm/bin/llvm-profdata"; do
    [ -x "$found" ] && profdata=$found && break
done
if [ -z "$profdata" ]; then
    echo "no llvm-profdata of LLVM $llvm: \`rustup component add llvm-tools\`, or install the package llvm-$llvm" >&2
    exit 1
fi

echo "== a build that counts"
rm -rf "$target/pgo/profile"
TOLLGATE_PROFILE_INTO="$target/pgo/profile" cargo build --release --locked --target-dir "$target/pgo"

echo "== the demo under load"
"$target/pgo/release/tollgate" demo --port 0 --admin-port 0 >"$target/pgo/demo.log" &
demo=$!
trap 'kill $demo 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    gate=$(sed -n 's#.*\(http://[0-9.:]*\)/auth/login.*#\1#p' "$target/pgo/demo.log" | head -1)
    [ -z "$gate" ] || break
    sleep 0.1
done
login() {
    curl -sf "$gate/auth/login" -H 'X-Client-Id: mobile' -H 'Content-Type: application/json' -d '{"user":"ada","password":"demo"}'
}
tokens=()
for _ in $(seq 16); do
    tokens+=("$(login | sed 's/.*"access_token":"\([^"]*\)".*/\1/')")
done
refresh=$(login | sed 's/.*"refresh_token":"\([^"]*\)".*/\1/')
wrk -t 1 -c 64 -d 10s -s deploy/pgo-request.lua "$gate/crm/contacts" -- "${tokens[@]}" | tee "$target/pgo/wrk.log"
if grep -q Non-2xx "$target/pgo/wrk.log"; then
    echo "requests that should pass were refused" >&2
    exit 1
fi
wrk -t 1 -c 64 -d 1s "$gate/crm/contacts"
h2load -t 1 -c 16 -m 8 -D 5 -H "Authorization: Bearer ${tokens[0]}" "$gate/crm/contacts"
wrk -t 1 -c 1 -d 1s -s deploy/pgo-refresh.lua "$gate/oauth/token" -- "$refresh"
kill -INT $demo
wait $demo

echo "== a build that knows what counts"
mkdir -p deploy/profile
"$profdata" merge --sparse -o "deploy/profile/$version.profdata" "$target/pgo/profile"
cargo clean --release --quiet # cargo does not know that the profile is another one
cargo build --release --locked
