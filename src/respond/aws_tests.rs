//! AWS's actions beyond access keys: service-specific credentials and the sweep against the embedded IAM, which nobody else
//! implements whole; sessions of roles against answers written from the IAM API reference; CloudTrail's from its own.

mod bearer;
mod bedrock;
mod faults;
mod looked_again;
mod older;
mod retired;
mod unread;

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::json;

use super::testing::{Asked, Provider, credential, finding, set, step};
use super::{AwsHands, Folder, Guard, Hands, Playbook, Playbooks, RespondError, Runner, Turn, builtin_playbooks, draft};
use crate::model::{Clock, Credential, Finding, Plan, Run, RunState, StepState, SystemClock, TestClock};
use crate::net::testing::http;
use crate::net::{AwsKey, Manners, Net, Responder, Settings};
use crate::sandbox::Sandbox;
use crate::secret::{FingerprintKey, Secret};

const KEY: [u8; 32] = [7; 32];

/// A finding, whoever responds to it, and where runs are kept.
struct Scene {
    net: Arc<Net>,
    responder: Responder,
    account: &'static str,
    arn: &'static str,
    credential: Credential,
    finding: Finding,
    playbook: Playbook,
    /// The responder's time.
    now: Timestamp,
    dir: tempfile::TempDir,
}

impl Scene {
    fn new((net, responder): (Arc<Net>, Responder), detector: &str, text: &str, playbook: &str) -> Self {
        let credential = credential(detector, text);
        let identity = [("role", "deployer"), ("account", "111122223333")];
        let identity: &[(&str, &str)] = if detector == "aws-session-key" { &identity } else { &[] };
        let finding = finding(set().get(detector).expect("a detector"), &credential, (identity, &FingerprintKey::new(KEY)));
        let mut all = Playbooks::new(&builtin_playbooks()).expect("playbooks");
        all.0.retain(|one| one.id == playbook);
        let mut playbook = all.0.remove(0);
        playbook.steps.iter_mut().filter(|step| step.id == "prove-refused").for_each(|step| step.timeout = 1);
        let (account, arn) = ("111122223333", "arn:aws:iam::111122223333:user/sandbox-admin");
        let now = if detector == "aws-session-key" { Timestamp::UNIX_EPOCH } else { hours_from_now(48).expect("a moment") };
        let dir = tempfile::tempdir().expect("scratch");
        Self { net, responder, account, arn, credential, finding, playbook, now, dir }
    }

    fn runner(&self) -> Runner {
        let (copy, wanted) = (self.credential.duplicate(), self.finding.fingerprint);
        let aws = AwsHands { responder: self.responder.clone(), arn: self.arn.to_owned(), account: self.account.to_owned() };
        Runner {
            hands: Hands {
                net: Arc::clone(&self.net),
                aws: Some(aws),
                admin: None,
                unset: None,
                own: Vec::new(),
                detector: set().get(&self.finding.detector).cloned(),
                recall: Box::new(move |asked| (*asked == wanted).then(|| copy.duplicate()).into_iter().collect()),
                stores: crate::respond::Stores::default(),
                clock: Arc::new(TestClock::new(self.now)),
            },
            folder: Folder::open(self.dir.path()).expect("a folder"),
            guard: Guard { accounts: vec![self.account.to_owned()], most_changes: 20, ..Guard::default() },
            stop_file: None,
            look_again: std::time::Duration::ZERO,
            turn: Turn::default(),
            approvers: super::Approvers::new(),
            requester: "tests".to_owned(),
            confirmed: Vec::new(),
            break_glass: None,
            signer: None,
            stop: Arc::default(),
        }
    }

    async fn plan(&self) -> Result<Plan, RespondError> {
        let runner = self.runner();
        draft(&self.finding, &Playbooks(vec![self.playbook.clone()]), &runner.hands, &runner.guard).await
    }

    async fn apply(&self, plan: &Plan) -> Run {
        let runner = self.runner();
        let digest = runner.folder.keep(plan).expect("kept");
        runner.apply(&digest).await.expect("a run")
    }
}

