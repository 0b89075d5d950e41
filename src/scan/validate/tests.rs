//! Many credentials, many hosts, one of which hangs: who was asked how often, and what the next run asks.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;

use super::{Answers, Asked, Asking, validate};
use crate::detect::{DetectorSet, Source};
use crate::model::{Checked, Confidence, Credential, Facts, Finding, Liveness, Part, SystemClock};
use crate::net::testing::{Server, http};
use crate::net::{Manners, Net, Settings};
use crate::scan::{Group, Groups};
use crate::secret::{FingerprintKey, Redaction, Scrubber, Secret};
use crate::store::Store;
use crate::validate::Validator;

const HOSTS: usize = 30;
const HANGING: usize = 7;
const CREDENTIALS: usize = 1000;
/// Credentials of the first hosts that another host's detector finds as well.
const SHARED: usize = 20;
const MANNERS: Manners = Manners { at_once: 3, per_second: 1_000_000, budget: 25, failures: 3 };

/// What the servers saw: by host and by credential, how often and at most how many at once.
#[derive(Default)]
struct Seen {
    now: HashMap<String, usize>,
    most: BTreeMap<String, usize>,
    asked: BTreeMap<String, usize>,
}

impl Seen {
    fn begin(&mut self, name: &str) {
        *self.asked.entry(name.to_owned()).or_default() += 1;
        let now = self.now.entry(name.to_owned()).or_default();
        *now += 1;
        let most = self.most.entry(name.to_owned()).or_default();
        *most = (*most).max(*now);
    }

    fn end(&mut self, name: &str) {
        // One that hung may end in the next run.
        let now = self.now.entry(name.to_owned()).or_default();
        *now = now.saturating_sub(1);
    }
}

