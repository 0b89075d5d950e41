//! Xcode's projects: value → a source, a resource, a property list or a file of build settings → the target that is built with it; also
//! values among the build settings themselves (developer.apple.com, "Build settings reference", "Adding a build configuration file").
//!
//! A target is what is built of a project: an app, an extension, tests. What lies in none of a target's lists, but in a folder that it is
//! synchronised with, is that one's as well. Declared for lists and settings, inferred where a file lies below a project and only its
//! apps are known. Settings of the whole project, and files of settings that others include, are every app's. Tests are left out.

mod openstep;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::allowance::Allowance;
use super::links::Consumer;
use super::slots::{Slots, prints_within};
use super::{Clues, Place, Reader, Sheet, clean, code, ends_in, file_name, folder, is_showable, join};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::{Roll, evidence};
use openstep::Node;

/// Folders within folders of a project.
const NESTED: usize = 60;
/// How far below a project's folder a file may lie.
const BELOW: usize = 12;
/// Files of settings that include one another.
const INCLUDES: usize = 10;
/// What is built into an app besides code.
const PARTS: &[&str] = &[
    "swift",
    "m",
    "mm",
    "c",
    "cc",
    "cpp",
    "h",
    "plist",
    "xcconfig",
    "json",
    "strings",
    "entitlements",
    "yml",
    "yaml",
    "txt",
    "pem",
    "p12",
];

/// Every project seen.
#[derive(Default)]
pub(super) struct Xcode {
    /// By the folder that they lie in.
    projects: BTreeMap<String, Vec<Project>>,
    /// Build settings, with the target that they are of.
    settings: Slots<Arc<Consumer>>,
    /// Files of settings that take in others.
    includes: HashMap<String, BTreeSet<String>>,
    allowance: Allowance,
}

/// One project.
#[derive(Default)]
struct Project {
    at: String,
    /// Apps and extensions.
    apps: Vec<Arc<Consumer>>,
    /// Targets by the files that are built into them.
    files: HashMap<String, Vec<Arc<Consumer>>>,
    /// The same by folders.
    folders: Vec<(String, Arc<Consumer>)>,
}

impl Reader for Xcode {
    const LIMIT: usize = 8 << 20;

