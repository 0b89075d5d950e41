//! Whoever ends this process is heard while it reads again what it responds to, too: Ctrl-C, and SIGTERM, which schedulers and
//! service managers send. Nothing is changed before that is over, so a journal is as it was and `resume` goes on.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use tokio::sync::watch::{Receiver, channel};

/// Whether this process was asked to end since it began to listen.
static ASKED: AtomicBool = AtomicBool::new(false);
/// How often.
static HEARD: OnceLock<Receiver<u64>> = OnceLock::new();

/// Listens from now on, whatever keeps other threads busy. A signal does not end this process any more: see that it ends.
pub(super) fn listen() -> Receiver<u64> {
    let heard = HEARD.get_or_init(|| {
        let (tell, heard) = channel(0);
        let (ready, begun) = sync_channel(1);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(each(&ready, || {
                set();
                tell.send_modify(|count| *count += 1);
            }));
        });
        // Until it is heard, a signal ends this process by itself; where it cannot be heard, it goes on doing so.
        let _ = begun.recv();
        heard
    });
    let mut heard = heard.clone();
    heard.mark_unchanged();
    heard
}

/// Waits until this process is asked to end, from now on. False where signals cannot be heard.
pub(super) async fn asked() -> bool {
    listen().changed().await.is_ok()
}

/// Somebody else has heard it.
pub(super) fn set() {
    ASKED.store(true, Ordering::Relaxed);
}

/// Whether it was asked to end.
pub(super) fn was_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Tells of each time, once it is heard.
#[cfg(unix)]
async fn each(ready: &SyncSender<()>, mut told: impl FnMut()) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return;
    };
    let _ = ready.send(());
    loop {
        let heard = tokio::select! {
            heard = term.recv() => heard,
            heard = interrupt.recv() => heard,
        };
        if heard.is_none() {
            return;
        }
        told();
    }
}

#[cfg(not(unix))]
async fn each(ready: &SyncSender<()>, mut told: impl FnMut()) {
    let _ = ready.send(());
    while tokio::signal::ctrl_c().await.is_ok() {
        told();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;
    use std::thread;
    use std::time::Duration;

    use super::{asked, listen, was_asked};

    fn end(signal: &str) {
        let ended = Command::new("kill").args([signal, &std::process::id().to_string()]).status();
        assert!(ended.expect("a shell's kill").success());
    }

    #[test]
    fn who_is_asked_to_end_hears_it_whatever_keeps_the_thread_busy() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            listen();
            assert!(!was_asked());
            end("-TERM");
            // This thread does nothing else.
            while !was_asked() {
                thread::sleep(Duration::from_millis(5));
            }
            // Whoever waits, waits for the next time.
            let (heard, ()) = tokio::join!(asked(), async {
                tokio::task::yield_now().await;
                end("-INT");
            });
            assert!(heard);
        });
    }
}
