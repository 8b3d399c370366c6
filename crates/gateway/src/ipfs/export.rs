//! Exporting: a DAG as a CAR, for somebody who may read it.

use super::car::{CarPieces, Scope};
use super::{BlockBody, IpfsError, PublishedBlocks, Walked};
use crate::objects::{ObjectError, Objects};
use stead_event::Cid;

impl Objects {
    /// The whole DAG below a CID as a CAR. The caller has checked who asks: a CID says nothing of whose it is.
    pub async fn export(&self, cid: Cid, only_public: bool) -> Result<BlockBody, ObjectError> {
        let context = self.context().read_only().clone();
        let blocks = match (only_public, context.published()) {
            (false, _) => PublishedBlocks::all(context.clone()),
            (true, Some(index)) => PublishedBlocks::new(context.clone(), index.clone()),
            (true, None) => return Err(IpfsError::Missing(Box::new(cid)).into()),
        };
        let found = match blocks.walk(cid, &[]).await? {
            Walked::Found(found) => found,
            Walked::Absent | Walked::NoEntry(_) => return Err(IpfsError::Missing(Box::new(cid)).into()),
        };
        let pieces = CarPieces::new(blocks, &found, Scope::All, false);
        BlockBody::ahead(Box::new(pieces), None, &context.tasks).await
    }
}
