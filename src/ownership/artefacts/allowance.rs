//! How much is kept of one file. YAML's aliases and what services inherit from one another let a file of 1 MiB mean a thousand times
//! as much; what is left out is said.

use super::Sheet;
use crate::model::Coverage;

/// Values and references of one file that are followed, its long values counted as several. 1 MiB of lines as short as they can be
/// has about 150,000 lines, and no file that people write has a tenth of that.
const MOST: usize = 100_000;
/// Bytes of a value that count as one more.
const LONG: usize = 64;

/// What may still be kept of the file that is being read.
#[derive(Default)]
pub(super) struct Allowance {
    left: usize,
    /// What was left out, in words.
    cut: Option<String>,
}

impl Allowance {
    /// A new file begins.
    pub(super) fn begin(&mut self) {
        *self = Self { left: MOST, cut: None };
    }

    /// Whether one more may be kept, with a value of that many bytes.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(1 + bytes / LONG);
        if left.is_none() {
            self.cut(&format!("it comes to more than {MOST} values and references"));
        }
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// Something is left out for another reason.
    pub(super) fn cut(&mut self, why: &str) {
        self.cut.get_or_insert_with(|| why.to_owned());
    }

    /// Says what was left out, if anything was.
    pub(super) fn complain(&self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        if let Some(why) = &self.cut {
            coverage.trouble(&*sheet.path, format!("{why}: not all of its references are followed"));
        }
    }
}
