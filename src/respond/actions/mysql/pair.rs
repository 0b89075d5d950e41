//! Two users of a MariaDB that take turns: who they are, whether they are fit for another turn, and what makes it the other's. Each
//! statement about users takes effect by itself, so they go in an order in which every one but the last helps nobody: a locked user whose
//! password is nobody's, what it may, and whose turn it is; the last one gives it the new password and unlocks it, in one.
//!
//! Who is locked and has a password that is nobody's was left so by a turn, and by nothing else: that is how the two know each other. Two
//! plans at once are kept apart by a lock of the server's that lasts as long as the session.
//!
//! Sources: MariaDB reference, CREATE USER and ALTER USER (`IDENTIFIED VIA mysql_native_password USING`, ACCOUNT LOCK, PASSWORD EXPIRE; both
//! options in one statement), GRANT, SHOW GRANTS, `mysql.global_priv`, `mysql.roles_mapping` (whoever makes a role has it with the admin
//! option), DROP ROLE, `GET_LOCK`; a locked user stays the definer of what it has made, which goes on working.

use super::super::World;
use super::super::keys::Trouble;
use super::super::login::{Mark, SUFFIX, mark, refused, settled};
use super::super::replace::label;
use super::alternate::Users;
use super::{LOOKS, PAUSE, grants};
use crate::secret::Secret;
use crate::validate::mysql_admin::{MySqlPlace, MySqlSession, MySqlTrouble, Rows, literal, native_verifier, nobodys};

/// The first version that locks users (10.4.2).
const FIRST: (u32, u32) = (10, 4);
/// Roles that say whose turn it is.
const TAGS: &str = "staunch-";

/// What is known of a user.
pub(super) struct Known {
    pub(super) host: String,
    locked: bool,
    /// Its password is nobody's.
    idle: bool,
    /// Why it cannot be replaced by another that logs in with a password and nothing else.
    unfit: Option<&'static str>,
    /// After how many days its password expires; -1 is the server's word for whatever is usual.
    lifetime: i64,
}

/// Two users that take turns.
pub(super) struct Pair {
    /// Whose password leaked, or is to be replaced.
    pub(super) old: String,
    /// Whose turn is next.
    pub(super) next: String,
    /// From where both may come.
    pub(super) host: String,
    /// What is known of the next, where it is there.
    there: Option<Known>,
    lifetime: i64,
}

impl From<MySqlTrouble> for Trouble {
    fn from(trouble: MySqlTrouble) -> Self {
        match trouble {
            // Of a right on everything that is not there to be given, the word is that of a wrong password.
            MySqlTrouble::Said(code @ (1044 | 1045 | 1698 | 1142 | 1143 | 1227 | 1410 | 1370)) => refused(format!(
                "the settings' user may not do that ({code}): it needs CREATE USER, PROCESS, SELECT on the schema mysql, and what the user \
                 may WITH GRANT OPTION; nobody was let in"
            )),
            MySqlTrouble::Said(code) => Self::Failed(format!("the server said {code}; nobody was let in")),
            MySqlTrouble::Broken(why) => Self::Unknown(why),
        }
    }
}

/// The operator's session at the user's server.
pub(super) struct Desk {
    pub(super) mark: Mark,
    /// The operator's own user there.
    own: String,
    session: MySqlSession,
}

impl Desk {
    pub(super) async fn open(world: &World<'_>) -> Result<Self, Trouble> {
        let mark = mark::<Users>(world)?;
        let place: MySqlPlace = mark.office(world).map_err(settled)?;
        let session = MySqlSession::open(&world.hands.net, &place).await.map_err(|trouble| match trouble {
            MySqlTrouble::Said(code @ (1045 | 1698)) => {
                refused(format!("the server does not take the settings' credential ({code})"))
            }
            other => other.into(),
        })?;
        let mut desk = Self { own: place.user().to_owned(), mark, session };
        let version = desk.one("select version()").await?.unwrap_or_default();
        if !is_apt(&version) {
            return Err(refused(format!(
                "users take turns only at MariaDB from 10.4 on, and this is {version}: at MySQL give the user a second password by hand (ALTER \
                 USER … IDENTIFIED BY … RETAIN CURRENT PASSWORD, later DISCARD OLD PASSWORD)"
            )));
        }
        Ok(desk)
    }

