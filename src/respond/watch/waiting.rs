//! What was heard at the door waits in the state folder, `heard/NAME.json`: until it was looked at, and what there is to say of it
//! was said. A look that failed or found nothing is made again, later and later.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::RespondError;
use super::super::folder::{Folder, failed, write};
use super::Delivery;

/// How long until the next look, after the first, the second…; after the last of them, as long again.
const PAUSES: [SignedDuration; 4] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_mins(60),
];
/// What stands for all alerts that there was no room for.
const OVERFLOW: &str = "overflow";

/// A delivery that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    path: PathBuf,
    kept: Option<Kept>,
}

/// What is in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    delivery: Delivery,
    /// When it was heard first, and last.
    #[serde(default)]
    since: Timestamp,
    #[serde(default)]
    heard: Timestamp,
    /// Looks that failed or found nothing.
    #[serde(default)]
    looks: usize,
    /// When it is looked at.
    #[serde(default)]
    next: Timestamp,
}

impl Waiting {
    fn read(path: PathBuf) -> Self {
        let kept = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { path, kept }
    }

    /// What is asked for. What cannot be read asks for a look all the same.
    pub fn delivery(&self) -> Option<&Delivery> {
        self.kept.as_ref().map(|kept| &kept.delivery)
    }

    /// What the delivery is called by.
    pub fn name(&self) -> &str {
        self.path.file_stem().and_then(OsStr::to_str).unwrap_or_default()
    }

    /// When it was heard first.
    pub fn since(&self) -> Timestamp {
        self.kept.as_ref().map_or(Timestamp::UNIX_EPOCH, |kept| kept.since)
    }

    /// Whether nobody looked for it yet.
    pub fn is_new(&self) -> bool {
        self.kept.as_ref().is_none_or(|kept| kept.looks == 0)
    }

    /// Whether a look that finds nothing is the last.
    pub fn is_last(&self) -> bool {
        self.kept.as_ref().is_none_or(|kept| kept.looks >= PAUSES.len())
    }

    /// How long until it is looked at; nothing when that is now.
    pub fn pause(&self, now: Timestamp) -> Option<Duration> {
        let pause = self.kept.as_ref()?.next.duration_since(now);
        // A moment that no pause reaches was written by a clock that has been set back since.
        let waits = pause.is_positive() && pause <= PAUSES[PAUSES.len() - 1];
        Duration::try_from(pause).ok().filter(|_| waits)
    }

    /// Whether nobody has knocked with the same since it was read.
    fn is_as_read(&self) -> bool {
        let heard = |kept: &Option<Kept>| kept.as_ref().map(|kept| kept.heard);
        heard(&Self::read(self.path.clone()).kept) == heard(&self.kept)
    }
}

impl Folder {
    fn heard_folder(&self) -> PathBuf {
        self.root().join("heard")
    }

    /// Writes down what was heard at the door. Of one that waits already, it is looked at once more from now. No more than `most` wait:
    /// for alerts beyond that there is one mark that says so, and of others, whether there was room is returned.
    ///
    /// # Errors
    /// When it cannot be written: then it was not heard.
    pub fn keep_heard(&self, name: &str, delivery: &Delivery, most: usize, now: Timestamp) -> Result<bool, RespondError> {
        let folder = self.heard_folder();
        fs::create_dir_all(&folder).map_err(failed("cannot make", &folder))?;
        let mut path = folder.join(format!("{name}.json"));
        let mut delivery = delivery.clone();
        let waiting = files(&folder, "json").map_err(failed("cannot read", &folder))?;
        if waiting.len() >= most && !waiting.contains(&path) {
            if !matches!(delivery, Delivery::Alert { .. }) {
                return Ok(false);
            }
            // Whoever sends alerts sends each once.
            path = folder.join(format!("{OVERFLOW}.json"));
            delivery = Delivery::Overflow(now.to_string());
        }
        let since = Waiting::read(path.clone()).kept.map_or(now, |kept| kept.since);
        keep(&path, &Kept { delivery, since, heard: now, looks: 0, next: now })?;
        Ok(true)
    }

    /// What was heard and is not settled.
    pub fn heard(&self) -> Vec<Waiting> {
        files(&self.heard_folder(), "json").unwrap_or_default().into_iter().map(Waiting::read).collect()
    }