fn hours_from_now(hours: i64) -> Option<Timestamp> {
    SystemClock.now().checked_add(jiff::SignedDuration::from_hours(hours)).ok()
}

/// Clients over the embedded provider, with a log that is somewhere else.
async fn embedded(log: &str) -> (Sandbox, Arc<Net>, Responder) {
    embedded_beside(log, None).await
}

/// The same, with a Bedrock that is somewhere else as well.
async fn embedded_beside(log: &str, bedrock: Option<&str>) -> (Sandbox, Arc<Net>, Responder) {
    let sandbox = Sandbox::start(Arc::new(SystemClock)).await;
    over(sandbox.expect("a sandbox"), (log, bedrock), Settings::default())
}

/// The same over one that is there.
fn over(sandbox: Sandbox, (log, bedrock): (&str, Option<&str>), settings: Settings) -> (Sandbox, Arc<Net>, Responder) {
    let endpoint = |name: &str, url: &str| Net::parse_endpoint(&format!("{name}={url}")).expect("an endpoint");
    let url = sandbox.url();
    let endpoints =
        [endpoint("aws", &url), endpoint("aws-bedrock", bedrock.unwrap_or(&url)), endpoint("aws-cloudtrail", log)].into();
    let net = Arc::new(Net::new(Settings { endpoints, ..settings }).expect("clients"));
    let admin = sandbox.admin().expect("an administrator");
    let responder = net.responder_with(&AwsKey { id: admin.id, secret: admin.secret, token: None }).expect("clients");
    (sandbox, net, responder)
}

/// A Bedrock key of a new user: its id and its value.
async fn bedrock_key(sandbox: &Sandbox, responder: &Responder) -> (String, String) {
    sandbox.create_user("BedrockAPIKey-ab12", &[]).expect("a user");
    let made = responder.iam.create_service_specific_credential().user_name("BedrockAPIKey-ab12");
    let made = made.service_name("bedrock.amazonaws.com").send().await.expect("a credential");
    let made = made.service_specific_credential.expect("shown once");
    let value = made.service_credential_secret.expect("its secret");
    (made.service_specific_credential_id, value)
}

/// A workload that uses a credential.
fn consumer() -> crate::model::Owner {
    crate::model::Owner {
        edge: crate::model::Edge::Consumer,
        id: "compose:docker-compose.yml/api".to_owned(),
        name: "api".to_owned(),
        spiffe_id: None,
        tier: crate::model::Tier::Bound,
        confidence: crate::model::Weight(9000),
        contested: false,
        evidence: Vec::new(),
    }
}

/// A log that has nothing, but for what somebody did to a role's trust.
fn log() -> Provider {
    Provider::new(|asked: &Asked| {
        let event = json!({
            "EventId": "e1", "EventName": "UpdateAssumeRolePolicy", "EventTime": 1_000_100.0, "Username": "eve",
            "Resources": [{ "ResourceName": "deployer", "ResourceType": "AWS::IAM::Role" }], "CloudTrailEvent": "{\"secret\":1}",
        });
        let events = if asked.body.contains("UpdateAssumeRolePolicy") { json!([event]) } else { json!([]) };
        http("200 OK", "", &json!({ "Events": events }).to_string())
    })
}

async fn status(responder: &Responder, id: &str) -> String {
    let listed = responder.iam.list_service_specific_credentials().all_users(true).send().await.expect("a list");
    let found = listed.service_specific_credentials().iter().find(|one| one.service_specific_credential_id() == id);
    found.map(|one| one.status().as_str().to_owned()).expect("there")
}

