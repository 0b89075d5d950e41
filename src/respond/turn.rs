//! Whose turn it is: so many runs act at once. One that only lets time pass gives its turn to another.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// A run's turn, where runs take turns.
#[derive(Debug, Default)]
pub struct Turn(Option<(Arc<Semaphore>, Mutex<Option<OwnedSemaphorePermit>>)>);

impl Turn {
    /// One that was taken of these.
    pub(super) fn of(turns: Arc<Semaphore>, taken: OwnedSemaphorePermit) -> Self {
        Self(Some((turns, Mutex::new(Some(taken)))))
    }

    /// Lets time pass; meanwhile others act.
    pub(super) async fn pass(&self, time: Duration) {
        let Some((turns, taken)) = self.0.as_ref().filter(|_| !time.is_zero()) else {
            return tokio::time::sleep(time).await;
        };
        let mut taken = taken.lock().await;
        drop(taken.take());
        tokio::time::sleep(time).await;
        // Nobody closes them.
        *taken = Arc::clone(turns).acquire_owned().await.ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::Semaphore;

    use super::Turn;

    #[tokio::test]
    async fn who_lets_time_pass_lets_another_act_and_comes_back_after_it() {
        let turns = Arc::new(Semaphore::new(1));
        let taken = Arc::clone(&turns).acquire_owned().await.expect("a turn");
        let turn = Turn::of(Arc::clone(&turns), taken);
        assert_eq!(turns.available_permits(), 0);
        let other = async {
            let other = Arc::clone(&turns).acquire_owned().await.expect("the turn that was given up");
            // It is held for longer than the first waits.
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(other);
            std::time::Instant::now()
        };
        let first = async {
            turn.pass(Duration::from_millis(1)).await;
            std::time::Instant::now()
        };
        let (back, ended) = tokio::join!(first, other);
        assert!(back >= ended, "two acted at once");
        assert_eq!(turns.available_permits(), 0);
        drop(turn);
        assert_eq!(turns.available_permits(), 1);
    }
}