    fn wants(path: &str) -> bool {
        file_name(path) == "project.pbxproj" || ends_in(path, &["xcconfig"])
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        self.allowance.begin();
        if ends_in(&sheet.path, &["xcconfig"]) {
            let named = text.lines().filter_map(|line| line.trim().strip_prefix("#include"));
            let files = named.filter_map(|rest| rest.trim_start_matches('?').trim().strip_prefix('"')?.strip_suffix('"'));
            for file in files.filter_map(|file| join(folder(&sheet.path), file)).take(INCLUDES) {
                if self.allowance.take(file.len()) {
                    self.includes.entry(file).or_default().insert(sheet.path.to_string());
                }
            }
            return;
        }
        match openstep::parse(text) {
            Some(root) => self.project(sheet, text, &root),
            None => coverage.trouble(&*sheet.path, "not a project of Xcode that can be read: its targets are unknown"),
        }
        self.allowance.complain(sheet, coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, target, join) in self.settings.hits(clues) {
            let why = evidence("xcode-setting", place.to_string(), format!("build setting ({})", join.words()));
            target.join(roll, Tier::Declared, vec![why]);
        }
        for path in clues.paths().into_iter().filter(|path| ends_in(path, PARTS)) {
            let all = self.with_includers(path);
            let mut at = path;
            for _ in 0..BELOW {
                if at.is_empty() {
                    break;
                }
                at = folder(at);
                let Some(projects) = self.projects.get(at) else { continue };
                let nobody = !roll.has_consumer();
                for project in projects {
                    if !roll.look() {
                        return;
                    }
                    project.name(path, (&all, nobody), roll);
                }
                break;
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (folder, projects) in other.projects {
            self.projects.entry(folder).or_default().extend(projects);
        }
        self.settings.merge(other.settings);
        for (file, includers) in other.includes {
            self.includes.entry(file).or_default().extend(includers);
        }
    }
}

impl Xcode {
    /// A file of settings, and those that take it in.
    fn with_includers(&self, path: &str) -> BTreeSet<String> {
        let (mut all, mut queue) = (BTreeSet::from([path.to_owned()]), vec![path.to_owned()]);
        while let Some(file) = queue.pop().filter(|_| all.len() < INCLUDES) {
            for includer in self.includes.get(&file).into_iter().flatten() {
                if all.insert(includer.clone()) {
                    queue.push(includer.clone());
                }
            }
        }
        all
    }

    fn project(&mut self, sheet: &Sheet<'_>, text: &str, root: &Node<'_>) {
        let Some(objects) = root.get("objects") else { return };
        let bundle = folder(&sheet.path);
        let base = folder(bundle);
        let all: HashMap<&str, &Node<'_>> = objects.entries().iter().map(|(id, node)| (*id, node)).collect();
        let lines: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        let desk = Desk { sheet, lines, all: &all, base };
        let mut project = Project { at: sheet.path.to_string(), ..Project::default() };
        let paths = desk.paths(root.text_at("rootObject").unwrap_or_default());
        let mut owners: Vec<Arc<Consumer>> = Vec::new();
        for (id, node) in objects.entries().iter().filter(|(_, node)| is_target(node)) {
            let Some(name) = node.text_at("name").filter(|name| is_showable(name)) else { continue };
            if node.text_at("productType").is_some_and(|own| own.contains("testing")) || id.is_empty() {
                continue;
            }
            let target = Arc::new(Consumer::new(format!("xcode:{bundle}/{name}"), format!("target {name} of {bundle}")));
            if node.text_at("productType").is_some_and(|own| own.contains("application")) {
                project.apps.push(Arc::clone(&target));
            }
            for file in desk.built(node).filter_map(|id| paths.get(id)).take_while(|file| self.allowance.take(file.len())) {
                project.files.entry(file.clone()).or_default().push(Arc::clone(&target));
            }
            let synchronised = node.get("fileSystemSynchronizedGroups").map(Node::items).unwrap_or_default();
            for folder in synchronised.iter().filter_map(|id| paths.get(id.text()?)) {
                project.folders.push((folder.clone(), Arc::clone(&target)));
            }
            self.configurations(&desk, node, &[Arc::clone(&target)], (&paths, &mut project));
            owners.push(target);
        }
        // What is set for the whole project is every target's.
        let whole = root.text_at("rootObject").and_then(|id| all.get(id));
        if let Some(whole) = whole {
            let apps = if project.apps.is_empty() { owners } else { project.apps.clone() };
            self.configurations(&desk, whole, &apps, (&paths, &mut project));
        }
        self.projects.entry(base.to_owned()).or_default().push(project);
    }

    /// The build settings of a target or project: values, property lists and files of settings.
    fn configurations(
        &mut self,
        desk: &Desk<'_>,
        node: &Node<'_>,
        targets: &[Arc<Consumer>],
        (paths, project): (&HashMap<&str, String>, &mut Project),
    ) {
        let list = node.text_at("buildConfigurationList").and_then(|id| desk.all.get(id));
        let own = list.and_then(|list| list.get("buildConfigurations")).map(Node::items).unwrap_or_default();
        for configuration in own.iter().filter_map(|id| desk.all.get(id.text()?)) {
            if let Some(file) = configuration.text_at("baseConfigurationReference").and_then(|id| paths.get(id)) {
                project.files.entry(file.clone()).or_default().extend(targets.iter().cloned());
            }
            let Some(settings) = configuration.get("buildSettings") else { continue };
            for field in ["INFOPLIST_FILE", "CODE_SIGN_ENTITLEMENTS"] {
                let named = settings.text_at(field).map(|file| file.replace("$(SRCROOT)/", ""));
                if let Some(file) = named.and_then(|file| join(desk.base, &file)) {
                    project.files.entry(file).or_default().extend(targets.iter().cloned());
                }
            }
            settings.texts(&mut |text, at| {
                if self.allowance.take(text.len()) {
                    let line = 1 + desk.lines.partition_point(|newline| *newline < at) as u64;
                    for target in targets {
                        let bytes = at as u64..(at + text.len()) as u64;
                        let place = Place { path: Arc::clone(&desk.sheet.path), line, bytes };
                        self.settings.put(place, &prints_within(desk.sheet.key, text), Arc::clone(target));
                    }
                }
            });
        }
    }
}

impl Project {
    fn name(&self, path: &str, (all, nobody): (&BTreeSet<String>, bool), roll: &mut Roll) {
        let why = |what: &str| vec![evidence("xcode-file", self.at.clone(), clean(&format!("{what} {path}")))];
        let listed: Vec<_> = all.iter().filter_map(|file| self.files.get(file)).flatten().collect();
        for target in &listed {
            target.join(roll, Tier::Declared, why("is built with"));
        }
        let within =
            self.folders.iter().filter(|(own, _)| path.strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('/')));
        let within: Vec<_> = within.filter(|_| listed.is_empty()).collect();
        for (_, target) in &within {
            target.join(roll, Tier::Declared, why("takes in the folder of"));
        }
        if listed.is_empty() && within.is_empty() && nobody && !code::is_aside(path) {
            for app in &self.apps {
                app.join(roll, Tier::Inferred, why("lies above"));
            }
        }
    }
}

fn is_target(node: &Node<'_>) -> bool {
    matches!(node.text_at("isa"), Some("PBXNativeTarget" | "PBXAggregateTarget" | "PBXLegacyTarget"))
}

/// A project while it is read.
struct Desk<'a> {
    sheet: &'a Sheet<'a>,
    /// Where its lines end.
    lines: Vec<usize>,
    all: &'a HashMap<&'a str, &'a Node<'a>>,
    /// The folder that paths begin in.
    base: &'a str,
}

