//! Jenkins: value → `environment`, a step or a script of a pipeline → the job that runs it; and a credential in the controller's own
//! configuration (`jenkins.yaml`, Configuration as Code) → its id → pipelines that ask for it with `credentials('ID')`
//! or `credentialsId: 'ID'` (jenkins.io/doc/book/pipeline/syntax, plugins.jenkins.io/configuration-as-code).
//!
//! Which file a job runs is set at the server; `Jenkinsfile` at the root is what it offers, and every other only hints. A job whose
//! pipeline asks for an id is declared to use it: another controller may have one of the same name.

mod groovy;

use std::collections::HashMap;
use std::sync::Arc;

use super::links::{Consumer, Link, Links};
use super::slots::{Slots, prints};
use super::yaml::View;
use super::{Clues, Place, Reader, Sheet, clean, ends_in, file_name, is_showable};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::{Roll, evidence};
use groovy::{TEXTS, Text, texts};

const NAME: &str = "Jenkinsfile";
/// Agents that are told of one pipeline.
const AGENTS: usize = 10;
/// Where Configuration as Code keeps what people call "the credentials".
const CREDENTIALS: [&str; 3] = ["credentials", "system", "domainCredentials"];
/// Steps that run what they are given.
const RUN: [&str; 5] = ["sh", "bat", "powershell", "pwsh", "sshCommand"];

/// What pipelines and controllers say.
#[derive(Default)]
pub(super) struct Jenkins {
    links: Links,
    /// Credentials of controllers, by their ids.
    kept: Slots<String>,
    /// Who asks for an id.
    asked: HashMap<String, Vec<(Place, Link)>>,
}

impl Reader for Jenkins {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        is_pipeline(path) || is_groovy(path) || ends_in(path, &["yaml", "yml"])
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        let declarative = || is_groovy(&sheet.path) && sheet.mentions("pipeline {") && sheet.mentions("agent");
        is_pipeline(&sheet.path) || declarative() || sheet.mentions("domainCredentials")
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        self.links.begin();
        if is_pipeline(&sheet.path) || is_groovy(&sheet.path) {
            match sheet.text() {
                Ok(text) => self.pipeline(sheet, text),
                Err(why) => coverage.trouble(&*sheet.path, why),
            }
        } else {
            sheet.documents(coverage, &mut |root| self.controller(sheet, root));
        }
        self.links.complain(sheet, coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        self.links.resolve(clues, roll);
        for (place, id, join) in self.kept.hits(clues) {
            for (at, link) in self.asked.get(id).into_iter().flatten() {
                if !roll.look() {
                    return;
                }
                let kept = evidence("jenkins-credential", place.to_string(), format!("{} ({})", clean(id), join.words()));
                link.consumer.join(
                    roll,
                    link.tier,
                    vec![kept, evidence(link.technique, at.to_string(), link.detail.clone())],
                );
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.links.merge(other.links);
        self.kept.merge(other.kept);
        for (id, asked) in other.asked {
            self.asked.entry(id).or_default().extend(asked);
        }
    }
}

fn is_pipeline(path: &str) -> bool {
    let name = file_name(path);
    let number = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    let more = |rest: &str| (rest.starts_with(['.', '_', '-']) && rest.len() > 1) || number(rest);
    name == NAME || name.strip_prefix(NAME).is_some_and(more) || ends_in(name, &["jenkinsfile"])
}

/// Groovy by any name: a pipeline where it says so.
fn is_groovy(path: &str) -> bool {
    ends_in(path, &["groovy", "jenkins"])
}

impl Jenkins {
    fn pipeline(&mut self, sheet: &Sheet<'_>, text: &str) {
        if !is_showable(&sheet.path) {
            return;
        }
        let inside = sheet.path.strip_prefix(sheet.root).unwrap_or(&sheet.path);
        let most = if inside == NAME { Tier::Bound } else { Tier::Inferred };
        let all = texts(text);
        if all.len() >= TEXTS {
            self.links.cut(&format!("it has more than {TEXTS} texts"));
        }
        let place = |one: &Text<'_>| Place {
            path: Arc::clone(&sheet.path),
            line: one.line,
            bytes: one.bytes.start as u64..one.bytes.end as u64,
        };
        let mut consumer = Consumer::new(format!("jenkins:{}", sheet.path), format!("pipeline {}", sheet.path));
        for agent in all.iter().filter(|one| one.is_agent()).take(AGENTS) {
            consumer.note("jenkins-agent", &place(agent), &text[agent.bytes.clone()]);
        }
        let consumer = Arc::new(consumer);
        for one in all {
            let place = place(&one);
            let value = &text[one.bytes.clone()];
            if is_id(one.head) {
                let link = Link::new(&consumer, most.min(Tier::Declared), "jenkins-credentials", one.way());
                if self.links.may_keep(value.len()) {
                    self.asked.entry(value.to_owned()).or_default().push((place, link));
                }
                continue;
            }
            let Some((technique, tier)) = one.kind() else { continue };
            let link = Link::new(&consumer, most.min(tier), technique, one.way());
            if technique == "jenkins-step" {
                self.links.put_script(sheet, &place, value, &link);
            } else {
                self.links.put_text(sheet, place, value, link);
            }
        }
    }

    /// The credentials that a controller is configured with: `{string: {id, secret}}` and the like.
    fn controller(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let consumer =
            Arc::new(Consumer::new(format!("jenkins:{}", sheet.path), format!("Jenkins configured by {}", sheet.path)));
        for domain in root.at(&CREDENTIALS).into_iter().flat_map(View::items) {
            for (kind, own) in domain.get("credentials").into_iter().flat_map(View::items).flat_map(View::entries) {
                let detail = clean(kind.text().unwrap_or("?"));
                own.leaves("", &mut |way, leaf| {
                    let Some(text) = leaf.text().filter(|_| !matches!(way, "id" | "description" | "scope")) else { return };
                    self.links.put(
                        sheet,
                        leaf,
                        Link::new(&consumer, Tier::Bound, "jenkins-controller", format!("{detail} {way}")),
                    );
                    if let Some(id) = own.text_at(&["id"]).filter(|_| self.links.may_keep(text.len())) {
                        self.kept.put(sheet.place(leaf), &prints(sheet.key, text.as_bytes()), id.to_owned());
                    }
                });
            }
        }
    }
}

/// Whether what comes next is the id of a credential and not one itself.
fn is_id(head: &str) -> bool {
    head.ends_with("credentials(") || head.trim_end_matches([':', ' ', '(']).ends_with("credentialsId")
}

impl Text<'_> {
    /// Whether it says where the job runs: `agent { label 'x' }`, `node('x')`.
    fn is_agent(&self) -> bool {
        let within = self.within.iter().any(|own| own.starts_with("agent"));
        self.head == "node(" || self.head.ends_with("label") && within || self.head == "image" && within
    }

