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
    # Its own build folder: nothing of it is of use to the workspace.
    CARGO_TARGET_DIR=$target/tools/build cargo install --quiet --locked "$1"
    rm -rf "$target/tools/build"
}
