//! From things that were found up to the commits whose trees hold them, 64 at a time: a bit for each, carried from files to the
//! folders that hold them, from those to the next, until there are roots.

use std::collections::HashMap;

use super::store::{Number, Store};
use super::trees::Holders;

/// Folders within folders; git itself sets no limit, and a stack of empty ones costs an attacker nothing.
const DEEPEST: usize = 256;
/// Names that lead to the things of one batch. Beyond it, some places are not named.
const MOST: usize = 4096;

/// A thing, and the names that lead to it from some folder, the innermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Track {
    /// Which thing.
    pub(super) of: usize,
    /// Hashes of names.
    pub(super) names: Vec<u32>,
}

/// Up to 64 tracks, and which objects they lead from.
pub(super) struct Layer {
    pub(super) tracks: Vec<Track>,
    /// Object → bits.
    bits: Vec<(Number, u64)>,
}

/// Bits of folders, filled where they were touched.
struct Building {
    tracks: Vec<Track>,
    dense: Vec<u64>,
    touched: Vec<u32>,
}

impl Layer {
    /// Things and the objects that are one of them each; no more than 64 things.
    pub(super) fn new(things: usize, objects: &[(Number, usize)]) -> Self {
        let tracks = (0..things).map(|of| Track { of, names: Vec::new() }).collect();
        let mut bits: Vec<(Number, u64)> = objects.iter().map(|&(number, thing)| (number, 1 << thing)).collect();
        bits.sort_unstable();
        bits.dedup_by(|b, a| {
            a.0 == b.0 && {
                a.1 |= b.1;
                true
            }
        });
        Self { tracks, bits }
    }
}

/// Climbs from `layer` and calls `visit` with each layer of folders: its tracks, and the bits of a folder. Whether all of it was
/// climbed.
pub(super) fn climb(store: &Store, holders: &Holders, layer: Layer, visit: &mut dyn FnMut(&[Track], &[u64])) -> bool {
    let mut layers = vec![layer];
    let mut total = 0;
    for _ in 0..DEEPEST {
        let mut next: Vec<Building> = Vec::new();
        for layer in &layers {
            if total > MOST {
                return false;
            }
            total += step(store, holders, layer, &mut next);
        }
        layers.clear();
        for building in next {
            visit(&building.tracks, &building.dense);
            let bits = building.touched.iter();
            let mut bits: Vec<(Number, u64)> =
                bits.map(|&folder| (holders.number(store, folder), building.dense[folder as usize])).collect();
            bits.sort_unstable();
            layers.push(Layer { tracks: building.tracks, bits });
        }
        if layers.is_empty() {
            return true;
        }
    }
    false
}

/// The folders that hold what a layer leads from. Returns how many tracks were begun.
fn step(store: &Store, holders: &Holders, layer: &Layer, next: &mut Vec<Building>) -> usize {
    let mut begun: HashMap<(usize, u32), usize> = HashMap::new();
    let mut moved: HashMap<(u32, u64), Vec<(usize, u64)>> = HashMap::new();
    let base = next.len() * 64;
    for &(child, mask) in &layer.bits {
        holders.of(store, child, &mut |name, folders| {
            let moved = moved.entry((name, mask)).or_insert_with(|| {
                let mut out: Vec<(usize, u64)> = Vec::new();
                for bit in (0..64).filter(|bit| mask >> bit & 1 == 1) {
                    let count = begun.len();
                    let track = *begun.entry((bit, name)).or_insert(base + count);
                    let (building, bit_there) = (track / 64, 1 << (track % 64));
                    if building == next.len() {
                        next.push(Building { tracks: Vec::new(), dense: vec![0; holders.folders()], touched: Vec::new() });
                    }
                    if track == base + count {
                        let mut names = layer.tracks[bit].names.clone();
                        names.push(name);
                        next[building].tracks.push(Track { of: layer.tracks[bit].of, names });
                    }
                    match out.iter_mut().find(|(there, _)| *there == building) {
                        Some((_, bits)) => *bits |= bit_there,
                        None => out.push((building, bit_there)),
                    }
                }
                out
            });
            for folder in folders {
                let folder = holders.first(folder);
                for &(building, bits) in moved.iter() {
                    let building = &mut next[building];
                    let there = &mut building.dense[folder as usize];
                    if *there == 0 {
                        building.touched.push(folder);
                    }
                    *there |= bits;
                }
            }
        });
    }
    begun.len()
}
