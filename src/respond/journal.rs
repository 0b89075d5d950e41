//! A run's append-only record: JSON lines, numbered, each with the hash of the one before, on disk before the world is
//! touched. A line torn by a crash is the last one and is cut off; any other damage is an error.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

use super::RespondError;
use crate::model::{Clock, Event, EventKind};

const SCHEMA: &str = "staunch.journal/1";

/// An open journal. Appending fails for good after a failed append: what is on disk is then not known.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    run: String,
    next: u64,
    previous: String,
    broken: bool,
}

/// What is in a journal.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) events: Vec<Event>,
    /// Bytes of whole records.
    pub(super) whole: u64,
    previous: String,
}

fn hash(line: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, line).as_ref())
}

/// Reads and checks a journal without changing it.
pub(super) fn read(path: &Path) -> Result<Contents, RespondError> {
    let failed = |source| RespondError::File { what: "cannot read the journal", path: path.to_owned(), source };
    let mut text = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut text)).map_err(failed)?;
    let mut read = Contents { events: Vec::new(), whole: 0, previous: "0".repeat(64) };
    for (number, line) in text.split_inclusive(|&b| b == b'\n').enumerate() {
        // Only a whole line was ever acknowledged. One without its end was being written when the process died.
        let Some(record) = line.strip_suffix(b"\n") else { break };
        let damaged = |what: String| RespondError::Journal { path: path.to_owned(), line: number + 1, what };
        let event: Event = serde_json::from_slice(record).map_err(|error| damaged(format!("not a record ({error})")))?;
        if event.schema != SCHEMA {
            return Err(damaged(format!("schema {}, which this version does not read", event.schema)));
        }
        if event.seq != number as u64 || event.previous != read.previous {
            return Err(damaged("it does not follow from the line before; something was changed or is missing".to_owned()));
        }
        read.previous = hash(record);
        read.whole += line.len() as u64;
        read.events.push(event);
    }
    Ok(read)
}

/// Whether a journal has that record, whole and where it says: what follows it may have come since.
pub(super) fn holds(path: &Path, seq: u64, sha256: &str) -> Result<bool, RespondError> {
    read(path)?;
    let failed = |source| RespondError::File { what: "cannot read the journal", path: path.to_owned(), source };
    let text = std::fs::read(path).map_err(failed)?;
    let record = usize::try_from(seq).ok().and_then(|at| text.split_inclusive(|&b| b == b'\n').nth(at));
    Ok(record.and_then(|line| line.strip_suffix(b"\n")).is_some_and(|record| hash(record) == sha256))
}

impl Journal {
    /// The number and the hash of the last record. There is one.
    pub(super) fn head(&self) -> (u64, &str) {
        (self.next.saturating_sub(1), &self.previous)
    }

    /// Starts the journal of a new run.
    pub(super) fn create(path: &Path, run: &str) -> Result<Self, RespondError> {
        let made = OpenOptions::new().append(true).create_new(true).open(path);
        let file =
            made.map_err(|source| RespondError::File { what: "cannot make the journal", path: path.to_owned(), source })?;
        sync_folder(path)?;
        Ok(Self { path: path.to_owned(), file, run: run.to_owned(), next: 0, previous: "0".repeat(64), broken: false })
    }

    /// Opens the journal of a run to go on with it.
    pub(super) fn open(path: &Path, run: &str) -> Result<(Self, Vec<Event>), RespondError> {
        let read = read(path)?;
        let failed = |source| RespondError::File { what: "cannot open the journal", path: path.to_owned(), source };
        let mut file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        let length = file.seek(std::io::SeekFrom::End(0)).map_err(failed)?;
        if length > read.whole {
            file.set_len(read.whole).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        let next = read.events.len() as u64;
        let journal =
            Self { path: path.to_owned(), file, run: run.to_owned(), next, previous: read.previous, broken: false };
        Ok((journal, read.events))
    }

    /// Adds a record and waits until it is on disk.
    pub(super) fn append(
        &mut self,
        clock: &dyn Clock,
        step: Option<&str>,
        event: EventKind,
        evidence: serde_json::Value,
    ) -> Result<Event, RespondError> {
        let failed = |source| RespondError::File { what: "cannot write the journal", path: self.path.clone(), source };
        if self.broken {
            return Err(failed(std::io::Error::other("an earlier record could not be written")));
        }
        let record = Event {
            schema: SCHEMA.to_owned(),
            seq: self.next,
            previous: self.previous.clone(),
            run: self.run.clone(),
            step: step.map(str::to_owned),
            at: clock.now(),
            event,
            evidence,
        };
        let mut line = serde_json::to_vec(&record).map_err(|error| failed(error.into()))?;
        let hash = hash(&line);
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            self.broken = true;
            return Err(failed(error));
        }
        self.previous = hash;
        self.next += 1;
        Ok(record)
    }
}