    /// It was looked at in vain: it is looked at again, later.
    ///
    /// # Errors
    /// When that cannot be written: then it is looked at again sooner.
    pub fn hear_again(&self, waiting: &Waiting, now: Timestamp) -> Result<(), RespondError> {
        let Some(mut kept) = waiting.kept.clone().filter(|_| waiting.is_as_read()) else { return Ok(()) };
        kept.next = now.checked_add(PAUSES[kept.looks.min(PAUSES.len() - 1)]).unwrap_or(now);
        kept.looks += 1;
        keep(&waiting.path, &kept)
    }

    /// There is nothing more to be said of it.
    pub fn settle(&self, waiting: &Waiting) {
        if waiting.is_as_read() {
            // It would be looked at once more.
            let _ = fs::remove_file(&waiting.path);
        }
    }

    /// Takes away what whoever died left half written.
    pub fn sweep_heard(&self) {
        for path in files(&self.heard_folder(), "part").unwrap_or_default() {
            let _ = fs::remove_file(path);
        }
    }
}

fn keep(path: &Path, kept: &Kept) -> Result<(), RespondError> {
    let bytes = serde_json::to_vec(kept);
    write(path, &bytes.map_err(|error| RespondError::Format { path: path.to_owned(), what: error.to_string() })?)
}

/// The files in a folder whose names end so, by name.
fn files(folder: &Path, ending: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == ending));
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use std::fs;

    use super::super::super::folder::Folder;
    use super::super::Delivery;

    fn alert() -> Delivery {
        Delivery::Alert { repository: "corp/app".into(), number: 7, kind: "x".into() }
    }

    fn after(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn what_could_not_be_written_leaves_nothing_behind_and_takes_nobodys_place() {
        let dir = tempfile::tempdir().expect("scratch");
        let folder = Folder::open(dir.path()).expect("opens");
        let heard = dir.path().join("heard");
        // A folder is in its way.
        fs::create_dir_all(heard.join("00.json/x")).expect("folder");
        assert!(folder.keep_heard("00", &alert(), 9, after(0)).is_err());
        assert!(!heard.join("00.part").exists());
        fs::remove_dir_all(heard.join("00.json")).expect("removed");
        for left in 0..9 {
            fs::write(heard.join(format!("{left}.part")), "{").expect("file");
        }
        assert!(folder.keep_heard("00", &Delivery::Findings(Vec::new()), 1, after(0)).expect("kept"));
        folder.sweep_heard();
        assert_eq!(fs::read_dir(&heard).expect("there").count(), 1);
    }

    #[test]
    fn what_was_looked_at_in_vain_is_looked_at_later_and_later_and_at_once_when_it_is_heard_again() {
        let dir = tempfile::tempdir().expect("scratch");
        let folder = Folder::open(dir.path()).expect("opens");
        folder.keep_heard("00", &alert(), 9, after(10)).expect("kept");
        let only = || folder.heard().pop().expect("one");
        let mut now = 10;
        for (seconds, is_last) in [(60, false), (300, false), (900, false), (3600, false), (3600, true), (3600, true)] {
            assert_eq!((only().is_last(), only().pause(after(now))), (is_last, None));
            folder.hear_again(&only(), after(now)).expect("kept");
            assert_eq!(only().pause(after(now)).map(|pause| pause.as_secs()), u64::try_from(seconds).ok());
            now += seconds;
        }
        folder.hear_again(&only(), after(9000)).expect("kept");
        assert_eq!(only().pause(after(0)), None, "the clock was set back");
        let read = only();
        folder.keep_heard("00", &alert(), 9, after(9001)).expect("kept");
        // Somebody looked meanwhile, and what is new is not lost.
        folder.settle(&read);
        folder.hear_again(&read, after(9001)).expect("nothing");
        assert!(only().is_new() && only().pause(after(9001)).is_none() && only().since() == after(10));
        folder.settle(&only());
        assert!(folder.heard().is_empty());
    }

    #[test]
    fn for_alerts_beyond_what_may_wait_one_mark_stands() {
        let dir = tempfile::tempdir().expect("scratch");
        let folder = Folder::open(dir.path()).expect("opens");
        let keep = |name: &str, delivery: &Delivery| folder.keep_heard(name, delivery, 2, after(0)).expect("written");
        assert!(keep("00", &alert()) && keep("01", &alert()) && keep("02", &alert()) && keep("03", &alert()));
        assert!(!keep("04", &Delivery::Findings(Vec::new())), "its sender comes again");
        assert!(keep("01", &alert()), "it has its place");
        let marks = folder.heard().into_iter().filter(|one| matches!(one.delivery(), Some(Delivery::Overflow(_)))).count();
        assert_eq!((marks, folder.heard().len()), (1, 3));
    }
}
