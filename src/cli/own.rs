//! `staunch own`: a person attests whose a credential is, until a day; lists what was attested, and takes it back.

use anyhow::{Context, bail, ensure};
use clap::{ArgGroup, Args};
use jiff::civil::Date;
use jiff::tz::Offset;

use super::args::Format;
use super::exit::Exit;
use super::masking;
use super::output::Output;
use super::recall;
use super::settings::Settings;
use crate::model::Attestation;
use crate::ownership::Named;
use crate::report;
use crate::store::Store;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("named").args(["team", "person", "workload"])))]
pub(super) struct OwnArgs {
    /// A finding in the store: its fingerprint, or the beginning of one. Alone it lists what was attested of it; without
    /// one all is listed.
    pub(super) fingerprint: Option<String>,
    /// The team that decides, by its name or as findings show it (`backstage:group:default/payments`).
    #[arg(long, value_name = "NAME", requires = "fingerprint", requires = "until")]
    team: Option<String>,
    /// The person who decides: a mail address or an account.
    #[arg(long, value_name = "WHO", requires = "fingerprint", requires = "until")]
    person: Option<String>,
    /// The workload that uses it, as findings show it (`k8s:prod/Deployment/api/app`).
    #[arg(long, value_name = "ID", requires = "fingerprint", requires = "until")]
    workload: Option<String>,
    /// The last day (UTC) on which this holds: YYYY-MM-DD.
    #[arg(long, value_name = "DATE", requires = "named")]
    until: Option<Date>,
    /// Take an attestation back, by the number that the list shows.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["named", "until", "fingerprint"])]
    withdraw: Option<i64>,
    /// Who says so (default: the user's name).
    #[arg(long = "as", value_name = "NAME", env = "STAUNCH_AS")]
    by: Option<String>,
}

pub(super) fn run(args: &OwnArgs, settings: &Settings) -> anyhow::Result<Exit> {
    if let Some(number) = args.withdraw {
        return withdraw(number, args, settings);
    }
    let named = match (&args.team, &args.person, &args.workload) {
        (Some(team), ..) => Some(Named::Team(team)),
        (_, Some(person), _) => Some(Named::Person(person)),
        (.., Some(workload)) => Some(Named::Workload(workload)),
        _ => None,
    };
    match (&args.fingerprint, named, args.until) {
        (Some(text), Some(named), Some(until)) => attest(text, (named, until), args, settings),
        (text, ..) => list(text.as_deref(), settings),
    }
}

fn attest(text: &str, (named, until): (Named<'_>, Date), args: &OwnArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let (edge, owner, name) = named.resolve().map_err(anyhow::Error::msg)?;
    ensure!(
        !masking::is_credential(&name),
        "whoever owns it has a name; what was given looks like a credential, and is not kept"
    );
    let by = who(args, settings)?;
    let made = settings.clock.now();
    let today = Offset::UTC.to_datetime(made).date();
    ensure!(until >= today, "{until} is past (today is {today}, UTC): an attestation must hold for a while");
    let fingerprint = recall::fingerprint(text, settings)?;
    let mut said = Attestation { id: 0, fingerprint, edge, owner, name, by, made, until, withdrawn: None };
    said.id = open(settings)?.attest(&said)?;
    show(std::slice::from_ref(&said), settings)
}

fn withdraw(number: i64, args: &OwnArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let by = who(args, settings)?;
    let mut store = open(settings)?;
    let Some(said) = store.attestations()?.into_iter().find(|one| one.id == number) else {
        bail!("there is no attestation {number}; `staunch own` lists them");
    };
    ensure!(store.withdraw(said.id, &by, settings.clock.now())?, "attestation {number} was withdrawn before");
    let all: Vec<Attestation> = store.attestations()?.into_iter().filter(|one| one.id == number).collect();
    show(&all, settings)
}

fn list(text: Option<&str>, settings: &Settings) -> anyhow::Result<Exit> {
    let fingerprint = text.map(|text| recall::fingerprint(text, settings)).transpose()?;
    let mut all = open(settings)?.attestations()?;
    all.retain(|one| fingerprint.is_none_or(|fingerprint| one.fingerprint == fingerprint));
    show(&all, settings)
}

fn open(settings: &Settings) -> anyhow::Result<Store> {
    let state = settings.state.as_ref().context("attesting needs a state folder; name one with --state")?;
    super::state::make_folder(state).with_context(|| format!("cannot make the state folder {}", state.display()))?;
    Ok(Store::open(state)?)
}

/// Whose word it is. Not proven: whoever can write the store can write any name into it.
fn who(args: &OwnArgs, settings: &Settings) -> anyhow::Result<String> {
    let name = args.by.clone().or_else(|| settings.user()).unwrap_or_default();
    let name = name.trim();
    ensure!(!name.is_empty(), "who says so? Give --as NAME");
    ensure!(
        name.len() <= 100 && report::clean(name) == name,
        "--as: a name of at most 100 characters, all of which can be seen"
    );
    ensure!(!masking::is_credential(name), "--as: what was given looks like a credential, and is not kept");
    Ok(name.to_owned())
}

fn show(all: &[Attestation], settings: &Settings) -> anyhow::Result<Exit> {
    let today = Offset::UTC.to_datetime(settings.clock.now()).date();
    Output::open(settings.output.as_ref())?.write(|out| match settings.format {
        Format::Json => report::attestations_json(all, out),
        Format::Jsonl => report::attestations_jsonl(all, out),
        _ => report::attestations(all, today, settings.look, out),
    })?;
    Ok(Exit::Clean)
}