impl<'a> Desk<'a> {
    /// The ids of the files that a target's phases list.
    fn built(&self, target: &'a Node<'a>) -> impl Iterator<Item = &'a str> {
        let phases = target.get("buildPhases").map(Node::items).unwrap_or_default();
        let all = self.all;
        let files = phases.iter().filter_map(move |id| all.get(id.text()?)).filter_map(|phase| phase.get("files"));
        files.flat_map(Node::items).filter_map(move |id| all.get(id.text()?)?.text_at("fileRef"))
    }

    /// The path of every file and folder, by its id.
    fn paths(&self, root: &str) -> HashMap<&'a str, String> {
        let mut found = HashMap::new();
        let main = self.all.get(root).and_then(|project| project.text_at("mainGroup"));
        let mut queue: Vec<(&str, String, usize)> =
            main.map(|main| (main, self.base.to_owned(), NESTED)).into_iter().collect();
        while let Some((id, above, left)) = queue.pop() {
            let Some((id, node)) = self.all.get_key_value(id).filter(|(id, _)| left > 0 && !found.contains_key(**id)) else {
                continue;
            };
            let own = node.text_at("path").filter(|_| node.text_at("sourceTree") != Some("BUILT_PRODUCTS_DIR"));
            let from = if node.text_at("sourceTree") == Some("SOURCE_ROOT") { self.base } else { above.as_str() };
            let Some(path) = own.map_or(Some(above.clone()), |own| join(from, own)) else { continue };
            let children = node.get("children").map(Node::items).unwrap_or_default();
            queue.extend(children.iter().filter_map(Node::text).map(|child| (child, path.clone(), left - 1)));
            found.insert(*id, path);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    const PROJECT: &str = r#"// !$*UTF8*$!
{
	objects = {
		P = { isa = PBXProject; buildConfigurationList = PL; mainGroup = G; targets = ( A, W, T ); };
		G = { isa = PBXGroup; children = ( S, C, Y, R ); sourceTree = "<group>"; };
		S = { isa = PBXGroup; children = ( K, F ); path = Shop; sourceTree = "<group>"; };
		K = { isa = PBXFileReference; path = Keys.swift; sourceTree = "<group>"; };
		F = { isa = PBXFileReference; path = "GoogleService-Info.plist"; sourceTree = "<group>"; };
		C = { isa = PBXFileReference; path = Config/Prod.xcconfig; sourceTree = "<group>"; };
		Y = { isa = PBXFileSystemSynchronizedRootGroup; path = Widget; sourceTree = "<group>"; };
		R = { isa = PBXFileReference; path = ../out; sourceTree = BUILT_PRODUCTS_DIR; };
		B1 = { isa = PBXBuildFile; fileRef = K; };
		B2 = { isa = PBXBuildFile; fileRef = F; };
		H1 = { isa = PBXSourcesBuildPhase; files = ( B1, ); };
		H2 = { isa = PBXResourcesBuildPhase; files = ( B2, ); };
		A = { isa = PBXNativeTarget; name = Shop; buildPhases = ( H1, H2, ); buildConfigurationList = AL;
			productType = "com.apple.product-type.application"; };
		W = { isa = PBXNativeTarget; name = Widget; buildPhases = ( ); fileSystemSynchronizedGroups = ( Y, );
			productType = "com.apple.product-type.app-extension"; };
		T = { isa = PBXNativeTarget; name = Tests; buildPhases = ( H1, ); productType = "com.apple.product-type.bundle.unit-test.testing"; };
		AL = { isa = XCConfigurationList; buildConfigurations = ( AC, ); };
		AC = { isa = XCBuildConfiguration; baseConfigurationReference = C; buildSettings = {
			INFOPLIST_FILE = "$(SRCROOT)/Shop/Info.plist"; TOKEN = "SETTING"; }; };
		PL = { isa = XCConfigurationList; buildConfigurations = ( ); };
	};
	rootObject = P;
}
"#;

    #[test]
    fn what_a_target_is_built_with_is_its_own() {
        let project = PROJECT.replace("SETTING", VALUE);
        let content = format!("key = {VALUE}\n");
        let (app, widget) = ("xcode:ios/Shop.xcodeproj/Shop", "xcode:ios/Shop.xcodeproj/Widget");
        for (path, expected) in [
            ("ios/Shop/Keys.swift", Some((app, Declared))),
            ("ios/Shop/GoogleService-Info.plist", Some((app, Declared))),
            ("ios/Shop/Info.plist", Some((app, Declared))),
            ("ios/Config/Prod.xcconfig", Some((app, Declared))),
            ("ios/Config/Secrets.xcconfig", Some((app, Declared))),
            ("ios/Widget/a/Key.swift", Some((widget, Declared))),
            ("ios/Other/Key.swift", Some((app, Inferred))),
            ("ios/OtherTests/tests/Key.swift", None),
            ("other/Key.swift", None),
            ("ios/Shop/notes.md", None),
        ] {
            let files = [
                ("ios/Shop.xcodeproj/project.pbxproj", project.as_str()),
                ("ios/Config/Prod.xcconfig", "#include? \"Secrets.xcconfig\"\n"),
            ];
            let all = tree(&files).resolve(&finding_in(path, &content, VALUE));
            assert_eq!(consumers(&all), expected.into_iter().collect::<Vec<_>>(), "{path}");
        }
        let own = "ios/Shop.xcodeproj/project.pbxproj";
        assert_eq!(consumers(&tree(&[(own, &project)]).resolve(&finding_in(own, &project, VALUE))), [(app, Declared)]);
        assert_eq!(tree(&[(own, "{ objects = {")]).coverage().troubles.len(), 1);
    }
}
