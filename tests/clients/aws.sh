#!/usr/bin/env bash
# aws: `cp` of a large file, `sync` both ways, `sync --delete`, every byte compared.
source "$(dirname "$0")/common.sh"
aws() { command aws --endpoint-url "$STEAD_ENDPOINT" "$@"; }

say "$(command aws --version 2>&1)"
aws s3 mb s3://photos
aws s3 ls | grep -q photos || fail "the bucket is not listed"

say "cp of 64 MiB, in parts, both ways"
head -c 67108864 /dev/urandom > big
aws s3 cp --no-progress big s3://photos/big
aws s3 cp --no-progress s3://photos/big big.back
cmp big big.back
aws s3api head-object --bucket photos --key big | grep -q '"ContentLength": 67108864' || fail "wrong length"

say "sync up and down"
make_tree tree
aws s3 sync --no-progress tree s3://photos/tree
aws s3 sync --no-progress s3://photos/tree back
same tree back
[[ -z $(aws s3 sync --no-progress tree s3://photos/tree) ]] || fail "a second sync sent something again"

say "sync of a change and a removal"
echo changed > tree/one
rm tree/deep/small-7
aws s3 sync --no-progress --delete tree s3://photos/tree
rm -rf back
aws s3 sync --no-progress s3://photos/tree back
same tree back

say "cp on the server, stdin and stdout, ranges"
aws s3 cp --no-progress s3://photos/big s3://photos/copy
aws s3 cp --no-progress s3://photos/copy - | cmp - big
echo "from stdin" | aws s3 cp - s3://photos/stdin
[[ $(aws s3 cp s3://photos/stdin -) == "from stdin" ]] || fail "stdin did not come back"
aws s3api get-object --bucket photos --key big --range bytes=1048570-1048585 range > range.json
cmp range <(tail -c +1048571 big | head -c 16)

say "removal"
aws s3 rm --quiet --recursive s3://photos
aws s3 rb s3://photos
[[ -z $(aws s3 ls) ]] || fail "something is left"
