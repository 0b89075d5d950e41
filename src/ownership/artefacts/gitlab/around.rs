//! Pipelines in several files: what the root's file includes by a local path is one pipeline with it, and so is what a job triggers
//! (docs.gitlab.com, "include:local", "extends", "trigger:include"). Jobs extend templates of the other files, and get their variables.
//! Declared: what else is included may set the same otherwise.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use super::super::links::{Consumer, Links};
use super::super::slots::{Slots, prints_within};
use super::super::yaml::View;
use super::super::{Clues, Place, Sheet, clean, copies, join};
use super::jobs::{SCRIPT_LEVELS, lines};
use super::value_of;
use crate::model::{Evidence, Tier};
use crate::ownership::roll::{Roll, evidence};

/// Files that are compared with patterns, all together.
const LOOKS: usize = 1_000_000;
/// Files of one pipeline; GitLab allows 150.
const FILES: usize = 150;
/// GitLab allows eleven levels of `extends`.
const LEVELS: usize = 11;
/// What a pipeline says for all of its jobs.
pub(super) const ALL: &str = "variables";

/// What files say for jobs of other files.
#[derive(Default)]
pub(super) struct Around {
    /// The files that a file includes, or patterns of them.
    includes: BTreeMap<String, BTreeSet<String>>,
    pieces: Slots<Piece>,
    /// Who asks for a template that is not in its file, or for what is said for all.
    asks: HashMap<String, Vec<Ask>>,
    /// Jobs of files that GitLab does not read by themselves.
    pub(super) elsewhere: BTreeMap<String, Links>,
    /// Every file that includes others, with all that is in its pipeline; worked out once all are read.
    pipelines: OnceLock<Vec<Pipeline>>,
}

/// A file, and those of its pipeline with itself.
type Pipeline = (String, BTreeSet<String>);

/// A value in a template, or one for all jobs.
struct Piece {
    of: String,
    variable: Option<String>,
}

struct Ask {
    at: Place,
    user: User,
    /// Variables that the job sets itself.
    own: Arc<BTreeSet<String>>,
}

enum User {
    Job(Arc<Consumer>, Tier),
    Template(String),
}

impl Around {
    /// Remembers what a file includes.
    pub(super) fn include(&mut self, sheet: &Sheet<'_>, include: View<'_>) {
        let own = self.includes.entry(sheet.path.to_string()).or_default();
        for entry in [include].into_iter().chain(include.items()) {
            let local = entry.text().or_else(|| entry.text_at(&["local"])).filter(|path| !path.contains("://"));
            let Some(path) = local.and_then(|path| join(sheet.root.trim_end_matches('/'), path.trim_start_matches('/')))
            else {
                continue;
            };
            if own.len() < FILES {
                own.insert(path);
            }
        }
    }

