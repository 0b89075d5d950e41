//! Scans an image: its parts are read side by side, from disk or straight from a registry, and what was found is told
//! whether later layers hide it.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::collect::Gathered;
use super::walk::{Counters, Request};
use super::worker::Worker;
use super::worker::names::NAME;
use super::{feed, layers};
use crate::fetch::{Body, FetchError, Registry};
use crate::model::Provenance;
use crate::source::Visit;
use crate::source::image::{Archive, At, Blobs, Folder, Image, Wanted};

/// Pieces of a blob, of a few dozen KiB each, that wait to be read.
const WAITING: usize = 16;
/// How soon a reader that waits for the network sees that the scan is to end.
const TICK: Duration = Duration::from_millis(200);

/// An image to scan.
pub struct ImageTarget {
    /// As it was named: `docker://debian:12`.
    pub name: String,
    /// Where it is.
    pub place: ImagePlace,
    /// Which of several.
    pub wanted: Wanted,
    /// Where layers that were read before are noted, if they are to be skipped.
    pub seen: Option<PathBuf>,
    /// Of its layers and configs only those of these digests; all of them where there is none.
    pub only: Vec<String>,
}

/// Where an image is.
pub enum ImagePlace {
    /// A folder in the OCI layout.
    Folder(PathBuf),
    /// An archive of `docker save` or `skopeo copy`.
    Archive(PathBuf),
    /// A registry.
    Registry(Arc<Registry>),
}

pub(super) fn run(target: &ImageTarget, request: &Request<'_>) -> Gathered {
    let mut planner = Worker::new(request);
    let mut all = Gathered::default();
    match &target.place {
        ImagePlace::Folder(path) => {
            let folder = Folder::new(path);
            let image = Image::local(&target.name, &folder, &target.wanted, &mut planner);
            all = parts(&image, target, request);
        }
        ImagePlace::Archive(path) => match Archive::open(path) {
            Ok(archive) => {
                if let Some(why) = archive.broken() {
                    planner.trouble(&target.name, why);
                }
                let image = Image::local(&target.name, &archive, &target.wanted, &mut planner);
                all = parts(&image, target, request);
            }
            Err(error) => planner.trouble(&target.name, &error.to_string()),
        },
        ImagePlace::Registry(registry) => {
            match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
                Ok(runtime) => {
                    let remote = Remote { registry, handle: runtime.handle().clone(), counters: request.counters };
                    all = remote.run(target, (request, &mut planner));
                    // What a stopped scan still waits for is not waited for.
                    runtime.shutdown_background();
                }
                Err(error) => planner.trouble(&target.name, &format!("no threads for the network: {error}")),
            }
        }
    }
    all.merge(planner.harvest());
    all
}

fn parts(image: &Image<'_>, target: &ImageTarget, request: &Request<'_>) -> Gathered {
    let seen = target.seen.as_deref();
    let read = |unit: usize, visit: &mut dyn Visit| {
        if !target.only.is_empty() && !target.only.iter().any(|digest| image.digest(unit) == Some(digest.as_str())) {
            return false;
        }
        if let (Some(folder), Some(layer)) = (seen, image.layer(unit))
            && let Some(names) = layers::recall(folder, layer)
        {
            image.recall(unit, &names);
            visit.skip("layer read before, nothing found in it");
            return false;
        }
        image.read(unit, visit)
    };
    let (mut all, clean) = feed::run(image.units(), request, &read);
    for sighting in all.sightings.iter_mut().chain(&mut all.allowed) {
        if let Provenance::Layer(place) = &mut sighting.occurrence.provenance {
            let path = &sighting.occurrence.path;
            place.hidden = image.is_hidden(place, path.strip_suffix(NAME).unwrap_or(path));
        }
    }
    if let Some(folder) = seen.filter(|_| !request.counters.stop.load(Ordering::Relaxed)) {
        let clean = (0..image.units()).filter(|unit| clean[*unit]);
        for (unit, layer) in clean.filter_map(|unit| Some((unit, image.layer(unit)?))) {
            // A note that cannot be kept costs time at the next scan, nothing else.
            let _ = layers::keep(folder, layer, &image.names_of(unit));
        }
    }
    all
}

