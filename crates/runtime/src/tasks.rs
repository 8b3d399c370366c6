//! Tasks: each has a kind, can be listed, and ends by the bound that a drain sets.

use parking_lot::Mutex;
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What a task is for, and so how it drains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskKind {
    /// Answers one client; is given the drain's time to finish.
    Connection,
    /// Accepts clients; ends at once on shutdown.
    Listener,
    /// Runs as long as the node; stopped after the connections.
    Core,
    /// Scrub, collection, sealing: may be stopped between steps at any time.
    Background,
}

/// One running task, for the operator's list.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// What it is for.
    pub kind: TaskKind,
    /// Its name.
    pub name: String,
    /// When it began.
    pub since: Instant,
}

/// Tells a task to end. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Whether shutdown has been asked for.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when shutdown has been asked for.
    pub async fn wait(&mut self) {
        // The sender lives as long as any `Tasks`; if all are gone, it is time to end as well.
        let _ = self.0.wait_for(|set| *set).await;
    }
}

#[derive(Debug, Default)]
struct Running {
    next: u64,
    tasks: Vec<(u64, TaskInfo)>,
}

/// Spawns, lists and ends tasks; cheap to clone.
#[derive(Clone, Debug)]
pub struct Tasks {
    running: Arc<Mutex<Running>>,
    stop: Arc<watch::Sender<bool>>,
}

struct Entry {
    id: u64,
    running: Arc<Mutex<Running>>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut running = self.running.lock();
        if let Some(at) = running.tasks.iter().position(|(id, _)| *id == self.id) {
            running.tasks.swap_remove(at);
        }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// None running.
    pub fn new() -> Self {
        Self {
            running: Arc::default(),
            stop: Arc::new(watch::Sender::new(false)),
        }
    }

    #[allow(clippy::disallowed_methods)] // this is the one place
    fn enter(&self, kind: TaskKind, name: &str) -> Entry {
        let mut running = self.running.lock();
        running.next += 1;
        let id = running.next;
        running.tasks.push((
            id,
            TaskInfo {
                kind,
                name: name.to_owned(),
                since: Instant::now(),
            },
        ));
        Entry {
            id,
            running: self.running.clone(),
        }
    }

    /// Runs a future as a task. Must be called within a Tokio runtime.
    #[allow(clippy::disallowed_methods)] // this is the one place
    pub fn spawn<F>(&self, kind: TaskKind, name: &str, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let entry = self.enter(kind, name);
        tokio::spawn(async move {
            let _entry = entry;
            future.await
        })
    }

    /// Runs `work` on a thread of its own, for state that one thread owns.
    #[allow(clippy::disallowed_methods)] // this is the one place
    pub fn thread<F>(&self, kind: TaskKind, name: &str, work: F) -> std::io::Result<()>
    where
        F: FnOnce() + Send + 'static,
    {
        let entry = self.enter(kind, name);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _entry = entry;
            work();
        })?;
        Ok(())
    }

    /// A handle that tells when to end.
    pub fn shutdown_signal(&self) -> Shutdown {
        Shutdown(self.stop.subscribe())
    }

    /// Asks every task to end; does not wait.
    pub fn shutdown(&self) {
        self.stop.send_replace(true);
    }

    /// What runs now.
    pub fn list(&self) -> Vec<TaskInfo> {
        self.running
            .lock()
            .tasks
            .iter()
            .map(|(_, info)| info.clone())
            .collect()
    }

    /// Waits until no task of `kind` runs, at most `bound`. Answers how many still do.
    #[allow(clippy::disallowed_methods)] // this is the one place
    pub async fn drain(&self, kind: TaskKind, bound: Duration) -> usize {
        let until = Instant::now() + bound;
        loop {
            let left = self
                .running
                .lock()
                .tasks
                .iter()
                .filter(|(_, info)| info.kind == kind)
                .count();
            if left == 0 || Instant::now() >= until {
                return left;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Runs CPU-bound or file work off the async threads and waits for it. A panic inside is passed on.
#[allow(clippy::disallowed_methods)] // this is the one place
pub async fn blocking<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(failed) if failed.is_panic() => resume_unwind(failed.into_panic()),
        // Only a runtime that is shutting down cancels blocking work; then nobody waits for this either.
        Err(_) => std::future::pending().await,
    }
}

/// Runs CPU-bound or file work off the async threads; nobody waits for it. Must be called within a Tokio
/// runtime.
#[allow(clippy::disallowed_methods)] // this is the one place
pub fn blocking_behind<F: FnOnce() + Send + 'static>(work: F) {
    tokio::task::spawn_blocking(work);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_are_listed_told_to_stop_and_waited_for() {
        let tasks = Tasks::new();
        let mut stop = tasks.shutdown_signal();
        tasks.spawn(TaskKind::Connection, "one", async move { stop.wait().await });
        assert_eq!(tasks.list()[0].name, "one");
        assert_eq!(
            tasks.drain(TaskKind::Connection, Duration::from_millis(20)).await,
            1
        );
        tasks.shutdown();
        assert_eq!(tasks.drain(TaskKind::Connection, Duration::from_secs(5)).await, 0);
    }

    #[tokio::test]
    #[should_panic(expected = "inside")]
    async fn a_panic_in_blocking_work_is_passed_on() {
        blocking(|| panic!("inside")).await
    }
}