    /// Remembers the values of a template or of a job, which others may extend.
    pub(super) fn template(
        &mut self,
        (sheet, root): (&Sheet<'_>, View<'_>),
        (name, job): (&str, View<'_>),
        links: &mut Links,
    ) {
        for (variable, value) in job.get("variables").map(View::entries).unwrap_or_default() {
            self.piece((sheet, links), value_of(value), (name, variable.text()));
        }
        for field in ["before_script", "script", "after_script"] {
            let Some(script) = job.get(field) else { continue };
            lines((root, script), SCRIPT_LEVELS, &mut |line| self.piece((sheet, &mut *links), line, (name, None)));
        }
        let extends = job.get("extends");
        for other in extends.into_iter().flat_map(|extends| [extends].into_iter().chain(extends.items())) {
            let Some(base) = other.text().filter(|base| links.may_keep(base.len())) else { continue };
            let ask = Ask { at: sheet.place(other), user: User::Template(name.to_owned()), own: Arc::default() };
            self.asks.entry(base.to_owned()).or_default().push(ask);
        }
    }

    /// Remembers what a file says for all jobs.
    pub(super) fn all(&mut self, sheet: &Sheet<'_>, root: View<'_>, links: &mut Links) {
        for (variable, value) in root.get("variables").map(View::entries).unwrap_or_default() {
            self.piece((sheet, links), value_of(value), (ALL, variable.text()));
        }
        for way in [&["before_script"][..], &["after_script"], &["default", "before_script"], &["default", "after_script"]] {
            let Some(script) = root.at(way) else { continue };
            lines((root, script), SCRIPT_LEVELS, &mut |line| self.piece((sheet, &mut *links), line, (ALL, None)));
        }
    }

    fn piece(&mut self, (sheet, links): (&Sheet<'_>, &mut Links), value: View<'_>, (of, variable): (&str, Option<&str>)) {
        let Some(text) = value.text().filter(|text| !text.is_empty() && links.may_keep(text.len())) else { return };
        let piece = Piece { of: of.to_owned(), variable: variable.map(str::to_owned) };
        self.pieces.put(sheet.place(value), &prints_within(sheet.key, text), piece);
    }

    /// A job gets what others say under that name.
    pub(super) fn ask(&mut self, name: &str, at: &Place, (job, tier): (&Arc<Consumer>, Tier), own: &Arc<BTreeSet<String>>) {
        let ask = Ask { at: at.clone(), user: User::Job(Arc::clone(job), tier), own: Arc::clone(own) };
        self.asks.entry(name.to_owned()).or_default().push(ask);
    }

    pub(super) fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        let hits = self.pieces.hits(clues);
        if hits.is_empty() && self.elsewhere.is_empty() || self.includes.is_empty() {
            return;
        }
        let pipelines = self.pipelines.get_or_init(|| self.pipelines());
        for (place, piece, join) in hits {
            let what =
                piece.variable.as_deref().map_or_else(|| "script".to_owned(), |name| format!("variable {}", clean(name)));
            let first = evidence(
                "gitlab-ci-other-file",
                place.to_string(),
                format!("{what} of {} ({})", clean(&piece.of), join.words()),
            );
            let mut met = HashSet::new();
            self.follow((&piece.of, piece), (&place.path, pipelines), (&[first], LEVELS), (&mut met, roll));
        }
        for (path, links) in &self.elsewhere {
            if pipelines.iter().any(|(top, files)| top != path && files.contains(path)) {
                links.resolve(clues, roll);
            }
        }
    }

    fn follow<'s>(
        &'s self,
        (name, piece): (&'s str, &Piece),
        (path, pipelines): (&str, &[Pipeline]),
        (why, left): (&[Evidence], usize),
        (met, roll): (&mut HashSet<&'s str>, &mut Roll),
    ) {
        if left == 0 || !met.insert(name) {
            return;
        }
        for ask in self.asks.get(name).into_iter().flatten() {
            if !roll.look() {
                return;
            }
            let together = |(_, files): &Pipeline| files.contains(path) && files.contains(&*ask.at.path);
            let hidden = piece.variable.as_ref().is_some_and(|variable| ask.own.contains(variable));
            if hidden || !pipelines.iter().any(together) {
                continue;
            }
            let mut why = why.to_vec();
            why.push(evidence("gitlab-ci-include", ask.at.to_string(), format!("gets {}", clean(name))));
            match &ask.user {
                // The job's own file says it as well: that is the file's own reader's.
                User::Job(_, _) if *ask.at.path == *path && name == ALL => {}
                User::Job(job, tier) => job.join(roll, (*tier).min(Tier::Declared), why),
                User::Template(next) => {
                    self.follow((next, piece), (path, pipelines), (&why, left - 1), (&mut *met, &mut *roll));
                }
            }
        }
    }

    fn pipelines(&self) -> Vec<Pipeline> {
        let own = self.elsewhere.keys().chain(self.includes.keys()).map(String::as_str);
        let known: BTreeSet<&str> = self.pieces.paths().chain(own).collect();
        let (mut all, mut left) = (Vec::new(), LOOKS);
        for top in self.includes.keys() {
            let (mut files, mut queue) = (BTreeSet::from([top.clone()]), vec![top.as_str()]);
            while let Some(file) = queue.pop() {
                for pattern in self.includes.get(file).into_iter().flatten() {
                    let wild = pattern.contains('*');
                    let exact = known.get(pattern.as_str()).copied().filter(|_| !wild);
                    let wide = known.iter().copied().take(if wild { left } else { 0 });
                    left -= if wild { known.len().min(left) } else { usize::from(left > 0) };
                    for found in exact.into_iter().chain(wide.filter(|path| copies::glob(pattern, path))) {
                        if files.len() < FILES && files.insert(found.to_owned()) {
                            queue.push(found);
                        }
                    }
                }
            }
            all.push((top.clone(), files));
        }
        all
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.pieces.merge(other.pieces);
        for (file, files) in other.includes {
            self.includes.entry(file).or_default().extend(files);
        }
        for (name, asks) in other.asks {
            self.asks.entry(name).or_default().extend(asks);
        }
        for (path, links) in other.elsewhere {
            self.elsewhere.entry(path).or_default().merge(links);
        }
    }
}
