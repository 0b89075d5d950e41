//! `mysql-user-alternate`: two users of a MariaDB take turns ([`super::super::login::Alternate`]).
//!
//! The second user is made once, to come from where the first may, and at each turn is given exactly what the one in use may: by the
//! server's own SHOW GRANTS, and read back before it is let in. The one that is not in use is locked, and its password is nobody's. A role
//! without rights that is granted to it, named after the plan, says whose turn it is ([`super::pair`]).
//!
//! MySQL's own server is left to a person: it has two passwords for one user instead (RETAIN CURRENT PASSWORD), keeps its users
//! otherwise, and none is at hand to be tried against.

use serde_json::{Value, json};

use super::super::World;
use super::super::keys::Trouble;
use super::super::login::{Alternate, Turns, refused};
use super::super::replace::Replace;
use super::pair::Desk;
use crate::respond::stores::{MYSQL, UrlKind};
use crate::secret::Secret;
use crate::validate::mysql_admin::MySqlPlace;

pub(in crate::respond::actions) const ALTERNATE: Replace = Replace(&Alternate::<Users>::new());

pub(super) struct Users;

impl Turns for Users {
    type Place = MySqlPlace;
    const NAME: &'static str = "mysql-user-alternate";
    const KIND: &'static UrlKind = &MYSQL;
    const PERMISSIONS: &'static [&'static str] =
        &["a MariaDB user with CREATE USER, PROCESS, SELECT on the schema mysql, and what the user may, WITH GRANT OPTION"];
    const WHAT: &'static str =
        "a new password for the user that takes turns with this one (made once; it may what this one may)";
    const UNSEEN: &'static str =
        "no session of the new user is open at the moment, and the server keeps no record of earlier ones";

    async fn about(world: &World<'_>) -> Result<Value, Trouble> {
        let mut desk = Desk::open(world).await?;
        let pair = desk.pair().await?;
        desk.fit(&pair).await?;
        let server = &desk.mark.server;
        Ok(json!({
            "object": format!("{server}/{}/{}", pair.old, pair.next),
            "server": server,
            "role": pair.old,
            "next": pair.next,
            "from": pair.host,
        }))
    }

    async fn ours(world: &World<'_>, by: &str) -> Result<Vec<String>, Trouble> {
        Desk::open(world).await?.turns_of(by).await
    }

    async fn sessions(world: &World<'_>, who: &str) -> Result<usize, Trouble> {
        Desk::open(world).await?.sessions(who).await
    }

    async fn turned(world: &World<'_>, (password, by): (&Secret, &str)) -> Result<String, Trouble> {
        let mut desk = Desk::open(world).await?;
        desk.alone().await?;
        let pair = desk.pair().await?;
        let planned = |name: &str| world.before.get(name).and_then(Value::as_str);
        if planned("next") != Some(&pair.next) || planned("from") != Some(&pair.host) {
            return Err(refused("the users are not as the plan saw them; make a new plan"));
        }
        desk.fit(&pair).await?;
        desk.alike(&pair, by).await?;
        desk.let_in(&pair, password).await?;
        Ok(pair.next)
    }

    async fn ended(world: &World<'_>, who: &str) -> Result<(), Trouble> {
        Desk::open(world).await?.ended(world, who).await
    }
}