#[tokio::test]
async fn a_bedrock_key_is_found_by_its_own_alias_deactivated_swept_for_and_given_back() {
    let log = log();
    let (sandbox, net, responder) = embedded(&log.url()).await;
    let (id, value) = bedrock_key(&sandbox, &responder).await;
    let text = format!("AWS_BEARER_TOKEN_BEDROCK={value}\n");
    let scene = Scene::new((net, responder), "bedrock-long-term-key", &text, "bedrock-key-contain");
    let mut plan = scene.plan().await.expect("a plan");
    assert_eq!(plan.target["user"], "BedrockAPIKey-ab12");
    assert_eq!(plan.steps[0].observed, json!({ "status": "Active" }));
    plan.times.exposed = hours_from_now(23);
    let run = scene.apply(&plan).await;
    assert_eq!((step(&run, "stop").0, step(&run, "deny").0), (StepState::Succeeded, StepState::Succeeded), "{run:?}");
    assert_eq!(status(&scene.responder, &id).await, "Inactive");
    assert_eq!((run.state, step(&run, "prove-refused").0), (RunState::Done, StepState::Succeeded), "{run:?}");
    let swept = run.steps.iter().find(|step| step.id == "sweep").expect("a sweep");
    assert_eq!(swept.state, StepState::Succeeded);
    let seen = &swept.evidence;
    assert_eq!(seen["service_specific_credentials"][0]["id"], id.as_str(), "{seen}");
    assert_eq!(seen["changes"][0]["event"], "UpdateAssumeRolePolicy", "{seen}");
    assert!(!seen.to_string().contains("secret"), "nothing of an event's parameters is kept: {seen}");
    let unknown = seen["unknown"].to_string();
    for wanted in ["roles: ", "its key id is not known", "not enabled by default"] {
        assert!(unknown.contains(wanted), "{wanted} in {unknown}");
    }
    let run = scene.runner().undo(&run.id).await.expect("walked back");
    assert_eq!(run.state, RunState::Undone);
    assert_eq!(status(&scene.responder, &id).await, "Active");
}

#[tokio::test]
async fn a_sweep_names_what_is_newer_than_the_exposure_and_nothing_else() {
    let log = log();
    let (sandbox, net, responder) = embedded(&log.url()).await;
    let (_, value) = bedrock_key(&sandbox, &responder).await;
    let text = format!("AWS_BEARER_TOKEN_BEDROCK={value}\n");
    let scene = Scene::new((net, responder), "bedrock-long-term-key", &text, "bedrock-key-contain");
    let mut plan = scene.plan().await.expect("a plan");
    // Everything was made a day and more before that.
    plan.times.exposed = hours_from_now(25);
    let run = scene.apply(&plan).await;
    let seen = &run.steps.iter().find(|step| step.id == "sweep").expect("a sweep").evidence;
    for what in ["users", "access_keys", "console_passwords", "service_specific_credentials"] {
        assert_eq!(seen[what], json!([]), "{what}: {seen}");
    }
    assert!(seen["since"]["is"].as_str().is_some_and(|told| told.starts_with("a day before it was exposed")));
}

#[tokio::test]
async fn a_key_whose_alias_nobody_lists_or_two_do_is_not_guessed_at() {
    let log = log();
    let (sandbox, net, responder) = embedded(&log.url()).await;
    bedrock_key(&sandbox, &responder).await;
    let coded = data_encoding::BASE64
        .encode(format!("BedrockAPIKey-zz99-at-111122223333:{}", "Q7xk2LmP9sRt4VwY".repeat(4)).as_bytes());
    let text = format!("AWS_BEARER_TOKEN_BEDROCK=ABSK{coded}\n");
    let scene = Scene::new((net, responder), "bedrock-long-term-key", &text, "bedrock-key-contain");
    let error = scene.plan().await.expect_err("nobody's");
    assert!(error.to_string().contains("alias BedrockAPIKey-zz99"), "{error}");
}

/// What happens to the next change of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// It is answered with this status and code, and not done.
    Says(&'static str, &'static str),
    /// It is answered with a page for people, and not done.
    Page,
    /// The connection is cut, or nothing is answered for longer than anybody waits; it is done, or not.
    Silent { cut: bool, done: bool },
    /// It is said to be done, and is not; or somebody undoes it at once.
    Lie,
}

/// A role's policy, and what happens to its next change.
type RoleAt = (Provider, Arc<Mutex<Option<String>>>, Arc<Mutex<Option<Trouble>>>);

