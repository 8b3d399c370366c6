//! A value that may be changed while everything runs.

use std::sync::Arc;
use tokio::sync::watch;

/// A value that those who read it find changed the next time. Cheap to clone; all clones are the same value.
#[derive(Clone, Debug)]
pub struct Adjustable<T>(Arc<watch::Sender<T>>);

impl<T: Clone + PartialEq> Adjustable<T> {
    /// Begins with a value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(watch::Sender::new(value)))
    }

    /// The value as it is now.
    pub fn get(&self) -> T {
        self.0.borrow().clone()
    }

    /// Sets it, and wakes those who wait where it is another one.
    pub fn set(&self, value: T) {
        self.0.send_if_modified(|now| {
            let differs = *now != value;
            if differs {
                *now = value;
            }
            differs
        });
    }

    /// Waits for changes from now on.
    pub fn changes(&self) -> Changes<T> {
        Changes(self.0.subscribe())
    }
}

impl<T: Clone + PartialEq + Default> Default for Adjustable<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Waits for changes of a value.
pub struct Changes<T>(watch::Receiver<T>);

impl<T> Changes<T> {
    /// Returns when the value was changed since the last time; never where nobody is left to change it.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_is_woken_by_another_value_alone() {
        let value = Adjustable::new(1);
        let mut changes = value.changes();
        value.set(1);
        assert!(at_once(&mut changes).await.is_none());
        value.clone().set(2);
        assert_eq!(value.get(), 2);
        assert!(at_once(&mut changes).await.is_some());
        assert!(at_once(&mut changes).await.is_none());
    }

    /// Whether there is a change at once.
    async fn at_once<T>(changes: &mut Changes<T>) -> Option<()> {
        tokio::select! {
            biased;
            () = changes.next() => Some(()),
            () = std::future::ready(()) => None,
        }
    }
}
