//! Scripts that make Secrets and ConfigMaps: value → `kubectl create secret generic NAME --from-literal=KEY=…`, `--from-env-file`,
//! `--from-file` (kubernetes.io, "kubectl create secret generic") → who refers to that Secret. Also `oc create`.
//!
//! Whether a script is run, and against which cluster, is not in the tree: declared where the script lies beside the manifest or
//! both name one namespace, inferred elsewhere, and nobody where the manifest's own folder defines the Secret.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::allowance::Allowance;
use super::super::shell::{self, Dialect, Word};
use super::super::slots::{Join, Slots, prints_within};
use super::super::{Clues, Place, Sheet, copies, ends_in, file_name, folder, join};
use super::hubs::HubKind;
use super::pods::Use;
use super::{Kubernetes, is_name};
use crate::model::{Evidence, Tier};
use crate::ownership::roll::{Roll, clean, evidence};

/// What talks to a cluster.
const CLIENTS: &[&str] = &["kubectl", "oc", "k", "kubecolor", "microk8s.kubectl"];
/// Options of theirs that the next word belongs to.
const VALUED: &[&str] = &[
    "--namespace",
    "-n",
    "--context",
    "--kubeconfig",
    "--cluster",
    "--user",
    "--type",
    "--output",
    "-o",
    "--field-manager",
    "--as",
    "--server",
    "-s",
    "--from-literal",
    "--from-file",
    "--from-env-file",
    "--docker-server",
    "--docker-username",
    "--docker-password",
    "--docker-email",
    "--cert",
    "--key",
];

/// Every Secret and ConfigMap that scripts make.
#[derive(Default)]
pub(super) struct Scripts {
    literals: Slots<Made>,
    /// Env files whose variables are the keys, and files that are a key's value.
    envs: HashMap<String, Vec<Made>>,
    files: HashMap<String, Vec<Made>>,
    /// Variables that a value is taken from, by the env file that may set them.
    asked: HashMap<(String, String), Vec<Made>>,
}

/// One key of what is made, or all of them where it is empty.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) kind: HubKind,
    pub(super) name: Arc<str>,
    namespace: Option<Arc<str>>,
    key: String,
    at: Place,
}

impl Made {
    fn evidence(&self, key: &str, join: Join) -> Evidence {
        let namespace = self.namespace.as_ref().map(|own| format!("{own}/")).unwrap_or_default();
        let value = format!("makes {} {namespace}{} key {key} ({})", self.kind.word(), self.name, join.words());
        evidence("k8s-script", self.at.to_string(), value)
    }
}

/// Whether a file of that name may be such a script.
pub(super) fn is_one(path: &str) -> bool {
    let name = file_name(path);
    ends_in(path, &["sh", "bash", "zsh", "ksh", "mk", "ps1", "bat", "cmd"])
        || matches!(name, "Makefile" | "makefile" | "GNUmakefile" | "justfile" | "Justfile")
}

/// Whether it makes one, or writes manifests down.
pub(super) fn concerns(sheet: &Sheet<'_>) -> bool {
    makes(sheet) || writes(sheet)
}

/// Whether manifests stand in it.
pub(super) fn writes(sheet: &Sheet<'_>) -> bool {
    ends_in(&sheet.path, &["sh", "bash", "zsh"]) && ["<<", "apiVersion:", "kind:"].iter().all(|word| sheet.mentions(word))
}

/// Whether it makes one by a command.
pub(super) fn makes(sheet: &Sheet<'_>) -> bool {
    sheet.mentions("create")
        && (sheet.mentions("--from-") || sheet.mentions("--docker-password"))
        && (sheet.mentions("secret") || sheet.mentions("configmap"))
}

