//! What a reader says of its kind of artefact, and the reader that is made of it.

use std::marker::PhantomData;

use super::super::{Clues, Reader, Sheet};
use super::{Links, is_data};
use crate::model::Coverage;
use crate::ownership::roll::Roll;

/// An artefact whose workloads hold their values themselves or name env files.
pub(in crate::ownership::artefacts) trait Kind: Default {
    /// As [`Reader::LIMIT`].
    const LIMIT: usize;
    /// As [`Reader::wants`]; env files need not be named.
    fn wants(path: &str) -> bool;

    /// As [`Reader::concerns`].
    fn concerns(_sheet: &Sheet<'_>) -> bool {
        true
    }

    /// Whether the file may be an env file that definitions of this kind name.
    fn is_env_file(_path: &str) -> bool {
        false
    }

    /// Takes in one definition.
    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage);
}

/// The reader of such a kind.
#[derive(Default)]
pub(in crate::ownership::artefacts) struct Linked<K> {
    links: Links,
    kind: PhantomData<K>,
}

impl<K: Kind> Reader for Linked<K> {
    const LIMIT: usize = K::LIMIT;

    fn wants(path: &str) -> bool {
        K::wants(path) || K::is_env_file(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        if K::wants(&sheet.path) {
            return K::concerns(sheet);
        }
        // Data by a telling name may be large, and nobody need hear of it.
        sheet.bytes.len() <= K::LIMIT || !is_data(&sheet.path)
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        self.links.begin();
        if K::wants(&sheet.path) {
            K::read(sheet, &mut self.links, coverage);
        } else {
            self.links.read_env(sheet, coverage);
        }
        self.links.complain(sheet, coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        self.links.resolve(clues, roll);
    }

    fn merge(&mut self, other: Self) {
        self.links.merge(other.links);
    }
}
