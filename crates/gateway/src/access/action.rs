//! The actions that a policy can name, by the names of S3's service authorization reference, with what an
//! access control list says of each.

/// What an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// The node as a whole.
    Service,
    /// A bucket.
    Bucket,
    /// An object, or one of its versions.
    Object,
}

/// What permits an action where no policy speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To be known by a signature.
    Signed,
    /// To own the bucket.
    BucketOwner,
    /// `READ` on the bucket.
    BucketRead,
    /// `WRITE` on the bucket.
    BucketWrite,
    /// `READ_ACP` on the bucket.
    BucketReadAcp,
    /// `WRITE_ACP` on the bucket.
    BucketWriteAcp,
    /// To own the object or its bucket.
    EitherOwner,
    /// To have begun the upload, or `WRITE` on the bucket.
    Upload,
    /// `READ` on the object.
    ObjectRead,
    /// `READ_ACP` on the object.
    ObjectReadAcp,
    /// `WRITE_ACP` on the object.
    ObjectWriteAcp,
}

/// What an action does, as far as a key's scope is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Reads.
    Reads,
    /// Changes what is in a bucket.
    Writes,
    /// Changes who may do what with a bucket.
    Permits,
    /// Makes or removes a bucket.
    Administers,
}

macro_rules! actions {
    ($($name:ident: $on:ident, $effect:ident, $need:ident;)*) => {
        /// An action.
        #[allow(missing_docs)] // each is what S3's reference says it is
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($name,)* }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name, as a policy writes it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => concat!("s3:", stringify!($name)),)* }
            }

            /// What it is about.
            pub fn on(self) -> On {
                match self { $(Self::$name => On::$on,)* }
            }

            /// What it does.
            pub fn effect(self) -> Effect {
                match self { $(Self::$name => Effect::$effect,)* }
            }

            /// What permits it where no policy does.
            pub fn need(self) -> Need {
                match self { $(Self::$name => Need::$need,)* }
            }
        }
    };
}

