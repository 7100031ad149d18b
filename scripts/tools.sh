# Sourced by the scripts beside it: the root, the target folder, and how to get
# a tool that is missing. Not a script of its own.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
tools=$target/tools
mkdir -p "$tools"
export CARGO_INSTALL_ROOT=$tools PATH=$tools/bin:$PATH

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "$*"; exit 1; }

# Runs a command as root: as root, or by sudo where it asks nothing.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# Installs Debian packages; the lists are fetched once, and once more if that
# failed.
apt_install() {
    command -v apt-get >/dev/null || return 1
    if [ ! -e "$target/.apt-updated" ]; then
        as_root apt-get update -qq || as_root apt-get update -qq || return 1
        touch "$target/.apt-updated"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

# Installs a cargo tool under the target folder unless it is there.
cargo_tool() {
    [ -x "$tools/bin/$1" ] && return
    say "installing $1 under $tools (minutes, once)"
    # Its own build folder: nothing of it is of use to the workspace. It runs for seconds: building it
    # well takes longer than it will ever save.
    CARGO_TARGET_DIR=$target/tools/build CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --quiet --locked "$1"
    rm -rf "$target/tools/build"
}

# A target that has no std at all.
bare_metal=thumbv7em-none-eabi

# The target of pages.
wasm=wasm32-unknown-unknown

# Chooses how to build for a target, as the array `cargo_for_target`, each compiler
# with a folder of its own: another one would throw the workspace's work away.
# Rustup's target, fetched if rustup can (a mirror that never answers must not
# stop us for long), else the compiler that Debian keeps for the web, which
# brings the source of what is to be built with it, core or std.
choose_target() {
    local target_name=$1 library=$2 packages="rustc-web cargo-web rust-web-src"
    if command -v rustup >/dev/null && {
        rustup target list --installed | grep -qx "$target_name" ||
            timeout 120 rustup target add "$target_name" >&2
    }; then
        cargo_for_target=(env CARGO_TARGET_DIR="$target/no-std" cargo)
    # shellcheck disable=SC2086 # three words
    elif dpkg -s $packages >/dev/null 2>&1 || apt_install $packages; then
        cargo_for_target=(env RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc
            CARGO_UNSTABLE_BUILD_STD="$library,panic_abort"
            CARGO_TARGET_DIR="$target/no-std-debian" /usr/bin/cargo)
    else
        die "needs rustup's target $target_name or Debian's rustc-web, cargo-web and rust-web-src"
    fi
}

choose_bare_metal() {
    choose_target "$bare_metal" core
    bare_metal_cargo=("${cargo_for_target[@]}")
}

choose_wasm() {
    choose_target "$wasm" std
    wasm_cargo=("${cargo_for_target[@]}")
    # Rustup's target brings a linker.
    if [ "${wasm_cargo[-1]}" = /usr/bin/cargo ]; then
        command -v wasm-ld >/dev/null || apt_install lld || die "needs wasm-ld, of LLVM's lld"
        export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld
    fi
}

# LLVM's linker, as the array `lld`: Rust's own, or the system's.
choose_lld() {
    local own
    own=$(find "$(rustc --print sysroot)/lib/rustlib" -name rust-lld -path '*/bin/*' -print -quit)
    if [ -n "$own" ]; then
        lld=("$own" -flavor gnu)
    elif command -v ld.lld >/dev/null || apt_install lld; then
        lld=(ld.lld)
    else
        die "needs LLVM's linker: Rust's rust-lld, or ld.lld from the system's packages"
    fi
}
