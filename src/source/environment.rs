//! Environments of processes, a variable a line. This process's own is handed in; those of others are read where Linux allows
//! it: one's own processes, or all for root.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Entry, Visit};
use crate::model::Provenance;

/// How this process's own environment is shown.
const OWN: &str = "<environment>";

/// Pushes an environment that was handed in: `NAME=value`, a line each.
pub fn own(text: &[u8], visit: &mut dyn Visit) {
    visit.file(&Entry { path: OWN, provenance: &Provenance::Environment }, &mut &*text);
}

/// Pushes the environment of every process below `proc`, which is `/proc`. Those that one may not look at are skipped; those
/// that have ended meanwhile are nothing.
pub fn processes(proc: &Path, visit: &mut dyn Visit) {
    let entries = match std::fs::read_dir(proc) {
        Ok(entries) => entries,
        Err(error) => return visit.trouble(&proc.to_string_lossy(), &format!("no list of processes: {error}")),
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if visit.is_stopped() || !name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        let path = entry.path().join("environ");
        let shown = path.to_string_lossy();
        // Whether one may is only known once a byte was asked for.
        let mut first = [0; 1];
        let opened = File::open(&path).and_then(|mut file| file.read(&mut first).map(|got| (file, got)));
        match opened {
            Ok((file, got)) => {
                let text = Zeros((&first[..got]).chain(file));
                visit.file(&Entry { path: &shown, provenance: &Provenance::Environment }, &mut { text });
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                visit.skip("environment of another user's process");
            }
            // ESRCH, which has no kind of its own: the process has ended.
            Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(3) => {}
            Err(error) => visit.trouble(&shown, &error.to_string()),
        }
    }
}

/// What is separated by zeros, separated by line feeds: of the same length, so that places stay right.
struct Zeros<R>(R);

impl<R: Read> Read for Zeros<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.0.read(into)?;
        into[..got].iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b'\n');
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{own, processes};
    use crate::source::{Entry, Visit};

    #[derive(Default)]
    struct Seen(Vec<(String, String)>, usize, Vec<String>);

    impl Visit for Seen {
        fn file(&mut self, file: &Entry<'_>, reader: &mut dyn Read) {
            let mut text = String::new();
            reader.read_to_string(&mut text).expect("text");
            self.0.push((file.path.to_owned(), text));
        }
        fn skip(&mut self, _reason: &str) {
            self.1 += 1;
        }
        fn trouble(&mut self, path: &str, _why: &str) {
            self.2.push(path.to_owned());
        }
        fn is_stopped(&self) -> bool {
            false
        }
    }

    #[test]
    fn every_process_is_read_a_variable_a_line() {
        let proc = tempfile::tempdir().expect("scratch");
        for (folder, text) in [("12", "A=1\0B=2\0"), ("13", ""), ("self", "A=3\0"), ("net", "")] {
            std::fs::create_dir(proc.path().join(folder)).expect("folder");
            std::fs::write(proc.path().join(folder).join("environ"), text).expect("file");
        }
        std::fs::create_dir(proc.path().join("14")).expect("one that has ended");
        let mut seen = Seen::default();
        processes(proc.path(), &mut seen);
        own(b"C=4\n", &mut seen);
        seen.0.sort();
        let texts: Vec<&str> = seen.0.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!((texts, seen.1, seen.2.len()), (vec!["A=1\nB=2\n", "", "C=4\n"], 0, 0));
        let mut none = Seen::default();
        processes(&proc.path().join("absent"), &mut none);
        assert_eq!(none.2.len(), 1);
    }
}
