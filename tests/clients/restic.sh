#!/usr/bin/env bash
# restic: init, two backups, check of every byte, restore compared, forget with prune.
source "$(dirname "$0")/common.sh"
export RESTIC_REPOSITORY="s3:$STEAD_ENDPOINT/backup/repository"
export RESTIC_PASSWORD="only for this test"
restic() { command restic --cache-dir "$WORK/cache" "$@"; }

say "$(command restic version)"
make_tree tree
restic init
restic backup tree
say "a second backup after a change"
cp -r tree first
echo changed > tree/one
head -c 3000000 /dev/urandom > tree/new
rm tree/deep/small-9
restic backup tree
[[ $(restic snapshots --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))') == 2 ]] || fail "not two snapshots"

say "check of every byte"
restic check --read-data

say "restore of both"
restic restore latest --target restored
same tree restored/tree
oldest=$(restic snapshots --json | python3 -c 'import json, sys; print(min(json.load(sys.stdin), key=lambda s: s["time"])["id"])')
restic restore "$oldest" --target restored-first
same first restored-first/tree

say "forget, prune, check"
restic forget --keep-last 1 --prune
restic check --read-data
restic restore latest --target restored-after
same tree restored-after/tree