/// A host at an address of its own that answers everyone, or nobody.
fn server(host: usize, seen: &Arc<Mutex<Seen>>) -> Server {
    let seen = Arc::clone(seen);
    Server::talking_at(&format!("127.0.0.{}", host + 1), move |peer| {
        let heard = String::from_utf8_lossy(&peer.hear()).into_owned();
        let key = heard.split("Bearer ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap_or_default().to_owned();
        let names = [format!("host {host}"), key];
        for name in &names {
            seen.lock().expect("no panic").begin(name);
        }
        if host == HANGING {
            // Until they give up.
            while !peer.hear().is_empty() {}
        } else {
            std::thread::sleep(Duration::from_millis(2));
        }
        // Before the answer: the next request may come at once after it.
        for name in &names {
            seen.lock().expect("no panic").end(name);
        }
        peer.say(&http("200 OK", "", "{}"));
    })
}

fn detector(host: usize) -> Source {
    let mut text = String::from("summary = \"x\"\nprovider = \"x\"\nseverity = \"high\"\nopens = \"x\"\nlinks = []\n");
    let class = if host.is_multiple_of(2) { "llm" } else { "cloud" };
    let _ = write!(
        text,
        "class = \"{class}\"\n[[part]]\nname = \"key\"\npattern = 'k{host}_[a-z0-9]{{20}}'\nliterals = ['k{host}_']\n"
    );
    let _ = write!(
        text,
        "[liveness]\nrequest = \"GET https://h{host}.example/me\"\nendpoint = \"h{host}\"\n\
         headers = {{ Authorization = \"Bearer {{key}}\" }}\n[[liveness.case]]\nstatus = [200]\nthen = \"live\"\n\
         [[example]]\ntext = ['k{host}_0a1b2c3d4e5f6g7h8i9j']\n[[counterexample]]\ntext = ['k{host}_']\nwhy = \"none\"\n",
    );
    Source { id: format!("d{host}"), file: format!("d{host}.toml"), text }
}

fn group(host: usize, number: usize, key: &FingerprintKey) -> Group {
    let value = format!("credential-{number}-x");
    let part = Part {
        name: "key".into(),
        value: Secret::new(value.as_bytes()),
        public: false,
        redaction: Redaction::NOTHING,
        span: 0..0,
    };
    let credential = Credential {
        detector: format!("d{host}").into(),
        parts: vec![part],
        facts: Facts::from(BTreeMap::new()),
        confidence: Confidence::High,
        partial: false,
        encoding: Vec::new(),
    };
    let finding = serde_json::json!({
        "schema": Finding::SCHEMA, "fingerprint": key.fingerprint(value.as_bytes()), "detector": format!("d{host}"),
        "provider": "x", "class": "llm", "severity": "high", "confidence": "high", "redacted": "…", "parts": [],
        "partial": false, "facts": {}, "liveness": {"state": "not_checked"}, "owners": [], "occurrences": [],
    });
    Group { finding: serde_json::from_value(finding).expect("a finding"), variants: vec![credential] }
}

fn groups_of(key: &FingerprintKey) -> Groups {
    let each = (0..CREDENTIALS).map(|number| group(number % HOSTS, number, key));
    let shared = (0..SHARED).map(|number| group((number + 1) % HOSTS, number, key));
    Groups(each.chain(shared).collect(), Scrubber::new(std::iter::empty()))
}

struct World {
    seen: Arc<Mutex<Seen>>,
    _servers: Vec<Server>,
    settings: Settings,
    set: DetectorSet,
    key: FingerprintKey,
    state: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let seen = Arc::default();
        let servers: Vec<Server> = (0..HOSTS).map(|host| server(host, &seen)).collect();
        let named =
            servers.iter().enumerate().map(|(host, server)| (format!("h{host}"), server.url().parse().expect("a URL")));
        let timeout = Duration::from_millis(900);
        let settings = Settings { endpoints: named.collect(), timeout, manners: MANNERS, ..Settings::default() };
        let set = DetectorSet::new(&(0..HOSTS).map(detector).collect::<Vec<_>>()).expect("detectors");
        let state = tempfile::tempdir().expect("scratch");
        Self { seen, _servers: servers, settings, set, key: FingerprintKey::new([5; 32]), state }
    }

    /// One run of the program: what is asked in it is counted anew, what it keeps is kept.
    fn run(&self, max_age: SignedDuration, classes: &[String]) -> (Groups, Asked, Seen) {
        self.run_on(groups_of(&self.key), max_age, classes)
    }

    fn run_on(&self, mut groups: Groups, max_age: SignedDuration, classes: &[String]) -> (Groups, Asked, Seen) {
        let validator = Validator::new(Arc::new(Net::new(self.settings.clone()).expect("clients")));
        let store = Store::open(self.state.path()).expect("a store");
        let answers = Some(Answers { store, key: &self.key, max_age });
        let asking = Asking { set: &self.set, validator: &validator, clock: &SystemClock, classes, answers };
        let asked = validate(&mut groups, asking).expect("threads");
        let seen = std::mem::take(&mut *self.seen.lock().expect("no panic"));
        (groups, asked, seen)
    }
}

fn count(groups: &Groups, wanted: impl Fn(&Checked) -> bool) -> usize {
    groups.0.iter().filter(|group| wanted(&group.finding.liveness)).count()
}

fn unknown(checked: &Checked, words: &str) -> bool {
    matches!(&checked.liveness, Liveness::Unknown(why) if why.contains(words))
}

