//! The door of `respond watch`: HTTP/1.1 on an address of the operator's, on a thread of its own, so that whoever knocks is answered
//! at once whatever is being done. What is heard is in the state folder before it is said to be, so that no crash loses it; when much
//! waits there, others are asked to come again.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use super::output::say;
use crate::model::Clock;
use crate::respond::{Answer, Ear, Folder, delivery_name};

/// More of a body is not read. GitHub's largest is 25 MB; an alert of its is some kilobytes.
const LARGEST: usize = 1 << 20;
/// Who is heard at a time.
const CONNECTIONS: usize = 32;
/// From the first byte to the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// From the first byte to the end of the head.
const HEAD: Duration = Duration::from_secs(2);
/// Heard and not settled: what was looked at in vain is among it for an hour and a half.
const WAITING: usize = 256;

/// What a stranger hears.
const STRANGER: &str = "it is not signed with the shared secret\n";

/// Whoever opens the door.
struct Porter {
    ear: Arc<Ear>,
    clock: Arc<dyn Clock>,
    folder: Folder,
    heard: Arc<Notify>,
}

/// It is open.
pub(super) struct Door {
    /// The address that it has.
    pub(super) address: SocketAddr,
    /// Wakes whoever looks.
    pub(super) heard: Arc<Notify>,
    /// What it knows again.
    pub(super) ear: Arc<Ear>,
}

/// Opens it. It is closed with the process.
pub(super) fn open(listen: SocketAddr, ear: Arc<Ear>, (folder, clock): (&Folder, &Arc<dyn Clock>)) -> anyhow::Result<Door> {
    let heard = Arc::new(Notify::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no thread for the door")?;
    let listener = runtime.block_on(TcpListener::bind(listen)).with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr().context("the door has no address")?;
    let (clock, folder) = (Arc::clone(clock), folder.clone());
    let porter = Arc::new(Porter { ear: Arc::clone(&ear), clock, folder, heard: Arc::clone(&heard) });
    std::thread::Builder::new().name("door".to_owned()).spawn(move || runtime.block_on(keep(listener, porter)))?;
    Ok(Door { address, heard, ear })
}

async fn keep(listener: TcpListener, porter: Arc<Porter>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(turn) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // As many files are open as may be, like as not.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let porter = Arc::clone(&porter);
        tokio::spawn(async move {
            // Whoever is slower than that has no more to say.
            let _ = tokio::time::timeout(PATIENCE, serve(stream, porter)).await;
            drop(turn);
        });
    }
}

async fn serve(stream: TcpStream, porter: Arc<Porter>) {
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let porter = Arc::clone(&porter);
        async move { Ok::<_, Infallible>(answered(&porter, request).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).keep_alive(false);
    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
}

/// The answer to one request. It repeats nothing of what was sent.
async fn answered(porter: &Porter, request: http::Request<Incoming>) -> http::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let says = |status: u16, words: &'static str| {
        let mut answer = http::Response::new(Full::new(Bytes::from_static(words.as_bytes())));
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        answer
    };
    if head.method != http::Method::POST {
        return says(405, "deliveries are posted\n");
    }
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let named = (header("x-hub-signature-256"), header("x-github-event"));
    // Whoever has no signature has nothing to say that is waited for.
    if !Ear::is_signature(named.0) {
        return says(401, STRANGER);
    }
    let Ok(body) = Limited::new(body, LARGEST).collect().await else {
        return says(413, "it is larger than a delivery, or was cut\n");
    };
    let body = body.to_bytes();
    let now = porter.clock.now();
    match porter.ear.hear(named, &body, now) {
        Answer::Stranger => says(401, STRANGER),
        Answer::Wrong(why) => says(400, why),
        Answer::Known => says(200, "it was heard before\n"),
        Answer::Nothing => says(200, "nothing is done about that\n"),
        Answer::Heard(delivery) => match porter.folder.keep_heard(&delivery_name(&body), &delivery, WAITING, now) {
            Ok(true) => {
                porter.heard.notify_one();
                says(202, "it is looked at\n")
            }
            Ok(false) => says(503, "too much is waiting; come again\n"),
            Err(error) => {
                say(&format!("staunch: a delivery was not taken: {error}"));
                says(503, "it cannot be written down; come again\n")
            }
        },
    }
}
