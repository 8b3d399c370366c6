//! The in-memory driver does what every driver must.

use std::sync::Arc;
use stead_log::{Log, MemoryLog, log_conformance};

#[tokio::test]
async fn memory() {
    log_conformance(async |machine| Arc::new(MemoryLog::new(machine))).await;
}

#[tokio::test]
async fn memory_behind_the_trait() {
    log_conformance(async |machine| {
        let log: Arc<dyn Log> = Arc::new(MemoryLog::new(machine));
        log
    })
    .await;
}
