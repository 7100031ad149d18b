# Sourced by the scripts that fuzz: how to build the targets and to run one. Not
# a script of its own.
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

fuzz_folder=$target/fuzz

targets() { cargo +nightly fuzz list; }

build_targets() {
    if ! rustup toolchain list | grep -q '^nightly'; then
        timeout 300 rustup toolchain install nightly --profile minimal ||
            die "needs a nightly toolchain: rustup toolchain install nightly"
    fi
    cargo_tool cargo-fuzz
    [ -n "$(targets)" ] || die "fuzz/ has no targets"
    # What runs here is safe code: an address sanitizer finds nothing more in it
    # and leaves a fraction of the executions. Overflow checks stay on.
    cargo +nightly fuzz build --sanitizer none --target-dir "$fuzz_folder"
    fuzz_bin=$fuzz_folder/$(rustc +nightly -vV | sed -n 's/^host: //p')/release
}

# Adds a target's seeds to a corpus. A fuzzer writes into its corpus, so none
# lies in the checkout.
seed() {
    mkdir -p "$2"
    [ ! -d "fuzz/seeds/$1" ] || cp -r "fuzz/seeds/$1/." "$2"
}

# Runs targets in a folder for so many seconds each, as many at once as there
# are processors; each has its corpus, log and findings there, and a line in
# report.txt. Says at the end which of them found something.
fuzz_all() {
    local folder=$1 seconds=$2 name running=0
    shift 2
    mkdir -p "$folder"
    for name in "$@"; do
        seed "$name" "$folder/$name"
        rm -f "$folder/$name.failed"
        if [ "$running" -ge "$(nproc)" ]; then
            wait -n || true
            running=$((running - 1))
        fi
        fuzz "$folder" "$name" "$seconds" &
        running=$((running + 1))
    done
    wait
    local failed=''
    for name in "$@"; do
        [ -e "$folder/$name.failed" ] || continue
        failed+=" $name"
        tail -n 40 "$folder/$name.log" >&2
    done
    [ -z "$failed" ] || die "found something:$failed"
}

# Runs one target; says in a line how that went.
fuzz() {
    local folder=$1 name=$2 seconds=$3 log=$1/$2.log result=ok line
    "$fuzz_bin/$name" "$folder/$name" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 \
        -artifact_prefix="$folder/$name-" -print_final_stats=1 >"$log" 2>&1 || result=FAILED
    line=$(printf '%-6s %-20s %9s executions in %s s, %5s edges, %5s inputs, %5s new' "$result" \
        "$name" "$(stat_of number_of_executed_units)" "$seconds" "$(last_of cov)" \
        "$(last_of corp | cut -d/ -f1)" "$(stat_of new_units_added)")
    say "$line"
    printf '%s %s\n' "$(date -u +%FT%TZ)" "$line" >>"$folder/report.txt"
    [ "$result" = ok ] || touch "$folder/$name.failed"
}

# From the log of `fuzz`.
stat_of() { sed -n "s/^stat::$1: *//p" "$log"; }
last_of() { sed -n "s/^#.* $1: \([0-9/]*\).*/\1/p" "$log" | tail -n 1; }
