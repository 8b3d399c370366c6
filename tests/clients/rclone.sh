#!/usr/bin/env bash
# rclone: copy, check with downloaded bytes, sync with removals, both directions, multipart.
source "$(dirname "$0")/common.sh"
cat > rclone.conf <<CONF
[stead]
type = s3
provider = Other
env_auth = true
region = ${AWS_DEFAULT_REGION:-us-east-1}
endpoint = $STEAD_ENDPOINT
force_path_style = true
upload_cutoff = 8Mi
chunk_size = 5Mi
CONF
rclone() { command rclone --config rclone.conf --retries 1 --low-level-retries 2 "$@"; }

say "$(command rclone version | head -1)"
rclone mkdir stead:vault
make_tree tree

say "copy up, check sums, check bytes"
rclone copy tree stead:vault/tree
rclone check tree stead:vault/tree
rclone check --download tree stead:vault/tree

say "copy down"
rclone copy stead:vault/tree back
same tree back

say "sync up with a change and removals"
echo changed > tree/one
rm -r tree/deep/er tree/deep/small-3
rclone sync tree stead:vault/tree
rclone check --download tree stead:vault/tree
[[ $(rclone lsf -R --files-only stead:vault/tree | wc -l) == $(find tree -type f | wc -l) ]] || fail "another number of files"

say "sync down over an older copy"
rclone sync stead:vault/tree back
same tree back

say "a second sync sends nothing"
rclone sync --stats-one-line -v tree stead:vault/tree 2> again.log
if grep -q 'Copied' again.log; then cat again.log; fail "a second sync sent something again"; fi

say "modification times are kept, copies and moves on the server"
touch -d '2001-02-03 04:05:06 UTC' tree/block
rclone sync tree stead:vault/tree
rclone lsl stead:vault/tree/block | grep -q '2001-02-03' || fail "the time is lost"
rclone copyto stead:vault/tree/large stead:vault/copy
rclone moveto stead:vault/copy stead:vault/moved
rclone cat stead:vault/moved | cmp - tree/large

say "purge"
rclone purge stead:vault
[[ -z $(rclone lsd stead:) ]] || fail "the bucket is left"
