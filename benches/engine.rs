//! How fast the engine is, part by part: `cargo bench --bench engine`. The text is this project's own source, the pack its own
//! history, so that what is measured is what people have.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use staunch::detect::{DetectorSet, Scanner};
use staunch::model::{Blob, Confidence};
use staunch::scan::{Allowing, Counters, Request, Target, WalkOptions, WantedHistory};

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder`, one after another.
fn text(folder: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one").path()).collect();
    entries.sort();
    for path in entries {
        text.extend(if path.is_dir() { self::text(&path) } else { std::fs::read(path).expect("a file") });
    }
    text
}

fn detect(c: &mut Criterion) {
    let set = DetectorSet::builtin().expect("detectors");
    let mut scanner = Scanner::new(&set);
    let source = text(&home().join("src"));
    // What every detector has to say about: examples of all of them.
    let matches = text(&home().join("detectors"));
    let encoded = data_encoding::BASE64.encode(&source).into_bytes();
    let mut group = c.benchmark_group("detect");
    group.measurement_time(Duration::from_secs(8)).sample_size(20);
    group.bench_function("start", |b| b.iter(|| DetectorSet::builtin().expect("detectors")));
    group.throughput(Throughput::Bytes(source.len() as u64));
    group.bench_function("prefilter", |b| {
        let mut clues = Vec::new();
        b.iter(|| {
            clues.clear();
            scanner.clues(black_box(&source), 0..source.len(), &mut clues);
        });
    });
    for (name, path, bytes) in [("scan", "a.rs", &source), ("match", "a.toml", &matches), ("decode", "a.txt", &encoded)] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| b.iter(|| scanner.scan(&Blob::whole(path, black_box(bytes)), &mut |_| {})));
    }
    group.finish();
}

fn history(c: &mut Criterion) {
    let set = DetectorSet::builtin().expect("detectors");
    let (allow, counters) = (Allowing::nothing(&[]), Counters::default());
    let walk = WalkOptions::default();
    let least = Confidence::Medium;
    let request = Request { set: &set, allow: &allow, walk, archive_depth: 3, jobs: 0, least, counters: &counters };
    let scan = || {
        let wanted = WantedHistory { since: Vec::new(), branches: Vec::new() };
        staunch::scan::run(vec![Target::History(home().to_owned(), wanted)], &request)
    };
    let bytes = scan().coverage.bytes;
    let mut group = c.benchmark_group("history");
    group.measurement_time(Duration::from_secs(8)).sample_size(10).throughput(Throughput::Bytes(bytes));
    group.bench_function("walk and look", |b| b.iter(scan));
    group.finish();
}

criterion_group!(engine, detect, history);
criterion_main!(engine);
