//! IAM: which actions there are, on what each acts, who may call it, and its answer.
//!
//! Source of shapes, quotas and error codes: IAM API reference. Two things differ from AWS: a change bites at once (AWS
//! takes seconds), and lists come whole (`IsTruncated` is always false).

mod access_keys;
mod policies;
mod service_credentials;
mod simulate;
mod users;

use super::policy::{Ask, Decision};
use super::sigv4::Caller;
use super::state::{ACCOUNT, State};
use super::wire::{Params, Refusal, Xml};

/// A call whose signer is known.
struct Asked<'a> {
    caller: &'a Caller,
    params: &'a Params,
}

impl<'a> Asked<'a> {
    /// `UserName`, or the signer's own user where AWS lets it be left out.
    fn user_or_signer(&self) -> &'a str {
        self.params.get("UserName").filter(|name| !name.is_empty()).unwrap_or(&self.caller.user)
    }

    /// `Status`, which is `Active` or `Inactive`.
    fn active(&self) -> Result<bool, Refusal> {
        match self.params.need("Status")? {
            "Active" => Ok(true),
            "Inactive" => Ok(false),
            other => Err(Refusal::invalid(format!(
                "1 validation error detected: Value '{other}' at 'status' failed to satisfy constraint: Member must \
                 satisfy enum value set: [Active, Inactive]"
            ))),
        }
    }
}

/// On what an action acts, for the policies.
#[derive(Clone, Copy)]
enum Target {
    /// The user in `UserName`, which must be there.
    User,
    /// The user in `UserName`, or the signer's.
    UserOrSigner,
    /// A user that does not exist yet.
    NewUser,
    /// All users.
    Users,
    /// The user whose key it is.
    Key,
    /// The user in `PolicySourceArn`.
    Source,
}

type Run = fn(&mut State, &Asked<'_>) -> Result<Xml, Refusal>;

const OPERATIONS: &[(&str, Target, Run)] = &[
    ("GetUser", Target::UserOrSigner, users::get),
    ("ListUsers", Target::Users, users::list),
    ("CreateUser", Target::NewUser, users::create),
    ("DeleteUser", Target::User, users::delete),
    ("ListUserTags", Target::User, users::list_tags),
    ("TagUser", Target::User, users::tag),
    ("ListGroupsForUser", Target::User, users::no_groups),
    ("ListMFADevices", Target::UserOrSigner, users::no_mfa_devices),
    ("GetLoginProfile", Target::UserOrSigner, users::no_login_profile),
    ("ListAccessKeys", Target::UserOrSigner, access_keys::list),
    ("CreateAccessKey", Target::UserOrSigner, access_keys::create),
    ("UpdateAccessKey", Target::UserOrSigner, access_keys::update),
    ("DeleteAccessKey", Target::UserOrSigner, access_keys::delete),
    ("GetAccessKeyLastUsed", Target::Key, access_keys::last_used),
    ("PutUserPolicy", Target::User, policies::put),
    ("GetUserPolicy", Target::User, policies::get),
    ("ListUserPolicies", Target::User, policies::list),
    ("DeleteUserPolicy", Target::User, policies::delete),
    ("ListAttachedUserPolicies", Target::User, policies::no_attached),
    ("SimulatePrincipalPolicy", Target::Source, simulate::run),
    ("ListServiceSpecificCredentials", Target::UserOrSigner, service_credentials::list),
    ("CreateServiceSpecificCredential", Target::User, service_credentials::create),
    ("UpdateServiceSpecificCredential", Target::UserOrSigner, service_credentials::update),
    ("DeleteServiceSpecificCredential", Target::UserOrSigner, service_credentials::delete),
];

fn find(action: &str) -> Option<&'static (&'static str, Target, Run)> {
    OPERATIONS.iter().find(|(name, ..)| *name == action)
}

/// Runs an IAM action; `None` when there is no such action here.
pub(super) fn run(state: &mut State, caller: &Caller, params: &Params, action: &str) -> Option<Result<Xml, Refusal>> {
    let &(name, target, operation) = find(action)?;
    // "You cannot call any IAM API operations unless MFA authentication information is included in the request" (STS API
    // reference, GetSessionToken); this is the error that IAM gives then.
    if caller.session.as_ref().is_some_and(|session| !session.mfa) {
        return Some(Err(Refusal::bad_token()));
    }
    let asked = Asked { caller, params };
    let allowed = resource(state, &asked, target).and_then(|(arn, shown)| {
        let action = format!("iam:{name}");
        authorise(state, caller, &action, &arn, &shown)
    });
    Some(allowed.and_then(|()| operation(state, &asked)))
}

/// What the policies see, and what a refusal names.
fn resource(state: &State, asked: &Asked<'_>, target: Target) -> Result<(String, String), Refusal> {
    let params = asked.params;
    let arn = match target {
        Target::User => user_arn(state, params.need("UserName")?),
        // `AllUsers` reads beyond one user.
        Target::UserOrSigner if params.get("AllUsers") == Some("true") => format!("arn:aws:iam::{ACCOUNT}:user/"),
        Target::UserOrSigner => user_arn(state, asked.user_or_signer()),
        Target::NewUser => {
            format!("arn:aws:iam::{ACCOUNT}:user{}{}", params.get("Path").unwrap_or("/"), params.need("UserName")?)
        }
        Target::Users => format!("arn:aws:iam::{ACCOUNT}:user/"),
        Target::Source => params.need("PolicySourceArn")?.to_owned(),
        Target::Key => {
            let id = params.need("AccessKeyId")?;
            let shown = format!("access key {id}");
            let owner = state.users.values().find(|user| user.keys.iter().any(|key| key.id == id));
            // IAM says "access denied" of a key that it does not know, to whoever asks: the API reference has no
            // NoSuchEntity for this call.
            let owner = owner.ok_or_else(|| denied(state, asked.caller, "iam:GetAccessKeyLastUsed", &shown, ""))?;
            return Ok((owner.arn(), shown));
        }
    };
    Ok((arn.clone(), arn))
}

fn user_arn(state: &State, name: &str) -> String {
    state.users.get(name).map_or_else(|| format!("arn:aws:iam::{ACCOUNT}:user/{name}"), super::state::User::arn)
}

/// Asks the caller's own policies. `shown` is how a refusal names the resource.
pub(super) fn authorise(state: &State, caller: &Caller, action: &str, resource: &str, shown: &str) -> Result<(), Refusal> {
    let context = state.context(caller);
    let user = state.users.get(&caller.user).ok_or_else(Refusal::bad_token)?;
    let why = match user.ruling(&Ask { action, resource, context: &context }).decision {
        Decision::Allowed => return Ok(()),
        Decision::ExplicitDeny => " with an explicit deny in an identity-based policy".to_owned(),
        Decision::ImplicitDeny => format!(" because no identity-based policy allows the {action} action"),
    };
    Err(denied(state, caller, action, shown, &why))
}

fn denied(state: &State, caller: &Caller, action: &str, shown: &str, why: &str) -> Refusal {
    let who = user_arn(state, &caller.user);
    let message = format!("User: {who} is not authorized to perform: {action} on resource: {shown}{why}");
    Refusal::new(403, "AccessDenied", message)
}

/// The end of every list.
fn whole(mut xml: Xml) -> Xml {
    xml.leaf("IsTruncated", "false");
    xml
}