/// IAM with one role, by its API reference; `path` is the role's.
fn roles(path: &'static str) -> (Provider, Arc<Mutex<Option<String>>>) {
    let (provider, policy, _) = troubled(path);
    (provider, policy)
}

/// The same, with what happens to the next change.
fn troubled(path: &'static str) -> RoleAt {
    let policy: Arc<Mutex<Option<String>>> = Arc::default();
    let trouble: Arc<Mutex<Option<Trouble>>> = Arc::default();
    let (kept, next) = (Arc::clone(&policy), Arc::clone(&trouble));
    let provider = Provider::new(move |asked: &Asked| {
        let change = ["Action=PutRolePolicy&", "Action=DeleteRolePolicy&"].iter().any(|name| asked.body.contains(name));
        let trouble = if change { next.lock().expect("the trouble").take() } else { None };
        let mut policy = kept.lock().expect("the policy");
        match trouble {
            None => told(path, asked, &mut policy),
            Some(Trouble::Says(status, code)) => refusal(status, code, "not now"),
            Some(Trouble::Page) => http("200 OK", "content-type: text/html\r\n", "<html>Sign in</html>"),
            Some(Trouble::Lie) => told(path, asked, &mut policy.clone()),
            Some(Trouble::Silent { cut, done }) => {
                if done {
                    told(path, asked, &mut policy);
                }
                drop(policy);
                if !cut {
                    std::thread::sleep(std::time::Duration::from_secs(8));
                }
                Vec::new()
            }
        }
    });
    (provider, policy, trouble)
}

fn refusal(status: &str, code: &str, message: &str) -> Vec<u8> {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    );
    http(status, "content-type: text/xml\r\n", &body)
}

