//! The pages themselves, in the order of their codes.

use super::{Code, Page};

macro_rules! pages {
    ($($name:ident = $number:literal: $title:literal, $meaning:literal, $next:literal;)*) => {
        $(
            #[doc = concat!($title, ".")]
            pub const $name: Code = Code($number);
        )*

        pub(super) const PAGES: &[Page] =
            &[$(Page { code: $name, title: $title, meaning: $meaning, next: $next },)*];
    };
}

pages! {
    LOCKED = 1: "The data directory is in use",
        "Another stead process holds the lock of this data directory. Two processes on one directory would \
         damage it, so the second one is refused.",
        "Stop the other process (its id is in the message), or give this one another --data directory.";
    NEWER_FORMAT = 2: "The data directory is of a newer release",
        "The directory was written by a newer release, whose format this one does not know. Nothing was \
         changed in it.",
        "Run the newer release, or restore a backup into another directory for this one.";
    READ_ONLY = 3: "The data directory cannot be written",
        "The directory or its file system is read-only for this user.",
        "Remount the file system for writing or correct the permissions; reading commands work without a \
         running node.";
    OWNER = 4: "The data directory belongs to somebody else",
        "The directory belongs to another user than the one that runs stead. Files made by two users would \
         lock each other out.",
        "Run stead as the owner, or change the owner of the whole directory with chown -R.";
    NO_DIRECTORY = 5: "There is no data directory here",
        "The path has no Stead data in it, or is not a directory.",
        "Check --data or STEAD_DATA; `stead up --data DIR` makes a new one.";
    NOT_EMPTY = 6: "The directory holds something else",
        "The directory is not empty and has no Stead data in it. Stead does not mix its files with others.",
        "Name an empty directory or a new one.";
    FORMAT_FILE = 7: "The directory's format file is not readable",
        "The file that names the directory's format is missing or damaged, so the format is not known. It is \
         never guessed at.",
        "Restore the file from a backup; its content is in docs/ARCHITECTURE.md for each release.";
    KEY_FILE = 8: "The node's key is missing or damaged",
        "node.key or secret.key is missing beside existing data, has wrong permissions, or does not hold a key. \
         With a new key this would be another node.",
        "Restore the file from a backup, mode 0600. Access keys can be made anew; a node's identity cannot.";
    SOCKET = 9: "The node's socket cannot be made",
        "The socket in the data directory could not be bound; mostly its path is too long (107 bytes) or the \
         file system has no sockets.",
        "Use a data directory with a shorter path on a local file system.";

    STATE_DAMAGED = 30: "The state database is damaged",
        "A page of state/ does not have its checksum. State is derived: the log and the blocks are the truth. \
         It is being rebuilt, or must be.",
        "Wait for the rebuild if the node runs; else delete state/ and start again. Then check the disk.";
    LOG_DAMAGED = 31: "A line of the log is damaged",
        "A segment of the log does not verify: a line was changed, is missing, or is out of order. The message \
         names segment and position. Other segments stay readable.",
        "Restore the named segment from a copy and run `stead log verify`; then check the disk.";
    RAFT_DAMAGED = 32: "The write-ahead log is damaged",
        "A record in raft/ that is not applied durably yet does not have its checksum.",
        "Follow the message: it names the file and what can be kept. Keep a copy of raft/ before any change.";
    BLOCK_DAMAGED = 33: "A block is damaged or missing",
        "A block's bytes do not have their checksum, or the block is not there. It is never served; everything \
         else keeps working.",
        "Run `stead scrub` for the whole list, restore the objects named there, and check the disk.";
    REBUILDING = 34: "State is being rebuilt",
        "The views or the block index are being rebuilt from the log and the blocks; what is asked for cannot \
         be answered meanwhile.",
        "Try again in a moment; `stead status` shows how far it is.";
    DIVERGED = 35: "Log and state do not fit together",
        "What the log says and what the node remembers of it contradict each other, as after a partial restore.",
        "Follow the message; restore log/, blocks/ and raft/ from the same backup.";

    DISK_FULL = 50: "The disk is full",
        "There is no room for this write beside the reserve that the node keeps for itself. Nothing was stored; \
         reading goes on.",
        "Free space or delete objects and run `stead gc`; service resumes by itself.";
    BUSY = 51: "Too many writes are waiting",
        "The queue of writes is full. Nothing was stored.",
        "Try again a little later, with fewer at once.";
    UNAVAILABLE = 52: "The node cannot take writes now",
        "The log is stopping or has failed. Whether this write was stored is not known.",
        "Look at the node's log and `stead status`, then read back or repeat the write.";
    FILE = 53: "A file cannot be read or written",
        "The system refused an operation on a file; the message names file and reason.",
        "Correct what the message names: path, permissions, or the disk.";
    NOT_RUNNING = 54: "No node answers",
        "No running node was found for this data directory, or none answers at the given address.",
        "Start it with `stead up`, or check --data, STEAD_DATA and --server.";
    LISTEN = 55: "The address cannot be listened on",
        "Another program uses the port, or the address is not one of this machine's.",
        "Choose another --listen address; port 0 picks a free port.";
    SHUTTING_DOWN = 56: "The node is shutting down",
        "The node is finishing what it began and takes no new requests.",
        "Wait until it runs again and repeat the request.";

    USAGE = 70: "The command line is not understood",
        "An argument is missing, unknown, or not of the form that is expected.",
        "Run the command with --help.";
    SETTINGS = 71: "The settings are not valid",
        "stead.toml or a setting on the command line is not valid; the message names line and field.",
        "Correct the field and start again.";
    LOCAL_FILE = 72: "The local file is not usable",
        "A file or directory on the caller's side is missing, not readable, or changed while it was read.",
        "Check the local path and repeat the command; a copy resumes where it stopped.";
    ADDRESS = 73: "The path or address is not understood",
        "A path within Stead is BUCKET/KEY, a time is RFC 3339 or a position of the log.",
        "Write it like photos/2026/a.jpg, 2026-11-20T13:00:00Z or 4711.";
    INTERRUPTED = 74: "The command was interrupted",
        "The command was stopped before it was done. What was done so far stays done.",
        "Run it again; copies resume where they stopped.";
    CONFIG = 76: "The shared settings cannot be that",
        "The document names a setting that there is not, a value that it does not take, or a setting that is each \
         node's own. Nothing was changed.",
        "Correct what the message names; docs/settings.md has every setting, and says which all nodes share.";
    CONFIG_CHANGED = 77: "The shared settings were changed meanwhile",
        "Somebody else set another document after the one that this change began from. Nothing was changed.",
        "Look at `stead config show` and make the change again.";
    NO_SUCH_REVISION = 78: "There is no such revision of the shared settings",
        "Documents are counted from 1; the number is of none of them.",
        "`stead config history` lists them.";

    NO_SUCH_BUCKET = 100: "No such bucket",
        "No bucket has this name now.",
        "`stead ls` lists the buckets; `stead bucket create NAME` makes one.";
    NO_SUCH_KEY = 101: "No such object",
        "The bucket has no current object of this key.",
        "`stead ls BUCKET/` lists keys; `stead history PATH` shows whether it was there before.";
    NO_SUCH_VERSION = 102: "No such version",
        "The object has no version of this id, or it was deleted for good.",
        "`stead ls --versions PATH` lists the versions that there are.";
    DELETE_MARKER = 103: "The object is deleted",
        "The newest version is a delete marker; older versions are still there.",
        "`stead ls --versions PATH` lists the versions: read an older one with --version, or delete the marker \
         with `stead rm --version ID PATH` to bring the object back.";
    NO_SUCH_UPLOAD = 104: "No such multipart upload",
        "The upload was completed or aborted, or never started for this key.",
        "Start a new upload; the parts of an ended one cannot be used.";
    BUCKET_EXISTS = 105: "The bucket exists already",
        "A bucket of this name is there.",
        "Use it, or choose another name.";
    BUCKET_NOT_EMPTY = 106: "The bucket is not empty",
        "Only a bucket without objects, versions and open uploads can be deleted.",
        "Empty it first: `stead rm -r BUCKET/`, and `stead rm -r --versions BUCKET/` where it keeps (or once \
         kept) versions. Open uploads are aborted by the client that began them, or through S3.";
    BUCKET_NAME = 107: "The bucket's name is not legal",
        "Bucket names follow S3's rules: 3 to 63 lower-case letters, digits, hyphens and dots.",
        "Choose another name; the message says which rule is broken.";
    KEY_NAME = 108: "The key is not legal",
        "A key is 1 to 1,024 bytes of UTF-8 without NUL, and its `..` segments may not climb above the bucket.",
        "Choose another key.";
    VERSION_ID = 109: "The version id is malformed",
        "A version id is `null` or 32 hexadecimal digits.",
        "Take the id from `stead ls --versions PATH`.";
    TOO_LARGE = 110: "Something is too large",
        "A body, an object, its metadata or a list in the request exceeds its limit; the message says which.",
        "Use a multipart upload for large objects, or send less.";
    INVALID = 111: "The request contradicts itself",
        "Each part of the request can be read, but together they make no sense; the message says why.",
        "Leave out or change the parameter that the message names, then repeat the request; `--help` of a command \
         says what its options take together.";
    LENGTH = 112: "The body has another length than announced",
        "Fewer or more bytes arrived than the request announced. Nothing was stored.",
        "Repeat the request; if it happens again, something on the way cuts bodies.";
    BAD_DIGEST = 113: "The body is not what the client hashed",
        "The MD5, SHA-256 or checksum of what arrived is not the one the client sent. Nothing was stored.",
        "Repeat the request; if it happens again, check memory and network on both sides.";
    BAD_CHECKSUM_TEXT = 114: "The checksum cannot be read",
        "A checksum in a header or trailer is missing or is not base64 of its algorithm's width.",
        "Correct the client, or send no checksum: one is computed.";
    BODY = 115: "The body did not arrive whole",
        "The connection broke, stalled, or the transfer's framing or chunk signatures were wrong. Nothing was \
         stored.",
        "Repeat the request.";
    RANGE = 116: "The range lies outside the object",
        "The range begins behind the object's last byte, or ends before it begins.",
        "Ask for the object's size first (HEAD).";
    PART = 117: "A part is missing or different",
        "A listed part did not arrive, or has another ETag or checksum, or its number is out of range.",
        "List the parts of the upload and send the missing ones again.";
    PART_ORDER = 118: "The parts are not in order",
        "Parts must be listed in ascending order of their numbers, each once, and at least one.",
        "Sort the list and complete again.";
    PART_TOO_SMALL = 119: "A part is too small",
        "Every part but the last needs at least 5 MiB.",
        "Upload with larger parts.";
    PRECONDITION = 120: "A precondition does not hold",
        "The object or its source is not in the state that the request requires. Nothing was changed.",
        "Read the current state, and decide again.";
    CONFLICT = 121: "The name is taken",
        "Something of this name exists already.",
        "Choose another name.";
    OBJECT_LOCKED = 122: "A lock forbids it",
        "The version is retained or under a legal hold, or its bucket locks objects. Nothing was changed.",
        "Wait until the retention ends or have the hold lifted; governance can be bypassed by who is allowed to.";
    BUCKET_STATE = 123: "The bucket is not set up for it",
        "What was asked for takes a bucket that locks objects, or that keeps versions. Nothing was changed.",
        "Enable versioning on the bucket and then object lock, or make a bucket with object lock.";
    OBJECT_KEY = 124: "The object's own key",
        "The object is encrypted with a key that its owner keeps, and the request has none, another one, or one where \
         there is none to be had.",
        "Send the key that the object was stored with: the `x-amz-server-side-encryption-customer-*` headers of S3.";
    LOCK_TAKEN = 125: "The lock is taken",
        "Somebody else holds a lock of that name, or as many locks are held as there may be.",
        "Wait for it (`stead lock run --wait`), or look who holds it: `stead lock list`. An administrator can take it \
         away: `stead lock break NAME`.";
    LOCK_LOST = 126: "The lock is not held any more",
        "The lock was released, its lease ran out because nothing was heard of its holder in time, or an administrator \
         broke it. What was written under its token since may have been refused.",
        "Stop what the lock protects, and acquire it again.";
    NO_SUCH_LOCK = 127: "Nobody holds the lock",
        "A lock is there as long as somebody holds it.",
        "`stead lock list` shows those that are held.";
    FORGOTTEN = 150: "The past that was asked for is forgotten",
        "States that were overwritten or deleted are kept for their retention; then gc forgets them. What was \
         asked for lies before that, so that the answer would have gaps.",
        "Ask for a later moment: the message names the first that is whole. `stead history --full PATH` still \
         tells what happened, because the log is never cut; gc.retention_days says how long states are kept.";


    ACCESS_DENIED = 200: "Not allowed",
        "The access key is valid, but its scope does not include this.",
        "Use another key, or make one with a wider scope: `stead key create`.";
    UNKNOWN_KEY = 201: "The access key is not known",
        "The access key does not exist or was revoked.",
        "Check the access key; `stead key list` shows those there are.";
    SIGNATURE = 202: "The signature does not match",
        "The request was not signed with this access key's secret, or was changed on its way.",
        "Check the secret key, the region and the host name; proxies must not rewrite path or headers.";
    CLOCK_SKEW = 203: "The clocks are too far apart",
        "The request's time is more than 15 minutes from the node's.",
        "Set the clocks of both machines (NTP).";
    SECRET_KEY = 204: "A secret cannot be opened",
        "The access key's secret was sealed with another secret.key than the one in the data directory.",
        "Restore secret.key from the backup that belongs to the log, or create new access keys.";
    EXPIRED = 205: "The presigned URL has expired",
        "The URL was valid for a limited time, which has passed.",
        "Make a new one.";
    UNSIGNED = 206: "The request is not signed",
        "This address takes only signed requests.",
        "Configure the client with an access key and its secret.";
    SIGNATURE_FORM = 207: "The signature cannot be read",
        "The Authorization header or the presigned query is incomplete or malformed.",
        "Use AWS Signature Version 4.";

    TOKEN = 208: "The token is not valid",
        "The token was changed, has expired, or the access key that it was made with was revoked.",
        "Make a new one: POST /api/v1/tokens, or sign in again.";

    INTERNAL = 299: "Something unexpected happened",
        "An error that has no page of its own; the message says what is known.",
        "Look at the node's log; if it happens again, report it with the message.";

    IPFS_NOT_PUBLISHED = 300: "It is not public to IPFS",
        "The bucket or prefix was not published, or is not any more.",
        "`stead ipfs ls` shows what is public; `stead ipfs publish BUCKET[/PREFIX]` makes it so.";
    IPFS_CID = 301: "This is not a CID",
        "A content identifier was expected (bafy…, bafk…, Qm…), and this does not read as one.",
        "Copy the CID again, whole; `stead ls --json` and `stead ipfs ls` show them.";
    IPFS_UNSUPPORTED = 302: "The block is of a kind that is not understood",
        "Stead keeps blocks named by sha2-256 (and identity) in the codecs raw, dag-pb, dag-cbor, dag-json, cbor \
         and json, of at most 2 MiB.",
        "Export the content again with sha2-256 and smaller blocks.";
    IPFS_CAR = 303: "The CAR file is not whole",
        "The file is not a CAR of version 1 or 2, ends too early, or its header lies. Nothing was stored.",
        "Make or fetch the file again; `stead ipfs import` takes what `ipfs dag export` writes.";
    IPFS_MISMATCH = 304: "A block is not what its name says",
        "The bytes that came for a CID do not have its hash. Nothing was stored.",
        "Fetch from another source, and do not trust this one.";
    IPFS_MISSING = 305: "A block is missing",
        "The DAG names a block that is neither in the file nor stored here.",
        "Export the whole DAG, or import with --partial to keep what is there.";
    IPFS_LIMIT = 306: "This is more than is taken",
        "The DAG or the file is deeper, wider or larger than the bounds that keep a node safe.",
        "Import it in parts; the message names the bound.";
    IPFS_SOURCE = 307: "No source gave the block",
        "Every gateway that was asked refused, did not answer in time, or gave something else.",
        "Name another gateway with --from; what was fetched already is not fetched again.";
    IPFS_RECORD = 308: "The IPNS record is not valid",
        "The record's signature, size or fields do not hold for its name.",
        "Ask another source for the record.";
}
