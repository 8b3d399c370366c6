//! What every [`Store`] must do, as one function that each implementation's tests call.

use crate::Store;

/// Panics where `store` does not keep the promises of [`Store`]. The store must be empty.
pub async fn store_conformance(store: &dyn Store) {
    todo!()
}