#[test]
fn a_thousand_credentials_over_thirty_hosts_are_asked_about_politely_and_once() {
    let world = World::new();
    let hour = SignedDuration::from_hours(1);
    let healthy = HOSTS - 1;
    let (first, asked, seen) = world.run(hour, &[]);
    assert_eq!(asked, Asked { finished: true, remembered: 0, trouble: None });
    for host in 0..HOSTS {
        let name = format!("host {host}");
        // One that hangs hears late of those who have given up.
        let most = if host == HANGING { 2 * MANNERS.at_once } else { MANNERS.at_once };
        assert!(seen.most[&name] <= most, "{name} had {} at once", seen.most[&name]);
        let wanted = if host == HANGING { 3..=6 } else { 25..=25 };
        assert!(wanted.contains(&seen.asked[&name]), "{name} was asked {} times", seen.asked[&name]);
    }
    let credentials = || seen.most.iter().filter(|(name, _)| name.starts_with("credential"));
    assert!(credentials().all(|(_, most)| *most == 1), "one request in flight for each credential");
    let live = count(&first, |checked| checked.liveness.is_usable());
    assert_eq!(live, healthy * 25, "a host that hangs holds up no other");
    let spent = count(&first, |checked| unknown(checked, "its budget"));
    let alone = count(&first, |checked| unknown(checked, "left alone"));
    let late = count(&first, |checked| unknown(checked, "in time"));
    assert_eq!(live + spent + alone + late, CREDENTIALS + SHARED, "all else is unknown and says why");
    assert!(alone > 20 && (3..=6).contains(&late), "{alone} {late}");

    // The next run asks what is open, and nothing else.
    let (second, asked, seen) = world.run(hour, &[]);
    assert_eq!(asked.remembered, live);
    let again = (0..HOSTS).filter(|host| *host != HANGING).map(|host| seen.asked.get(&format!("host {host}")).unwrap_or(&0));
    assert_eq!(again.sum::<usize>(), spent);
    assert_eq!(count(&second, |checked| checked.liveness.is_usable()), live + spent);
    assert!(second.0.iter().all(|group| group.finding.liveness.at.is_some() && group.variants.len() == 1));
    let (_, asked, seen) = world.run(hour, &[]);
    assert_eq!(asked.remembered, live + spent);
    assert!(seen.asked.keys().all(|name| name.starts_with("cred") || *name == format!("host {HANGING}")), "no other host");

    // Asked anew, and only what is asked for.
    let (some, asked, seen) = world.run(SignedDuration::ZERO, &["cloud".to_owned()]);
    assert_eq!((asked.remembered, seen.asked.contains_key("host 2")), (0, false));
    assert_eq!((seen.asked["host 1"], seen.asked["host 29"]), (25, 25));
    assert!(count(&some, |checked| *checked == Checked::NOT) >= CREDENTIALS / 2);
}

#[test]
fn an_answer_counts_for_its_own_question_alone() {
    let mut world = World::new();
    let hour = SignedDuration::from_hours(1);
    world.settings.manners.budget = 1000;
    let classes = ["cloud".to_owned()];
    let (groups, ..) = world.run(hour, &classes);
    let live = count(&groups, |checked| checked.liveness.is_usable());
    assert_eq!(world.run(hour, &classes).1.remembered, live);
    // Another address is another question, and so is another detector file, and another key.
    let (endpoint, there) = world.settings.endpoints.pop_first().expect("an endpoint");
    let elsewhere = format!("{there}v2").parse().expect("a URL");
    world.settings.endpoints.insert(endpoint, elsewhere);
    assert_eq!(world.run(hour, &classes).1.remembered, 0);
    let mut sources: Vec<Source> = (0..HOSTS).map(detector).collect();
    sources[1].text = sources[1].text.replace("GET https://h1.example/me", "GET https://h1.example/you");
    world.set = DetectorSet::new(&sources).expect("detectors");
    let remembered = world.run(hour, &classes).1.remembered;
    assert!(remembered > 0 && remembered < live, "{remembered} of {live}");
    // What has expired since is not live, whatever was said.
    let mut groups = groups_of(&world.key);
    for group in &mut groups.0 {
        group.finding.facts.insert("expired".into(), "true".into());
        group.variants[0].facts.insert("expired".into(), "true".into());
    }
    let (groups, asked, seen) = world.run_on(groups, hour, &classes);
    assert_eq!((asked.remembered, seen.asked.len()), (0, 0));
    assert!(count(&groups, |checked| matches!(checked.liveness, Liveness::Dead(_))) >= live);
    world.key = FingerprintKey::new([6; 32]);
    assert_eq!(world.run(hour, &classes).1.remembered, 0);
}