    async fn ask(&mut self, sql: &str) -> Result<Rows, Trouble> {
        Ok(self.session.run(sql).await?)
    }

    /// One text for a question that has one answer.
    async fn one(&mut self, sql: &str) -> Result<Option<String>, Trouble> {
        Ok(self.ask(sql).await?.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    /// The first fields of every row.
    async fn all(&mut self, sql: &str) -> Result<Vec<String>, Trouble> {
        Ok(self.ask(sql).await?.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    /// Makes sure that no other plan has these users in hand while this session lasts. One whose connection broke may have it yet for a
    /// moment. Names of locks are short.
    pub(super) async fn alone(&mut self) -> Result<(), Trouble> {
        let name = nobodys(self.mark.name.strip_suffix(SUFFIX).unwrap_or(&self.mark.name));
        match self.one(&format!("select get_lock({}, 5)", literal(&name))).await?.as_deref() {
            Some("1") => Ok(()),
            _ => Err(Trouble::Failed("another session has the users in hand; nothing was changed".to_owned())),
        }
    }

    /// The user of that name, where there is one alone.
    pub(super) async fn known(&mut self, name: &str) -> Result<Option<Known>, Trouble> {
        let unread = || Trouble::Unknown("the answer about the user cannot be read".to_owned());
        let field = |name: &str, or: &str| format!("coalesce(json_value(Priv, '$.{name}'), {or})");
        let sql = format!(
            "select Host, {} in ('1', 'true'), {} = {}, {} = 'mysql_native_password' and not json_exists(Priv, '$.auth_or'), {}, {} = 0 from \
             mysql.global_priv where User = {} and Host <> '' order by Host",
            field("account_locked", "0"),
            field("authentication_string", "''"),
            literal(&nobodys(name)),
            field("plugin", "'mysql_native_password'"),
            field("password_lifetime", "-1"),
            field("password_last_changed", "1"),
            literal(name),
        );
        let rows = self.ask(&sql).await?;
        let row = match rows.as_slice() {
            [] => return Ok(None),
            [row] => row,
            several => {
                let hosts: Vec<&str> = several.iter().filter_map(|row| row.first()?.as_deref()).collect();
                return Err(refused(format!(
                    "{name} has several accounts, from {}; rotate it by hand",
                    hosts.join(" and ")
                )));
            }
        };
        let text = |at: usize| row.get(at)?.as_deref();
        let yes = |at: usize| text(at).map(|text| text == "1").ok_or_else(unread);
        Ok(Some(Known {
            host: text(0).ok_or_else(unread)?.to_owned(),
            locked: yes(1)?,
            idle: yes(2)?,
            unfit: match (yes(3)?, yes(5)?) {
                (false, _) => Some("does not log in with a password alone; rotate it by hand"),
                (true, true) => Some("has a password that has expired, so there is nothing in use to be replaced"),
                (true, false) => None,
            },
            lifetime: text(4).and_then(|days| days.parse().ok()).ok_or_else(unread)?,
        }))
    }

    /// How many sessions of a user are open. Names are told apart by their case, and this column compares without it.
    pub(super) async fn sessions(&mut self, name: &str) -> Result<usize, Trouble> {
        let sql =
            format!("select count(*) from information_schema.PROCESSLIST where cast(USER as binary) = {}", literal(name));
        let count = self.one(&sql).await?.and_then(|count| count.parse().ok());
        count.ok_or_else(|| Trouble::Unknown("the answer about the user's sessions cannot be read".to_owned()))
    }

    /// Users that are let in and have that plan's role; the one who made it has it as well, to give.
    pub(super) async fn turns_of(&mut self, by: &str) -> Result<Vec<String>, Trouble> {
        let sql = format!(
            "select m.User from mysql.roles_mapping m join mysql.global_priv g on g.User = m.User and g.Host = m.Host where m.Role = {} and \
             m.Host <> '' and m.Admin_option <> 'Y' and coalesce(json_value(g.Priv, '$.account_locked'), 0) not in ('1', 'true')",
            literal(by)
        );
        self.all(&sql).await
    }

    /// Who takes turns with the user.
    pub(super) async fn pair(&mut self) -> Result<Pair, Trouble> {
        let old = self.mark.name.clone();
        let known = self.known(&old).await?;
        let known = known.ok_or_else(|| refused(format!("the server has no user {old}; a proxy may map names")))?;
        if let Some(why) =
            known.unfit.or(known.locked.then_some("may not log in, so there is nothing in use to be replaced"))
        {
            return Err(refused(format!("{old} {why}")));
        }
        // A second one goes back to the first, where that was left by a turn.
        if let Some(first) = old.strip_suffix(SUFFIX).filter(|first| !first.is_empty()).map(str::to_owned)
            && let Ok(Some(there)) = self.known(&first).await
            && there.locked
            && there.idle
            && there.host == known.host
        {
            return Ok(Pair { old, next: first, host: known.host, there: Some(there), lifetime: known.lifetime });
        }
        let next = format!("{old}{SUFFIX}");
        let there = self.known(&next).await?;
        Ok(Pair { old, next, host: known.host, there, lifetime: known.lifetime })
    }

    /// Whether the pair is fit for another turn.
    pub(super) async fn fit(&mut self, pair: &Pair) -> Result<(), Trouble> {
        let next = &pair.next;
        if *next == self.own {
            return Err(refused(format!("{next} is the responder's own user; act with another")));
        }
        // What cannot be copied is seen before anything is made.
        self.rights(&pair.old, &pair.host).await?;
        let Some(there) = &pair.there else { return Ok(()) };
        if !there.idle || there.host != pair.host {
            return Err(refused(format!(
                "the second user would be {next}; it is there already, and was not left by an earlier turn: rename it, or rotate by hand"
            )));
        }
        if !there.locked || self.sessions(next).await? > 0 {
            return Err(refused(format!(
                "{next} may log in or is logged in, though it is not its turn: if nobody uses it, `ALTER USER … ACCOUNT LOCK`, then make a \
                 new plan"
            )));
        }
        Ok(())
    }

    /// What a user may, as statements for whoever comes in its place.
    async fn rights(&mut self, name: &str, host: &str) -> Result<Vec<grants::Right>, Trouble> {
        let said = self.all(&format!("show grants for {}@{}", literal(name), literal(host))).await?;
        let mut rights = Vec::new();
        for line in said.iter().filter(|line| !grants::is_of(line, TAGS)) {
            let right = grants::Right::read(line, (name, host));
            let unread = || {
                refused(format!("something that {name} may cannot be given to another user by its words; rotate it by hand"))
            };
            rights.push(right.ok_or_else(unread)?);
        }
        rights.sort();
        Ok(rights)
    }

    /// Makes the next user what the old one is, but for its password: nobody can log in as it yet.
    pub(super) async fn alike(&mut self, pair: &Pair, by: &str) -> Result<(), Trouble> {
        let (host, tag) = (literal(&pair.host), literal(by));
        let user = format!("{}@{host}", literal(&pair.next));
        let wanted = self.rights(&pair.old, &pair.host).await?;
        if pair.there.is_some() {
            let sql = format!(
                "alter user {user} require none with max_queries_per_hour 0 max_updates_per_hour 0 max_connections_per_hour 0 \
                 max_user_connections 0 max_statement_time 0"
            );
            self.ask(&sql).await?;
            self.ask(&format!("revoke all privileges, grant option from {user}")).await?;
            self.untagged(&pair.next, &pair.host).await?;
        } else {
            let nobody = literal(&nobodys(&pair.next));
            self.ask(&format!("create user {user} identified via mysql_native_password using {nobody} account lock"))
                .await?;
        }
        for right in &wanted {
            self.ask(&right.given(&pair.next, &pair.host)).await?;
        }
        // Whoever makes a role may give it; one that an earlier attempt has left is somebody else's perhaps.
        self.ask(&format!("drop role if exists {tag}")).await?;
        self.ask(&format!("create role {tag}")).await?;
        self.ask(&format!("grant {tag} to {user}")).await?;
        if self.rights(&pair.next, &pair.host).await? != wanted {
            return Err(refused(format!(
                "{0} may not do the same as {1} after what {1} may was given to it: see SHOW GRANTS of both, and bring them into line; {0} \
                 stays locked",
                pair.next, pair.old
            )));
        }
        Ok(())
    }

    /// Gives it the new password and lets it in.
    pub(super) async fn let_in(&mut self, pair: &Pair, password: &Secret) -> Result<(), Trouble> {
        // Somebody may have changed it by hand, which no lock of ours keeps from.
        if !self.known(&pair.next).await?.is_some_and(|known| known.locked && known.idle) {
            return Err(Trouble::Failed(format!("somebody changed {} at the same time; nobody was let in", pair.next)));
        }
        let expire = match pair.lifetime {
            0 => "never".to_owned(),
            days @ 1.. => format!("interval {days} day"),
            _ => "default".to_owned(),
        };
        let (user, verifier) = (literal(&pair.next), literal(&native_verifier(password.expose())));
        let sql = format!(
            "alter user {user}@{} identified via mysql_native_password using {verifier} account unlock password expire {expire}",
            literal(&pair.host)
        );
        self.ask(&sql).await.map(drop)
    }

    /// Takes away what says whose turn a user's is.
    pub(super) async fn untagged(&mut self, name: &str, host: &str) -> Result<(), Trouble> {
        let tags = format!(
            "select distinct Role from mysql.roles_mapping where User = {} and Host = {} and Role like '{TAGS}%' and Admin_option <> 'Y'",
            literal(name),
            literal(host)
        );
        for stale in self.all(&tags).await? {
            self.ask(&format!("drop role {}", literal(&stale))).await?;
        }
        Ok(())
    }

    /// Takes a password away from a user who may not log in.
    pub(super) async fn emptied(&mut self, name: &str, host: &str) -> Result<(), Trouble> {
        let sql = format!(
            "alter user {}@{} identified via mysql_native_password using {} account lock",
            literal(name),
            literal(host),
            literal(&nobodys(name))
        );
        self.ask(&sql).await.map(drop)
    }

    /// Waits until nobody is logged in as a user. A login that was ours takes a moment to end.
    async fn quiet(&mut self, name: &str) -> Result<(), Trouble> {
        for look in 1.. {
            let sessions = self.sessions(name).await?;
            if sessions == 0 {
                break;
            }
            if look > LOOKS {
                return Err(Trouble::Failed(format!("{name} has {sessions} open session(s), so somebody uses it")));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Ends a turn of this plan's. The user stays, for its next turn and as the definer of what it may have made.
    pub(super) async fn ended(&mut self, world: &World<'_>, name: &str) -> Result<(), Trouble> {
        self.alone().await?;
        let by = label(world.plan);
        if !self.turns_of(&by).await?.iter().any(|one| one == name) {
            return Err(Trouble::Absent);
        }
        self.quiet(name).await?;
        let known = self.known(name).await?.ok_or(Trouble::Absent)?;
        self.emptied(name, &known.host).await?;
        self.ask(&format!("drop role if exists {}", literal(&by))).await.map(drop)
    }
}

impl Known {
    /// Whether an earlier turn has left it: it may not log in, and its password is nobody's.
    pub(super) fn was_left(&self) -> bool {
        self.locked && self.idle
    }

    pub(super) fn is_locked(&self) -> bool {
        self.locked
    }
}

/// Whether a server's word for its version is of a MariaDB that locks users.
fn is_apt(version: &str) -> bool {
    // Some say `5.5.5-` first, for the sake of old replicas.
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version.contains("MariaDB") && (major, minor) >= FIRST
}

#[cfg(test)]
mod tests {
    use super::is_apt;

    #[test]
    fn only_a_mariadb_that_locks_users_is_apt() {
        for apt in ["10.11.19-MariaDB", "5.5.5-10.6.1-MariaDB-log", "11.4.2-MariaDB-ubu2404", "10.4.2-MariaDB"] {
            assert!(is_apt(apt), "{apt}");
        }
        for other in ["8.4.3", "10.3.39-MariaDB", "5.5.5-10.1.48-MariaDB", "8.0.36-28 Percona", ""] {
            assert!(!is_apt(other), "{other}");
        }
    }
}
