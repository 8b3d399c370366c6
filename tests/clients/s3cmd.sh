#!/usr/bin/env bash
# s3cmd: put, get, sync both ways, multipart, copy, removal.
source "$(dirname "$0")/common.sh"
cat > s3cfg <<CONF
[default]
access_key = $AWS_ACCESS_KEY_ID
secret_key = $AWS_SECRET_ACCESS_KEY
host_base = $HOST
host_bucket = $HOST
bucket_location = ${AWS_DEFAULT_REGION:-us-east-1}
use_https = False
signature_v2 = False
progress_meter = False
multipart_chunk_size_mb = 5
CONF
s3cmd() { command s3cmd --config s3cfg --no-progress "$@"; }

say "$(command s3cmd --version)"
s3cmd mb s3://things
make_tree tree

say "put and get, small and in parts"
for name in empty one block large; do
    s3cmd put "tree/$name" "s3://things/$name"
    s3cmd get --force "s3://things/$name" "got-$name"
    cmp "tree/$name" "got-$name"
done
s3cmd info s3://things/large > info
grep -q 'File size: *20000000' info || { cat info; fail "wrong size"; }

say "sync up and down"
s3cmd sync tree/ s3://things/tree/
mkdir back
s3cmd sync s3://things/tree/ back/
same tree back

say "sync of a change and a removal"
echo changed > tree/one
rm tree/deep/small-11
s3cmd sync --delete-removed tree/ s3://things/tree/
rm -rf back && mkdir back
s3cmd sync s3://things/tree/ back/
same tree back

say "copy and move on the server, usage"
s3cmd cp s3://things/large s3://things/copy
s3cmd mv s3://things/copy s3://things/moved
s3cmd get --force s3://things/moved moved
cmp tree/large moved
s3cmd du s3://things

say "removal"
s3cmd rm --quiet --recursive --force s3://things
s3cmd rb s3://things
[[ -z $(s3cmd ls) ]] || fail "the bucket is left"