/// What IAM does and says.
fn told(path: &str, asked: &Asked, policy: &mut Option<String>) -> Vec<u8> {
    let fields: std::collections::BTreeMap<String, String> =
        url::form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
    let action = fields.get("Action").map_or("", String::as_str);
    let ok = |inner: &str| {
        let body =
            format!("<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">{inner}</{action}Response>");
        http("200 OK", "content-type: text/xml\r\n", &body)
    };
    match action {
        "GetRole" => ok(&format!(
            "<GetRoleResult><Role><Path>{path}</Path><RoleName>deployer</RoleName><RoleId>AROAX</RoleId>\
             <Arn>arn:aws:iam::111122223333:role/deployer</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult>"
        )),
        "GetRolePolicy" => match policy {
            None => refusal("404 x", "NoSuchEntity", "The role policy cannot be found."),
            Some(text) => ok(&format!(
                "<GetRolePolicyResult><RoleName>deployer</RoleName><PolicyName>p</PolicyName><PolicyDocument>{}</PolicyDocument>\
                 </GetRolePolicyResult>",
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
            )),
        },
        "PutRolePolicy" => {
            *policy = fields.get("PolicyDocument").cloned();
            ok("")
        }
        "DeleteRolePolicy" => {
            *policy = None;
            ok("")
        }
        "GetAccountSummary" if policy.is_some() => refusal(
            "403 x",
            "AccessDenied",
            "User: arn:aws:sts::111122223333:assumed-role/deployer/s is not authorized to perform: iam:GetAccountSummary on resource: * \
             with an explicit deny in an identity-based policy",
        ),
        "GetAccountSummary" => refusal(
            "403 x",
            "AccessDenied",
            "User: arn:aws:sts::111122223333:assumed-role/deployer/s is not authorized to perform: iam:GetAccountSummary on resource: * \
             because no identity-based policy allows the iam:GetAccountSummary action",
        ),
        _ => refusal("403 x", "AccessDenied", "no"),
    }
}

/// A leaked session, with values that say nothing.
fn session() -> String {
    let id = ["ASIA", "QNZGKIQY56JQ7WML"].concat();
    let token = data_encoding::BASE64.encode(&(0..300u32).map(|n| (n * 7919 % 251) as u8).collect::<Vec<_>>());
    let secret = &data_encoding::BASE64.encode(&(0..30u32).map(|n| (n * 104_729 % 253) as u8).collect::<Vec<_>>())[..40];
    let head = concat!("IQoJb3Jp", "Z2luX2Vj");
    format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nAWS_SESSION_TOKEN={head}{token}\n")
}

fn sessions(path: &'static str) -> (Scene, Provider, Arc<Mutex<Option<String>>>) {
    let (provider, policy) = roles(path);
    let scene = at_roles(&provider, Settings::default(), "aws-session-contain");
    (scene, provider, policy)
}

/// A leaked session of the role.
fn at_roles(provider: &Provider, settings: Settings, playbook: &str) -> Scene {
    let endpoint = Net::parse_endpoint(&format!("aws={}", provider.url())).expect("an endpoint");
    let manners = Manners { at_once: 4, per_second: u32::MAX, budget: u32::MAX, failures: u32::MAX };
    let net = Arc::new(Net::new(Settings { endpoints: [endpoint].into(), manners, ..settings }).expect("clients"));
    let own = AwsKey { id: "AKIDRESPONDER".to_owned(), secret: Secret::new(b"s"), token: None };
    let responder = net.responder_with(&own).expect("clients");
    let mut scene = Scene::new((net, responder), "aws-session-key", &session(), playbook);
    scene.finding.facts.insert("account".to_owned(), "111122223333".to_owned());
    scene.playbook.steps.retain(|step| step.id != "sweep");
    scene
}

#[tokio::test]
async fn sessions_of_a_role_are_denied_from_the_plans_moment_proved_and_given_back() {
    let (scene, provider, policy) = sessions("/");
    let plan = scene.plan().await.expect("a plan");
    assert!(plan.steps[0].effect.contains("role deployer"), "{}", plan.steps[0].effect);
    let run = scene.apply(&plan).await;
    assert_eq!((run.state, step(&run, "prove-refused").0), (RunState::Done, StepState::Succeeded), "{run:?}");
    let document: serde_json::Value =
        serde_json::from_str(policy.lock().expect("the policy").as_ref().expect("a policy")).expect("JSON");
    let statement = &document["Statement"][0];
    assert_eq!((&statement["Effect"], &statement["Action"]), (&json!("Deny"), &json!("*")));
    assert_eq!(statement["Condition"]["DateLessThan"]["aws:TokenIssueTime"], "1970-01-01T00:00:00.000Z");
    let puts = provider.heard().iter().filter(|asked| asked.body.contains("Action=PutRolePolicy")).count();
    assert_eq!(puts, 1);
    // Somebody else's change is not thrown away.
    *policy.lock().expect("the policy") = Some("{\"Version\":\"2012-10-17\",\"Statement\":[]}".to_owned());
    let run = scene.runner().undo(&run.id).await.expect("a run");
    assert!(step(&run, "stop").0 == StepState::UndoFailed && step(&run, "stop").1.contains("somebody changed"), "{run:?}");
    *policy.lock().expect("the policy") = Some(document.to_string());
    let run = scene.runner().undo(&run.id).await.expect("a run");
    assert_eq!((run.state, policy.lock().expect("the policy").clone()), (RunState::Undone, None));
}

#[tokio::test]
async fn a_refusal_without_an_explicit_deny_proves_nothing() {
    let (mut scene, _provider, policy) = sessions("/");
    scene.playbook.steps.retain(|step| step.id == "prove-refused");
    scene.playbook.steps[0].needs.clear();
    let plan = scene.plan().await.expect("a plan");
    let run = scene.apply(&plan).await;
    assert!(policy.lock().expect("the policy").is_none());
    let (state, why) = step(&run, "prove-refused");
    assert!(state == StepState::Unknown && why.contains("not by an explicit deny"), "{why}");
}

#[tokio::test]
async fn a_role_that_aws_keeps_for_itself_takes_no_policy_of_ours() {
    let (scene, provider, _) = sessions("/aws-reserved/sso.amazonaws.com/");
    let plan = scene.plan().await.expect("a plan");
    let run = scene.apply(&plan).await;
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Refused && why.contains("single sign-on"), "{why}");
    assert!(!provider.heard().iter().any(|asked| asked.body.contains("Action=PutRolePolicy")));
}
