//! The socket: HTTP/1.1 on loopback, bounded in bodies and connections.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::state::State;
use super::wire::{Reply, Request};
use super::{Said, handle, lock};

/// More of a body than this is refused.
const LARGEST: usize = 1 << 20;
const CONNECTIONS: usize = 64;

/// Answers until it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(state: Arc<Mutex<State>>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, state, stopped));
        Ok(Self { address, stop, task })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>, mut stopped: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(turn) = Arc::clone(&room).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (state, mut stopped) = (Arc::clone(&state), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = serve(stream, state) => {}
                _ = stopped.changed() => {}
            }
            drop(turn);
        });
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let state = Arc::clone(&state);
        async move { respond(request, &state).await }
    });
    // A client that goes away, or a fault that cuts the connection, ends here.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

/// An error cuts the connection.
async fn respond(request: http::Request<Incoming>, state: &Mutex<State>) -> Result<http::Response<Full<Bytes>>, io::Error> {
    let (head, body) = request.into_parts();
    let too_large = || http::Response::builder().status(413).body(Full::default()).map_err(io::Error::other);
    let Ok(body) = Limited::new(body, LARGEST).collect().await else { return too_large() };
    let request: Request = http::Request::from_parts(head, body.to_bytes().to_vec());
    let said = handle(&mut lock(state), &request);
    match said {
        Said::Reply(reply) => write(reply).map_err(io::Error::other),
        Said::Cut => Err(io::Error::other("a fault cuts the connection")),
        Said::Hang => std::future::pending().await,
    }
}

fn write(reply: Reply) -> Result<http::Response<Full<Bytes>>, http::Error> {
    let mut builder = http::Response::builder().status(reply.status).header("content-type", reply.content_type);
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(reply.body)))
}
