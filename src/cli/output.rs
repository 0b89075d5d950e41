//! Where results and remarks go.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context;

use super::args::Color;
use super::masking::masked;
use crate::report::{Look, clean};

/// Writes a result: to standard output, to a file that appears only when it is whole, or into what is there and no file: a device, a pipe.
pub(super) enum Output {
    Stdout(BufWriter<io::Stdout>),
    Straight { writer: BufWriter<File>, path: PathBuf },
    File { writer: BufWriter<File>, scratch: PathBuf, path: PathBuf },
}

impl Output {
    /// Opens the place for a result.
    pub(super) fn open(path: Option<&PathBuf>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Stdout(BufWriter::new(io::stdout()))) };
        // What a link points to is written, not the link; and nothing takes the place of `/dev/null`, or of a pipe that somebody reads.
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let path = &real;
        if path.metadata().is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
            let file =
                OpenOptions::new().write(true).open(path).with_context(|| format!("cannot write {}", path.display()))?;
            return Ok(Self::Straight { writer: BufWriter::new(file), path: path.clone() });
        }
        let mut name = path.file_name().context("--output names no file")?.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let scratch = path.with_file_name(name);
        let file = File::create(&scratch).with_context(|| format!("cannot write {}", scratch.display()))?;
        Ok(Self::File { writer: BufWriter::new(file), scratch, path: path.clone() })
    }

    /// Writes through `write` and makes it final. A closed pipe or a full disk is an error, not success.
    pub(super) fn write(mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        let done = match &mut self {
            Self::Stdout(writer) => write(writer).and_then(|()| writer.flush()),
            Self::Straight { writer, .. } => write(writer).and_then(|()| writer.flush()),
            Self::File { writer, .. } => {
                write(writer).and_then(|()| writer.flush()).and_then(|()| writer.get_ref().sync_all())
            }
        };
        match self {
            Self::Stdout(writer) => {
                // A failed buffer would be flushed, and fail, once more when dropped.
                let _ = writer.into_parts();
                done.context("cannot write the result")
            }
            Self::Straight { writer, path } => {
                let _ = writer.into_parts();
                done.with_context(|| format!("cannot write {}", path.display()))
            }
            Self::File { scratch, path, .. } => {
                let moved = done.and_then(|()| std::fs::rename(&scratch, &path));
                if moved.is_err() {
                    let _ = std::fs::remove_file(&scratch);
                }
                moved.with_context(|| format!("cannot write {}", path.display()))
            }
        }
    }
}

/// Writes what `make` makes to standard output.
pub(super) fn print(make: impl FnOnce(&mut Vec<u8>)) -> anyhow::Result<()> {
    let mut text = Vec::new();
    make(&mut text);
    Output::open(None)?.write(|out| out.write_all(&text))
}

/// Whether to use colours on standard output.
pub(super) fn look(color: Color, no_color: bool, to_file: bool, verbose: u8) -> Look {
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !no_color && !to_file && io::stdout().is_terminal(),
    };
    Look { color, verbose: verbose > 0 }
}

/// A remark on standard error. A closed standard error is nobody's business.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// An error with its causes, on standard error.
pub(super) fn complain(error: &anyhow::Error) {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some say their cause themselves.
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    // Whoever gave a key for a fingerprint does not see it again.
    let text = masked(&text);
    // Lists of mistakes are several lines on purpose; each is cleaned by itself.
    let lines: Vec<String> = text.lines().map(clean).collect();
    say(&format!("staunch: {}", lines.join("\n")));
}