impl Scripts {
    /// Takes in one script.
    pub(super) fn read(&mut self, sheet: &Sheet<'_>, text: &str, allowance: &mut Allowance) {
        let dialect = Dialect::of(&sheet.path);
        let commands = shell::commands(text, dialect);
        let set = shell::assigned(&commands, dialect);
        let sourced = sourced(sheet, &commands);
        for command in &commands {
            let Some(found) = made(command, &set) else { continue };
            let base = |key: &str, at: &Word<'_>| Made {
                kind: found.kind,
                name: Arc::from(found.name.as_str()),
                namespace: found.namespace.as_deref().map(Arc::from),
                key: clean(key),
                at: at.place(sheet),
            };
            for (option, value, word) in &found.options {
                if !allowance.take(value.len()) {
                    return;
                }
                let (key, rest) = value.split_once('=').unwrap_or(("", value));
                match *option {
                    "--from-literal" if !key.is_empty() => {
                        let made = base(key, word);
                        let name = shell::variable(rest);
                        if let Some(own) = name.and_then(|name| set.get(name))
                            && let Some((_, text)) = own.text.split_once('=')
                        {
                            self.literals.put(own.place(sheet), &prints_within(sheet.key, text), made.clone());
                        }
                        for file in sourced.iter().filter(|_| name.is_some()) {
                            let asked = (file.clone(), name.unwrap_or_default().to_owned());
                            self.asked.entry(asked).or_default().push(made.clone());
                        }
                        self.literals.put(word.place(sheet), &prints_within(sheet.key, rest), made);
                    }
                    "--docker-password" => {
                        self.literals.put(
                            word.place(sheet),
                            &prints_within(sheet.key, value),
                            base(".dockerconfigjson", word),
                        );
                    }
                    "--from-env-file" => {
                        for file in near(sheet, value) {
                            self.envs.entry(file).or_default().push(base("", word));
                        }
                    }
                    "--from-file" | "--cert" | "--key" => {
                        let (key, file) = match *option {
                            "--cert" => ("tls.crt", &**value),
                            "--key" => ("tls.key", &**value),
                            _ if key.is_empty() => (file_name(rest), rest),
                            _ => (key, rest),
                        };
                        for path in near(sheet, file) {
                            self.files.entry(path).or_default().push(base(key, word));
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// The keys that a finding meets: `variables` are those of env files.
    pub(super) fn met<'m>(&'m self, variables: &Slots<String>, clues: &Clues<'_>) -> Vec<(&'m Made, String, Vec<Evidence>)> {
        let mut met = Vec::new();
        for (_, made, join) in self.literals.hits(clues) {
            met.push((made, made.key.clone(), vec![made.evidence(&made.key, join)]));
        }
        if !self.envs.is_empty() || !self.asked.is_empty() {
            for (place, variable, join) in variables.hits(clues) {
                let seen = evidence("dotenv-variable", place.to_string(), format!("{variable} ({})", join.words()));
                for made in self.envs.get(&*place.path).into_iter().flatten() {
                    met.push((made, variable.clone(), vec![seen.clone(), made.evidence(variable, join)]));
                }
                for made in self.asked.get(&(place.path.to_string(), variable.clone())).into_iter().flatten() {
                    met.push((made, made.key.clone(), vec![seen.clone(), made.evidence(&made.key, join)]));
                }
            }
        }
        for path in clues.paths() {
            for made in self.files.get(path).into_iter().flatten() {
                met.push((made, made.key.clone(), vec![made.evidence(&made.key, Join::Place)]));
            }
        }
        met
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.literals.merge(other.literals);
        for (own, others) in [(&mut self.envs, other.envs), (&mut self.files, other.files)] {
            for (file, made) in others {
                own.entry(file).or_default().extend(made);
            }
        }
        for (variable, made) in other.asked {
            self.asked.entry(variable).or_default().extend(made);
        }
    }
}

impl Kubernetes {
    /// Names who refers to what scripts make. False where there is too much to look at.
    pub(super) fn scripted(&self, clues: &Clues<'_>, pairs: &mut usize, roll: &mut Roll) -> bool {
        for (made, key, why) in self.scripts.met(self.generators.variables(), clues) {
            for used in self.uses.get(&(made.kind, Arc::clone(&made.name))).into_iter().flatten() {
                *pairs += 1;
                if *pairs > super::PAIRS {
                    roll.cut();
                    return false;
                }
                if let Some(tier) = self.reaches(made, used).filter(|_| used.wants(&key)) {
                    let mut why = why.clone();
                    why.push(used.evidence(&key));
                    self.join((&used.container, Some(&made.at.path)), roll, tier.min(used.most), why);
                }
            }
        }
        true
    }

    fn reaches(&self, made: &Made, used: &Use) -> Option<Tier> {
        let scope = &used.container.scope;
        let own = folder(&made.at.path);
        if let (Some(one), Some(other)) = (&made.namespace, &scope.namespace) {
            return (one == other).then_some(Tier::Declared);
        }
        let folders = self.nowhere.get(&(made.kind, Arc::clone(&made.name)));
        if folders.is_some_and(|folders| folders.contains(&scope.folder)) {
            return None;
        }
        Some(if own == &*scope.folder { Tier::Declared } else { Tier::Inferred })
    }
}

/// What one command makes.
struct Found<'c, 't> {
    kind: HubKind,
    name: String,
    namespace: Option<String>,
    /// Option, value, and the word that holds it.
    options: Vec<(&'static str, String, &'c Word<'t>)>,
}

fn made<'c, 't>(command: &'c [Word<'t>], set: &HashMap<String, &'c Word<'t>>) -> Option<Found<'c, 't>> {
    let at = command.iter().position(|word| CLIENTS.contains(&file_name(&word.text).trim_start_matches('@')))?;
    let (mut plain, mut options, mut namespace) = (Vec::new(), Vec::new(), None);
    let mut words = command[at + 1..].iter();
    while let Some(word) = words.next() {
        let text = &*word.text;
        if !text.starts_with('-') {
            plain.push(text);
            continue;
        }
        let (option, value, holder) = match text.split_once('=') {
            Some((option, value)) => (option, value.to_owned(), word),
            None if VALUED.contains(&text) => {
                let Some(next) = words.next() else { break };
                (text, next.text.to_string(), next)
            }
            None => continue,
        };
        if matches!(option, "-n" | "--namespace") {
            namespace = Some(filled(&value, set));
        } else if let Some(option) = VALUED.iter().find(|own| **own == option) {
            options.push((*option, value, holder));
        }
    }
    let create = plain.iter().position(|word| *word == "create")?;
    let (kind, name) = match plain[create + 1..] {
        ["secret", "generic" | "tls" | "docker-registry", name, ..] => (HubKind::Secret, name),
        ["configmap" | "cm", name, ..] => (HubKind::ConfigMap, name),
        _ => return None,
    };
    let name = filled(name, set);
    let namespace = namespace.filter(|namespace| is_name(namespace));
    is_name(&name).then_some(Found { kind, name, namespace, options })
}

/// A word that is one variable of the script, with what that is set to.
fn filled(word: &str, set: &HashMap<String, &Word<'_>>) -> String {
    let value = shell::variable(word).and_then(|name| set.get(name)).and_then(|own| own.text.split_once('='));
    value.map_or(word, |(_, value)| value).to_owned()
}

/// Where a file that a script names may lie: beside the script, in the folder above, at the root.
fn near(sheet: &Sheet<'_>, file: &str) -> Vec<String> {
    let own = folder(&sheet.path);
    let mut all: Vec<String> =
        [own, folder(own), sheet.root.trim_end_matches('/')].into_iter().filter_map(|base| join(base, file)).collect();
    all.retain(|path| !path.contains(['$', '*']) && !copies::is_aside(path));
    all.sort();
    all.dedup();
    all
}

/// The env files that a script takes its variables from.
fn sourced(sheet: &Sheet<'_>, commands: &[shell::Command<'_>]) -> Vec<String> {
    let mut files = Vec::new();
    for command in commands {
        if let [first, file, ..] = &command[..]
            && matches!(&*first.text, "." | "source")
            && !file.text.contains('$')
        {
            files.extend(near(sheet, &file.text));
        }
        // `export $(grep -v '^#' .env | xargs)`
        if command.first().is_some_and(|first| first.text == "export")
            && command.iter().any(|word| word.text.contains(".env"))
        {
            files.extend(near(sheet, ".env"));
        }
        if files.len() > 50 {
            break;
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{self, Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    fn pod(namespace: &str, reference: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api{namespace}}}\nspec: {{template: {{spec: {{containers: [{{name: c, {reference}}}]}}}}}}\n"
        )
    }

    const FROM: &str = "envFrom: [{secretRef: {name: db}}]";

    #[test]
    fn a_secret_that_a_script_makes_is_for_who_refers_to_it() {
        for (script, path, namespace, tier) in [
            (format!("kubectl create secret generic db --from-literal=PW={VALUE}\n"), "k8s/make.sh", "", Some(Declared)),
            (format!("kubectl create secret generic db --from-literal=PW={VALUE}\n"), "scripts/make.sh", "", Some(Inferred)),
            (
                format!("oc -n a create secret generic db --from-literal PW='{VALUE}'\n"),
                "make.sh",
                ", namespace: a",
                Some(Declared),
            ),
            (format!("oc -n a create secret generic db --from-literal PW='{VALUE}'\n"), "make.sh", ", namespace: b", None),
            (
                format!("\t@kubectl create secret generic db \\\n\t\t--from-literal=PW={VALUE}\n"),
                "Makefile",
                "",
                Some(Inferred),
            ),
            (
                format!("PW=\"{VALUE}\"\nN=db\nkubectl create secret generic $N --from-literal=PW=$PW\n"),
                "x.sh",
                "",
                Some(Inferred),
            ),
            (format!("# kubectl create secret generic db --from-literal=PW={VALUE}\n"), "x.sh", "", None),
            (format!("kubectl create secret generic other --from-literal=PW={VALUE}\n"), "x.sh", "", None),
            (format!("kubectl delete secret db --from-literal=PW={VALUE}\n"), "x.sh", "", None),
        ] {
            let known = tree(&[(path, &script), ("k8s/api.yaml", &pod(namespace, FROM))]);
            let named = consumers(&known.resolve(&finding_in(path, &script, VALUE))).len();
            assert_eq!(named, usize::from(tier.is_some()), "{script}");
            let all = known.resolve(&finding(VALUE));
            let found: Vec<Tier> = consumers(&all).into_iter().map(|(_, tier)| tier).collect();
            assert_eq!(found, tier.into_iter().collect::<Vec<_>>(), "{script}");
        }
    }

    #[test]
    fn a_manifest_of_the_folder_s_own_comes_first() {
        let script = format!("kubectl create secret generic db --from-literal=PW={VALUE}\n");
        let own = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {PW: other-than-that}\n";
        let files = [("x.sh", script.as_str()), ("k8s/api.yaml", &pod("", FROM)), ("k8s/s.yaml", own)];
        assert_eq!(consumers(&tree(&files).resolve(&finding(VALUE))), []);
    }

    #[test]
    fn manifests_that_a_script_writes_down_are_declared() {
        let secret = format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  PW: {VALUE}\n");
        let script = format!(
            "#!/bin/sh\nkubectl apply -f - <<EOF\n{secret}EOF\ncat <<'E2' | kubectl apply -f -\n{}E2\n",
            pod("", FROM)
        );
        let all = tree(&[("x/up.sh", &script)]).resolve(&finding_in("x/up.sh", &script, VALUE));
        assert_eq!(consumers(&all), [("k8s:?x/Deployment/api/c", Declared)]);
    }

    #[test]
    fn env_files_and_files_are_followed() {
        let text = format!("PW={VALUE}\n");
        let key = "env: [{name: X, valueFrom: {secretKeyRef: {name: db, key: PW}}}]";
        for (script, path, reference, named) in [
            ("kubectl create secret generic db --from-env-file=.env", ".env", FROM, true),
            ("kubectl create secret generic db --from-env-file ./.env", ".env", key, true),
            ("kubectl create secret generic db --from-file=PW=pw.txt", "pw.txt", key, true),
            ("kubectl create secret generic db --from-file=pw.txt", "pw.txt", key, false),
            ("source .env\nkubectl create secret generic db --from-literal=PW=\"$PW\"", ".env", key, true),
            ("kubectl create secret generic db --from-literal=PW=\"$PW\"", ".env", key, false),
        ] {
            let files = [("run.sh", script), ("k8s/api.yaml", &pod("", reference)), (path, text.as_str())];
            let all = tree(&files).resolve(&finding_in(path, &text, VALUE));
            let expected = [("k8s:?k8s/Deployment/api/c", Inferred)];
            assert_eq!(consumers(&all), &expected[..usize::from(named)], "{script}");
        }
    }
}
