//! Flags that quiet a scan: whose word counts, and which files of what was known before.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::FalseyValueParser;

use super::output::{Output, say};
use super::settings::Settings;
use crate::config::{Baseline, Known};
use crate::detect::DetectorSet;
use crate::scan::{Allowing, Baselines, BaselinesError, Gathered, Loaded, Trust};
use crate::secret::{FingerprintKey, Salt, Scrubber};

/// No list of this kind is larger; a mistaken name (a disk image, a device) must not fill the memory.
const LARGEST: u64 = 64 << 20;

/// Whose word counts, and what was known before.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Quieting {
    /// Do not trust the targets: what their `.staunch.toml` and markers would allow is reported, and counted.
    #[arg(long, env = "STAUNCH_UNTRUSTED", value_parser = FalseyValueParser::new())]
    pub(super) untrusted: bool,
    /// Report what a marker in its line (`staunch:allow`, `gitleaks:allow`, …) would allow, and count it.
    #[arg(long, env = "STAUNCH_NO_INLINE_ALLOW", value_parser = FalseyValueParser::new())]
    pub(super) no_inline_allow: bool,
    /// Do not report what this file knows: one of --write-baseline, a .gitleaksignore, a .secrets.baseline.
    #[arg(long, env = "STAUNCH_BASELINE", value_name = "FILE", value_delimiter = ',')]
    pub(super) baseline: Vec<PathBuf>,
    /// Write what is found now, as digests without places, for --baseline.
    #[arg(long, env = "STAUNCH_WRITE_BASELINE", value_name = "FILE")]
    pub(super) write_baseline: Option<PathBuf>,
}

impl Quieting {
    /// Nobody's word counts: for credentials that the user hands in to have them looked at.
    pub(super) fn none() -> Self {
        Self { untrusted: true, no_inline_allow: true, ..Self::default() }
    }

    /// Reads what is allowed, before anything is scanned.
    pub(super) fn begin<'s>(
        &self,
        targets: &[PathBuf],
        settings: &Settings,
        (set, key): (&'s DetectorSet, &'s FingerprintKey),
    ) -> anyhow::Result<(Allowing<'s>, Before)> {
        let (trees, inline) = (!self.untrusted, !self.no_inline_allow);
        let trust = Trust { trees, inline, set, key, now: settings.clock.now() };
        let allowing = Allowing::read(targets, &trust)
            .context("a tree's own settings have mistakes (--untrusted scans without them)")?;
        let loaded = self.baseline.iter().map(|path| load(path)).collect::<anyhow::Result<_>>()?;
        let baselines = Baselines::new(loaded, settings.jobs)?;
        let destination = self.write_baseline.as_deref().map(Destination::open).transpose()?;
        Ok((allowing, Before { baselines, destination }))
    }
}

/// What was known before, and where what is known now is to be written.
pub(super) struct Before {
    baselines: Baselines,
    destination: Option<Destination>,
}

/// A baseline about to be written.
struct Destination {
    path: PathBuf,
    /// Of the baseline that is there already: with the same one, what has changed is what a reviewer sees.
    salt: Option<Salt>,
}

/// A baseline that is made and not yet written.
pub(super) type Made = Option<Result<Known, BaselinesError>>;

impl Before {
    /// Takes what was known from what was gathered, and makes the new baseline.
    pub(super) fn apply(&mut self, gathered: &mut Gathered, stop: &AtomicBool) -> Made {
        self.baselines.apply(gathered, stop);
        let destination = self.destination.as_ref()?;
        Some(self.baselines.of(gathered, destination.salt, stop))
    }

    /// Writes the new baseline and says what there is to say.
    pub(super) fn finish(
        self,
        made: Made,
        (gathered, allowing, scrubber): (&Gathered, &Allowing<'_>, &Scrubber),
        settings: &Settings,
    ) -> anyhow::Result<()> {
        let mut remarks = [allowing.remarks(), &self.baselines.remarks()].concat();
        if settings.verbose > 0 {
            remarks.extend(allowing.unused());
            remarks.extend(self.baselines.unused());
        }
        if let Some((destination, known)) = self.destination.zip(made) {
            let known = known.with_context(|| destination.path.display().to_string())?;
            let text = known.to_text()?;
            Output::open(Some(&destination.path))?.write(|out| out.write_all(text.as_bytes()))?;
            let incomplete = if gathered.coverage.is_complete() { "" } else { ", of an INCOMPLETE scan" };
            remarks.push(format!("{}: wrote {} digest(s){incomplete}", destination.path.display(), known.digests.len()));
        }
        for remark in remarks.iter().filter(|_| !settings.quiet) {
            say(&crate::report::clean(&format!("staunch: {}", scrubber.scrub(remark))));
        }
        Ok(())
    }
}

impl Destination {
    /// Makes sure, before a long scan, that the file may be replaced.
    fn open(path: &Path) -> anyhow::Result<Self> {
        let salt = match read(path) {
            Ok(text) => match Baseline::read(&text) {
                Ok(Baseline::Known(known)) => Some(known.salt),
                _ => bail!("{} is there and no baseline of staunch; it is not overwritten", path.display()),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("cannot replace {}", path.display())),
        };
        Ok(Self { path: path.to_owned(), salt })
    }
}

fn load(path: &Path) -> anyhow::Result<Loaded> {
    let file = path.display().to_string();
    let text = read(path).with_context(|| format!("cannot read the baseline {file}"))?;
    let baseline = Baseline::read(&text).with_context(|| format!("{file} is no baseline"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().with_context(|| format!("cannot read the baseline {file}"))?;
    Ok(Loaded { file, folder, baseline })
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(std::io::Error::other(format!("larger than {} MiB", LARGEST >> 20)));
    }
    Ok(text)
}
