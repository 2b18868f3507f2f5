#!/usr/bin/env bash
# Builds the static DPDK of meson-wrap into target/dpdk; with PLATFORM=native, tuned for this machine's
# processor, into target/dpdk-native; with `debug` into target/dpdk-debug, with mbuf and mempool checks
# (cookies catch a double free into a pool, which ASan cannot), asserts and ASan.
#   scripts/dpdk.sh [debug]
. "$(dirname "$0")/lib.sh"

CHECKS="-DRTE_LIBRTE_MBUF_DEBUG -DRTE_LIBRTE_MEMPOOL_DEBUG -DRTE_ENABLE_ASSERT"

PLATFORM=${PLATFORM:-generic}
options=("-Ddpdk_platform=$PLATFORM")
case ${1:-release} in
release)
    name=dpdk
    [ "$PLATFORM" = generic ] || name+=-$PLATFORM
    options+=(--buildtype=release)
    ;;
debug)
    name=dpdk-debug
    # b_lundef: the sanitizer's symbols come with the program, not with the library.
    options+=(--buildtype=debugoptimized "-Dc_args=$CHECKS" -Db_sanitize=address -Db_lundef=false)
    ;;
*) die "usage: scripts/dpdk.sh [debug]" ;;
esac

prefix=$ROOT/target/$name
build=$ROOT/target/$name-build

scripts/dpdk-source.sh
# The python of meson's own interpreter has pyelftools by apt; another one first in PATH may not.
setup=(setup "$build" meson-wrap --prefix="$prefix" --libdir=lib "${options[@]}")
# Options for a subproject (drivers, libraries) count when it is set up first, and never again.
cmp -s meson-wrap/meson.build "$build/set-up-by" || rm -rf "$build"
if [ -d "$build/meson-info" ]; then setup+=(--reconfigure); fi
meson "${setup[@]}" >&2
cp meson-wrap/meson.build "$build/set-up-by"
ninja -C "$build" >&2
meson install -C "$build" --quiet >&2

{
    echo "# For a shell that builds with this DPDK: . target/$name/env"
    echo "export PKG_CONFIG_PATH=$prefix/lib/pkgconfig DPDK_STATIC=1"
    if [ "$name" = dpdk-debug ]; then
        echo "export DPDK_SHIM_CFLAGS=\"$CHECKS -fsanitize=address\""
        # The sanitizer's runtime; -Zsanitizer=address instead brings the compiler's own.
        echo 'export RUSTFLAGS="-Clink-arg=-fsanitize=address"'
    fi
} >"$prefix/env"
say "DPDK $(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --modversion libdpdk) in target/$name"
if [ "$name" != dpdk-debug ]; then
    say "use it: . target/$name/env && cargo build --release --target-dir target/static -p gateway"
else
    # --target: the sanitizer is for the program, not for the compiler's own plug-ins.
    say "make test-debug uses it; by hand: . target/dpdk-debug/env && cargo build --target $(rustc -vV | sed -n 's/^host: //p')" \
        "--target-dir target/static-debug -p gateway"
fi
