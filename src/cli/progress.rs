//! A line of progress on standard error while a scan runs, on terminals only; and Ctrl-C.

use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::Notify;

use crate::scan::Counters;

/// Scans this short never show a line.
const PATIENCE: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(100);

/// Runs `work` with a line of progress, and stops the scan at Ctrl-C.
pub(super) fn during<T>(counters: &Counters, quiet: bool, work: impl FnOnce() -> T) -> T {
    let done = Notify::new();
    let visible = !quiet && std::io::stderr().is_terminal();
    std::thread::scope(|scope| {
        scope.spawn(|| watch(counters, &done, visible));
        let result = work();
        done.notify_one();
        result
    })
}

/// Until the work is done: listens for Ctrl-C and draws.
fn watch(counters: &Counters, done: &Notify, visible: bool) {
    // Without a runtime there is no Ctrl-C handler, and the signal ends the program as it always does.
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let started = tokio::time::Instant::now();
        loop {
            tokio::select! {
                () = done.notified() => break,
                _ = tokio::signal::ctrl_c() => {
                    if counters.stop.swap(true, Ordering::Relaxed) {
                        // A read that never returns, from a terminal say, cannot be ended otherwise.
                        abandon();
                    }
                }
                () = tokio::time::sleep(TICK) => {}
            }
            if visible && started.elapsed() > PATIENCE {
                draw(&bar, counters, started.elapsed());
            }
        }
        bar.finish_and_clear();
    });
}

#[expect(clippy::exit, reason = "the second Ctrl-C: nothing is being changed, and whoever pressed it wants out")]
fn abandon() -> ! {
    std::process::exit(130)
}

fn draw(bar: &ProgressBar, counters: &Counters, elapsed: Duration) {
    if bar.is_hidden() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
    }
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let rate = read(&counters.bytes) as f64 / elapsed.as_secs_f64();
    bar.set_message(format!(
        "{} files, {}, {}/s, {} found",
        HumanCount(read(&counters.files)),
        HumanBytes(read(&counters.bytes)),
        HumanBytes(rate as u64),
        HumanCount(read(&counters.found)),
    ));
    bar.tick();
}