    /// What a text is, and how sure it can be at most that the job uses it.
    fn kind(&self) -> Option<(&'static str, Tier)> {
        let block = |name: &str| self.within.contains(&name);
        let first = self.head.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        // Names for people, and what decides whether a stage runs.
        let off = self.within.contains(&"when") || ["stage", "label", "description", "triggers"].contains(&first);
        if off {
            return None;
        }
        // A function may be called by nobody.
        if self.within.iter().any(|own| own.starts_with("def ")) {
            return Some(("jenkins-script", Tier::Inferred));
        }
        // Defaults that whoever starts the job may overwrite.
        if block("parameters") || first == "parameters" {
            return Some(("jenkins-parameter", Tier::Inferred));
        }
        if block("environment") {
            return Some(("jenkins-environment", Tier::Bound));
        }
        if first == "withEnv" || self.head.starts_with("env.") && self.head.ends_with('=') {
            return Some(("jenkins-environment", Tier::Bound));
        }
        if RUN.contains(&first) {
            return Some(("jenkins-step", Tier::Bound));
        }
        Some(("jenkins-script", Tier::Inferred))
    }

    /// Where it stands, in words: the stage, the agent's block, and the statement's first word or the variable it sets.
    fn way(&self) -> String {
        let stage = self
            .within
            .iter()
            .rev()
            .find_map(|own| own.strip_prefix("stage("))
            .map(|own| format!("stage {}: ", clean(own.trim_matches(['(', ')', '\'', '"', ' ']))));
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let first: String = self.head.chars().take_while(|c| word(*c)).collect();
        let block = if self.within.last() == Some(&"environment") { "environment " } else { "" };
        format!("{}{block}{}", stage.unwrap_or_default(), clean(&first)).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{self, Bound, Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    fn named(path: &str, text: &str) -> Vec<(String, Tier)> {
        let owners = tree(&[(path, text)]).resolve(&finding(VALUE));
        consumers(&owners).into_iter().map(|(id, tier)| (id.to_owned(), tier)).collect()
    }

    #[test]
    fn a_pipeline_uses_what_stands_in_it() {
        for (body, tier) in [
            (format!("pipeline {{ agent any\n environment {{ K = '{VALUE}' }}\n stages {{ }} }}"), Some(Bound)),
            (format!("pipeline {{ stages {{ stage('A') {{ environment {{ K = \"{VALUE}\" }} }} }} }}"), Some(Bound)),
            (format!("node {{ stage('A') {{ sh 'curl -u x:{VALUE} y' }} }}"), None),
            (format!("node {{ stage('A') {{ sh \"\"\"\ncurl\n--token={VALUE}\n\"\"\" }} }}"), Some(Bound)),
            (format!("node {{ withEnv(['K={VALUE}']) {{ sh 'x' }} }}"), Some(Bound)),
            (format!("node {{ env.K = '{VALUE}' }}"), Some(Bound)),
            (format!("def key = '{VALUE}'\nnode {{ sh 'x' }}"), Some(Inferred)),
            (format!("def deploy() {{ sh 'x --token={VALUE}' }}\nnode {{ sh 'x' }}"), Some(Inferred)),
            (format!("pipeline {{ parameters {{ string(name: 'K', defaultValue: '{VALUE}') }} }}"), Some(Inferred)),
            (format!("// K = '{VALUE}'\nnode {{ }}"), None),
            (format!("/* env.K = '{VALUE}' */ node {{ }}"), None),
            (format!("node {{ sh '''\n# curl --token={VALUE}\nmake\n''' }}"), None),
            (format!("pipeline {{ environment {{ K = credentials('{VALUE}') }} }}"), None),
        ] {
            let expected = |path: &str, most: Tier| -> Vec<(String, Tier)> {
                tier.map(|tier| (format!("jenkins:{path}"), tier.min(most))).into_iter().collect()
            };
            if body.contains("-u x:") {
                // Not a word by itself: met by its place.
                let owners = tree(&[("Jenkinsfile", &body)]).resolve(&finding_in("Jenkinsfile", &body, VALUE));
                assert_eq!(consumers(&owners), [("jenkins:Jenkinsfile", Bound)]);
                continue;
            }
            assert_eq!(named("Jenkinsfile", &body), expected("Jenkinsfile", Bound), "{body}");
            assert_eq!(named("ci/Jenkinsfile.release", &body), expected("ci/Jenkinsfile.release", Inferred), "{body}");
            assert_eq!(named("Jenkinsfile_nightly", &body), expected("Jenkinsfile_nightly", Inferred), "{body}");
            assert_eq!(named("Jenkinsfile2", &body), expected("Jenkinsfile2", Inferred), "{body}");
            assert_eq!(named("Jenkinsfile.md5sum.txt/x", &body), []);
            assert_eq!(named("Jenkinsfiles", &body), []);
        }
    }

    #[test]
    fn groovy_by_another_name_is_a_pipeline_where_it_says_so() {
        let body = format!("pipeline {{\n agent any\n environment {{ K = '{VALUE}' }}\n}}\n");
        assert_eq!(named("ci/deploy.groovy", &body), [("jenkins:ci/deploy.groovy".to_owned(), Inferred)]);
        assert_eq!(named("src/Main.groovy", &format!("class A {{ def k = '{VALUE}' }}\n")), []);
    }

    #[test]
    fn where_the_job_runs_is_told() {
        for agent in ["agent { label 'linux' }", "agent { docker { image 'linux' } }"] {
            let text = format!("pipeline {{ {agent}\n environment {{ K = '{VALUE}' }} }}");
            let owners = tree(&[("Jenkinsfile", &text)]).resolve(&finding(VALUE));
            let told = owners[0].evidence.iter().find(|why| why.technique == "jenkins-agent");
            assert_eq!(told.map(|why| why.value.as_str()), Some("linux"), "{text}");
        }
    }

    #[test]
    fn a_controller_s_credential_reaches_the_pipelines_that_ask_for_it() {
        let casc = format!(
            "credentials:\n  system:\n    domainCredentials:\n    - credentials:\n      - string: {{id: hub, secret: {VALUE}}}\n      - usernamePassword: {{id: other, username: u, password: another}}\n"
        );
        let declarative = "pipeline { environment { T = credentials('hub') } }";
        let scripted = "node { withCredentials([string(credentialsId: 'hub', variable: 'T')]) { sh 'x' } }";
        let other = "pipeline { environment { T = credentials('other') } }";
        let controller = ("jenkins:casc/jenkins.yaml", Bound);
        for (text, asks) in [(declarative, true), (scripted, true), (other, false), ("node { sh 'hub' }", false)] {
            let owners = tree(&[("casc/jenkins.yaml", &casc), ("Jenkinsfile", text)]).resolve(&finding(VALUE));
            let expected = [controller, ("jenkins:Jenkinsfile", Declared)];
            assert_eq!(consumers(&owners), &expected[..=usize::from(asks)], "{text}");
        }
    }
}