/// Makes a new name in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), RespondError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // Windows cannot open folders; there the file's own sync has to do.
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|source| RespondError::File { what: "cannot sync", path: folder.to_owned(), source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;

    use super::{Journal, RespondError, read};
    use crate::model::{EventKind, TestClock};

    fn filled(dir: &std::path::Path) -> (std::path::PathBuf, Vec<u8>) {
        let (path, clock) = (dir.join("journal.jsonl"), TestClock::new(Timestamp::UNIX_EPOCH));
        let mut journal = Journal::create(&path, "r1").expect("made");
        for n in 0..3 {
            let event = EventKind::Started { idempotency_key: n.to_string() };
            journal.append(&clock, Some("a"), event, Value::Null).expect("written");
        }
        let text = std::fs::read(&path).expect("there");
        (path, text)
    }

    #[test]
    fn cut_at_any_byte_it_goes_on_from_the_last_whole_record() {
        let dir = tempfile::tempdir().expect("scratch");
        let (path, text) = filled(dir.path());
        let clock = TestClock::new(Timestamp::UNIX_EPOCH);
        for cut in 0..=text.len() {
            std::fs::write(&path, &text[..cut]).expect("cut");
            let whole = memchr::memchr_iter(b'\n', &text[..cut]).count();
            let (mut journal, events) = Journal::open(&path, "r1").expect("opens");
            assert_eq!(events.len(), whole, "cut at {cut}");
            journal.append(&clock, None, EventKind::Succeeded, Value::Null).expect("written");
            assert_eq!(read(&path).expect("whole").events.len(), whole + 1);
        }
    }

    #[test]
    fn a_journal_that_was_cut_at_a_lines_end_does_not_hold_what_was_named() {
        let dir = tempfile::tempdir().expect("scratch");
        let (path, text) = filled(dir.path());
        let (mut journal, _) = Journal::open(&path, "r1").expect("opens");
        let (seq, head) = (journal.head().0, journal.head().1.to_owned());
        assert!(seq == 2 && super::holds(&path, seq, &head).expect("reads"));
        journal.append(&TestClock::new(Timestamp::UNIX_EPOCH), None, EventKind::Succeeded, Value::Null).expect("written");
        assert!(super::holds(&path, seq, &head).expect("reads"), "more has come since");
        let whole: Vec<&[u8]> = text.split_inclusive(|&b| b == b'\n').collect();
        std::fs::write(&path, whole[..2].concat()).expect("cut");
        assert_eq!(read(&path).expect("by itself it is whole").events.len(), 2);
        assert!(!super::holds(&path, seq, &head).expect("reads"));
        let (mut journal, _) = Journal::open(&path, "r1").expect("opens");
        journal.append(&TestClock::new(Timestamp::UNIX_EPOCH), None, EventKind::Succeeded, Value::Null).expect("written");
        assert!(!super::holds(&path, seq, &head).expect("reads"), "another stands in its place");
    }

    #[test]
    fn a_changed_dropped_or_swapped_record_is_named() {
        let dir = tempfile::tempdir().expect("scratch");
        let (path, text) = filled(dir.path());
        let lines: Vec<&[u8]> = text.split_inclusive(|&b| b == b'\n').collect();
        let changed = String::from_utf8(text.clone()).expect("text").replacen(
            "\"idempotency_key\":\"1\"",
            "\"idempotency_key\":\"7\"",
            1,
        );
        for (damaged, line) in [
            (changed.into_bytes(), 3),
            ([lines[0], lines[2]].concat(), 2),
            ([lines[1], lines[0], lines[2]].concat(), 1),
            ([lines[0], b"{}\n", lines[2]].concat(), 2),
        ] {
            std::fs::write(&path, damaged).expect("written");
            let error = read(&path).expect_err("damage");
            assert!(matches!(error, RespondError::Journal { line: at, .. } if at == line), "{error}");
        }
    }
}