/// A registry as a store of parts: the one place where image readers wait for async.
struct Remote<'r> {
    registry: &'r Arc<Registry>,
    handle: Handle,
    counters: &'r Counters,
}

impl Remote<'_> {
    fn run(&self, target: &ImageTarget, (request, planner): (&Request<'_>, &mut Worker<'_>)) -> Gathered {
        let manifest = match self.wait(self.registry.manifest()) {
            Ok(Some(Ok(manifest))) => manifest,
            Ok(Some(Err(error))) => {
                planner.trouble(&target.name, &error.to_string());
                return Gathered::default();
            }
            Ok(None) | Err(_) => return Gathered::default(),
        };
        if let Some(doubt) = manifest.doubt {
            planner.trouble(&target.name, &doubt);
        }
        let image = Image::remote(&target.name, self, manifest.bytes, &target.wanted, planner);
        parts(&image, target, request)
    }

    /// Waits for a future or for the end of the scan, which is an error; None when the future's task is gone.
    fn wait<T: Send>(&self, future: impl Future<Output = T>) -> io::Result<Option<T>> {
        self.handle.block_on(async {
            let mut future = std::pin::pin!(future);
            loop {
                if let Ok(done) = tokio::time::timeout(TICK, &mut future).await {
                    return Ok(Some(done));
                }
                if self.counters.stop.load(Ordering::Relaxed) {
                    return Err(io::Error::other("interrupted"));
                }
            }
        })
    }
}

impl Blobs for Remote<'_> {
    fn open<'b>(&'b self, at: &At) -> io::Result<Option<Box<dyn Read + 'b>>> {
        let (kind, digest) = match at {
            At::Manifest(digest) => ("manifests", digest),
            At::Blob(digest) => ("blobs", digest),
            At::Member(_) => return Ok(None),
        };
        let opened = self.wait(self.registry.part(kind, digest.as_str()))?;
        let body = match opened {
            Some(Ok(body)) => body,
            Some(Err(FetchError::NotFound(_))) | None => return Ok(None),
            Some(Err(error)) => return Err(io::Error::other(error.to_string())),
        };
        let (sender, pieces) = mpsc::channel(WAITING);
        self.handle.spawn(pump(body, sender));
        Ok(Some(Box::new(Pieces { remote: self, pieces, piece: Vec::new(), at: 0 })))
    }

    fn list(&self) -> Vec<At> {
        Vec::new()
    }
}

/// From the network into the channel, until nobody listens.
async fn pump(mut body: Body, pieces: mpsc::Sender<io::Result<Vec<u8>>>) {
    loop {
        let piece = match body.chunk().await {
            Ok(None) => return,
            Ok(Some(piece)) => Ok(piece),
            Err(error) => Err(io::Error::other(error.to_string())),
        };
        let end = piece.is_err();
        if pieces.send(piece).await.is_err() || end {
            return;
        }
    }
}

struct Pieces<'r> {
    remote: &'r Remote<'r>,
    pieces: mpsc::Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            let next = match self.pieces.try_recv() {
                Ok(next) => Some(next),
                Err(mpsc::error::TryRecvError::Disconnected) => None,
                Err(mpsc::error::TryRecvError::Empty) => self.remote.wait(self.pieces.recv())?.flatten(),
            };
            let Some(next) = next else { return Ok(0) };
            (self.piece, self.at) = (next?, 0);
        }
        let got = into.len().min(self.piece.len() - self.at);
        into[..got].copy_from_slice(&self.piece[self.at..self.at + got]);
        self.at += got;
        Ok(got)
    }
}
