#!/bin/sh
# Compiles for cargo (`build.rustc-wrapper`), and what a release links with a profile of tollgate at work: the compiler then
# lays out what runs for each request in one piece. `deploy/profile/` has one for each compiler that ./deploy/pgo.sh was run
# with; symbols differ from one to the next, so every other compiler builds without. RUSTC_WRAPPER= builds without, too.
set -eu
rustc=$1
shift

# With `lto = "fat"` cargo gives the dependencies the first of these words and the binary the second; what runs at compile
# time (build scripts, procedural macros) and every other profile get neither.
case " $* " in
*" linker-plugin-lto "* | *" lto=fat "*) ;;
*) exec "$rustc" "$@" ;;
esac

if [ -n "${TOLLGATE_PROFILE_INTO:-}" ]; then
    exec "$rustc" "$@" "-Cprofile-generate=$TOLLGATE_PROFILE_INTO"
fi
version=$("$rustc" --version | cut -d ' ' -f 2)
profile=$(dirname "$(realpath "$0")")/profile/$version.profdata
[ -f "$profile" ] || exec "$rustc" "$@"
# Code that changed since the profile was made is compiled without; that is no warning.
exec "$rustc" "$@" "-Cprofile-use=$profile" -Cllvm-args=-no-pgo-warn-mismatch