actions! {
    AbortMultipartUpload: Object, Writes, Upload;
    BypassGovernanceRetention: Object, Writes, BucketOwner;
    CreateBucket: Bucket, Administers, Signed;
    DeleteBucket: Bucket, Administers, BucketOwner;
    DeleteBucketOwnershipControls: Bucket, Permits, BucketOwner;
    DeleteBucketPolicy: Bucket, Permits, BucketOwner;
    DeleteBucketWebsite: Bucket, Writes, BucketOwner;
    DeleteObject: Object, Writes, BucketWrite;
    DeleteObjectTagging: Object, Writes, EitherOwner;
    DeleteObjectVersion: Object, Writes, BucketOwner;
    DeleteObjectVersionTagging: Object, Writes, EitherOwner;
    GetAccelerateConfiguration: Bucket, Reads, BucketOwner;
    GetAnalyticsConfiguration: Bucket, Reads, BucketOwner;
    GetBucketAcl: Bucket, Reads, BucketReadAcp;
    GetBucketCORS: Bucket, Reads, BucketOwner;
    GetBucketLocation: Bucket, Reads, BucketOwner;
    GetBucketLogging: Bucket, Reads, BucketOwner;
    GetBucketNotification: Bucket, Reads, BucketOwner;
    GetBucketObjectLockConfiguration: Bucket, Reads, BucketOwner;
    GetBucketOwnershipControls: Bucket, Reads, BucketOwner;
    GetBucketPolicy: Bucket, Reads, BucketOwner;
    GetBucketPolicyStatus: Bucket, Reads, BucketOwner;
    GetBucketPublicAccessBlock: Bucket, Reads, BucketOwner;
    GetBucketRequestPayment: Bucket, Reads, BucketOwner;
    GetBucketTagging: Bucket, Reads, BucketOwner;
    GetBucketVersioning: Bucket, Reads, BucketOwner;
    GetBucketWebsite: Bucket, Reads, BucketOwner;
    GetEncryptionConfiguration: Bucket, Reads, BucketOwner;
    GetIntelligentTieringConfiguration: Bucket, Reads, BucketOwner;
    GetInventoryConfiguration: Bucket, Reads, BucketOwner;
    GetLifecycleConfiguration: Bucket, Reads, BucketOwner;
    GetMetricsConfiguration: Bucket, Reads, BucketOwner;
    GetObject: Object, Reads, ObjectRead;
    GetObjectAcl: Object, Reads, ObjectReadAcp;
    GetObjectAttributes: Object, Reads, ObjectRead;
    GetObjectLegalHold: Object, Reads, EitherOwner;
    GetObjectRetention: Object, Reads, EitherOwner;
    GetObjectTagging: Object, Reads, EitherOwner;
    GetObjectTorrent: Object, Reads, ObjectRead;
    GetObjectVersion: Object, Reads, ObjectRead;
    GetObjectVersionAcl: Object, Reads, ObjectReadAcp;
    GetObjectVersionAttributes: Object, Reads, ObjectRead;
    GetObjectVersionForReplication: Object, Reads, BucketOwner;
    GetObjectVersionTagging: Object, Reads, EitherOwner;
    GetObjectVersionTorrent: Object, Reads, ObjectRead;
    GetReplicationConfiguration: Bucket, Reads, BucketOwner;
    ListAllMyBuckets: Service, Reads, Signed;
    ListBucket: Bucket, Reads, BucketRead;
    ListBucketMultipartUploads: Bucket, Reads, BucketRead;
    ListBucketVersions: Bucket, Reads, BucketRead;
    ListMultipartUploadParts: Object, Reads, Upload;
    ObjectOwnerOverrideToBucketOwner: Object, Writes, BucketOwner;
    PutAccelerateConfiguration: Bucket, Writes, BucketOwner;
    PutAnalyticsConfiguration: Bucket, Writes, BucketOwner;
    PutBucketAcl: Bucket, Permits, BucketWriteAcp;
    PutBucketCORS: Bucket, Writes, BucketOwner;
    PutBucketLogging: Bucket, Writes, BucketOwner;
    PutBucketNotification: Bucket, Permits, BucketOwner;
    PutBucketObjectLockConfiguration: Bucket, Permits, BucketOwner;
    PutBucketOwnershipControls: Bucket, Permits, BucketOwner;
    PutBucketPolicy: Bucket, Permits, BucketOwner;
    PutBucketPublicAccessBlock: Bucket, Permits, BucketOwner;
    PutBucketRequestPayment: Bucket, Writes, BucketOwner;
    PutBucketTagging: Bucket, Writes, BucketOwner;
    PutBucketVersioning: Bucket, Writes, BucketOwner;
    PutBucketWebsite: Bucket, Writes, BucketOwner;
    PutEncryptionConfiguration: Bucket, Writes, BucketOwner;
    PutIntelligentTieringConfiguration: Bucket, Writes, BucketOwner;
    PutInventoryConfiguration: Bucket, Writes, BucketOwner;
    PutLifecycleConfiguration: Bucket, Writes, BucketOwner;
    PutMetricsConfiguration: Bucket, Writes, BucketOwner;
    PutObject: Object, Writes, BucketWrite;
    PutObjectAcl: Object, Permits, ObjectWriteAcp;
    PutObjectLegalHold: Object, Writes, EitherOwner;
    PutObjectRetention: Object, Writes, EitherOwner;
    PutObjectTagging: Object, Writes, EitherOwner;
    PutObjectVersionAcl: Object, Permits, ObjectWriteAcp;
    PutObjectVersionTagging: Object, Writes, EitherOwner;
    PutReplicationConfiguration: Bucket, Writes, BucketOwner;
    ReplicateDelete: Object, Writes, BucketOwner;
    ReplicateObject: Object, Writes, BucketOwner;
    ReplicateTags: Object, Writes, BucketOwner;
    RestoreObject: Object, Writes, EitherOwner;
}

impl Action {
    /// The same about one version, where that is another action.
    pub fn versioned(self) -> Self {
        match self {
            Self::GetObject => Self::GetObjectVersion,
            Self::GetObjectAcl => Self::GetObjectVersionAcl,
            Self::GetObjectAttributes => Self::GetObjectVersionAttributes,
            Self::GetObjectTagging => Self::GetObjectVersionTagging,
            Self::GetObjectTorrent => Self::GetObjectVersionTorrent,
            Self::PutObjectAcl => Self::PutObjectVersionAcl,
            Self::PutObjectTagging => Self::PutObjectVersionTagging,
            Self::DeleteObject => Self::DeleteObjectVersion,
            Self::DeleteObjectTagging => Self::DeleteObjectVersionTagging,
            other => other,
        }
    }

    /// [`Self::versioned`] where a version is named.
    pub fn of(self, version: Option<&str>) -> Self {
        match version {
            Some(_) => self.versioned(),
            None => self,
        }
    }

    /// Whether it says of an object whether it is there: who may not list is told nothing.
    pub(crate) fn reveals(self) -> bool {
        self.on() == On::Object
            && matches!(
                self.need(),
                Need::ObjectRead | Need::ObjectReadAcp | Need::ObjectWriteAcp | Need::EitherOwner
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_s3() {
        assert_eq!(Action::GetObject.name(), "s3:GetObject");
        assert_eq!(Action::GetObject.of(Some("v")), Action::GetObjectVersion);
        assert_eq!(Action::PutObject.of(Some("v")), Action::PutObject);
        let mut names: Vec<_> = Action::ALL.iter().map(|action| action.name()).collect();
        names.dedup();
        assert_eq!(names.len(), Action::ALL.len());
    }
}
