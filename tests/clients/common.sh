# Sourced by each client's test. Given: STEAD_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
# AWS_DEFAULT_REGION and WORK (an empty directory). `cargo xtask test --only NAME` sets them.

set -euo pipefail
: "${STEAD_ENDPOINT:?}" "${AWS_ACCESS_KEY_ID:?}" "${AWS_SECRET_ACCESS_KEY:?}" "${WORK:?}"
cd "$WORK"
HOST=${STEAD_ENDPOINT#http://}

say() { echo "--- $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

# A tree of files whose names and sizes are the ones that go wrong: empty, one byte, around a block,
# several blocks, deep, with spaces, with letters beyond ASCII, with signs that have to be escaped.
make_tree() {
    local dir=$1
    mkdir -p "$dir/deep/er/still" "$dir/with space"
    : > "$dir/empty"
    printf x > "$dir/one"
    head -c 1048575 /dev/urandom > "$dir/block-minus-one"
    head -c 1048576 /dev/urandom > "$dir/block"
    head -c 1048577 /dev/urandom > "$dir/block-plus-one"
    head -c 20000000 /dev/urandom > "$dir/large"
    head -c 70000 /dev/urandom > "$dir/deep/er/still/seventy-thousand"
    head -c 100 /dev/urandom > "$dir/with space/a file + plus & and = signs"
    head -c 100 /dev/urandom > "$dir/grüße-日本"
    head -c 100 /dev/urandom > "$dir/percent%20sign"
    for number in $(seq 1 40); do
        head -c $((number * 97)) /dev/urandom > "$dir/deep/small-$number"
    done
}

# Two trees hold the same files with the same bytes.
same() { diff -r "$1" "$2" || fail "$1 and $2 differ"; }
