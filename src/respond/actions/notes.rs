//! What a step under way knows already, written into the journal before its next call: for steps of several calls, of which
//! a later one cannot be understood without the earlier. Never a secret; fingerprints.

use serde_json::Value;
use tokio::sync::{Mutex, mpsc, oneshot};

/// Where a step writes. The run reads it, and answers once the note is on disk.
pub(in crate::respond) struct Notes(mpsc::Sender<(Value, oneshot::Sender<()>)>);

/// The run's end of [`Notes`].
pub(in crate::respond) struct Written(Mutex<mpsc::Receiver<(Value, oneshot::Sender<()>)>>);

impl Notes {
    /// Both ends.
    pub(in crate::respond) fn new() -> (Self, Written) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), Written(Mutex::new(receiver)))
    }

    /// Comes back when the note is on disk.
    pub(in crate::respond) async fn write(&self, note: Value) -> Result<(), String> {
        let (done, waits) = oneshot::channel();
        let gone = |()| "the journal takes no more notes".to_owned();
        self.0.send((note, done)).await.map_err(|_| gone(()))?;
        waits.await.map_err(|_| gone(()))
    }
}

impl Written {
    /// The next note, and what tells its writer that it is on disk.
    pub(in crate::respond) async fn next(&self) -> Option<(Value, oneshot::Sender<()>)> {
        self.0.lock().await.recv().await
    }
}
