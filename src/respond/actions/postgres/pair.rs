//! Two roles of a server that take turns: who they are, whether they are fit for another turn, and the one transaction that makes it the
//! other's. The comment on the second role is all that is remembered.
//! Source: the PostgreSQL documentation: CREATE ROLE (a verifier is stored as it is), ALTER ROLE (SET, IN DATABASE), COMMENT (a role's
//! needs CREATEROLE), "Message Flow" (several statements of one simple query are one transaction), SET ROLE ("RESET ROLE" goes back to
//! ALTER ROLE's setting), `pg_db_role_setting`, `pg_shdepend`.

use postgres_protocol::password::scram_sha_256;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::World;
use super::super::keys::Trouble;
use super::super::login::{Mark, SUFFIX, mark, refused, settled};
use super::super::replace::label;
use super::alternate::Roles;
use super::{BUSY, LOOKS, PAUSE, settings};
use crate::secret::Secret;
use crate::validate::sql::{Rows, SqlPlace, SqlSession, SqlTrouble, identifier, literal};

/// Before the JSON of a role's comment.
const MARK: &str = "staunch: ";
/// Bytes of a name: NAMEDATALEN - 1.
const LONGEST: usize = 63;

/// What the comment on a second role says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Turn {
    /// The first role.
    pub(super) base: String,
    /// Whose turn it is.
    pub(super) turn: String,
    /// By which plan; nobody's once it was walked back.
    pub(super) by: Option<String>,
    /// The plan that made the second role.
    made: String,
}

impl Turn {
    fn read(comment: &str) -> Option<Self> {
        serde_json::from_str(comment.strip_prefix(MARK)?).ok()
    }

    fn comment(&self) -> String {
        format!("{MARK}{}", json!(self))
    }
}

/// A second role and its comment.
pub(super) struct Marked {
    pub(super) role: String,
    pub(super) comment: String,
    pub(super) turn: Turn,
}

const TOO_OLD: &str = "the server is older than PostgreSQL 17.2, 16.6, 15.10, 14.15, 13.18 or 12.22, and may take away from a session the \
                       role that is set for its login; update it, or rotate by hand";

/// What is known of a role.
struct Known {
    login: bool,
    special: bool,
    limit: String,
    until: Option<String>,
    expired: bool,
    sessions: usize,
}

/// Two roles that take turns.
pub(super) struct Pair {
    pub(super) base: String,
    /// Whose password leaked, or is to be replaced.
    pub(super) old: String,
    /// Whose turn is next.
    pub(super) next: String,
    /// The second role's, where there is one.
    pub(super) marked: Option<Marked>,
}

impl From<SqlTrouble> for Trouble {
    fn from(trouble: SqlTrouble) -> Self {
        match trouble {
            SqlTrouble::Said(code) if code == "42501" => Self::Refused {
                status: 0,
                why: "the settings' role may not do that (42501): it needs CREATEROLE, from PostgreSQL 16 on with ADMIN OPTION on the \
                      role, or superuser"
                    .to_owned(),
            },
            // What the transaction asks for first: that everything is as it was looked at.
            SqlTrouble::Said(code) if code == "22012" || code == "42710" || code == "XX000" => {
                Self::Failed(format!("somebody changed the roles at the same time ({code}); nothing was changed"))
            }
            SqlTrouble::Said(code) if code == BUSY => {
                Self::Failed(format!("another session has the roles in hand ({code}); nothing was changed"))
            }
            SqlTrouble::Said(code) => Self::Failed(format!("the server said {code}; nothing was changed")),
            SqlTrouble::Unproved(why) => Self::Refused { status: 0, why },
            SqlTrouble::Broken(why) => Self::Unknown(why),
        }
    }
}

/// The operator's session at the role's server.
pub(super) struct Desk {
    pub(super) mark: Mark,
    /// The operator's own role there.
    own: String,
    session: SqlSession,
}

impl Desk {
    pub(super) async fn open(world: &World<'_>) -> Result<Self, Trouble> {
        let mark = mark::<Roles>(world)?;
        let place: SqlPlace = mark.office(world).map_err(settled)?;
        let session = super::session(world, &place).await?;
        Ok(Self { own: place.role().to_owned(), mark, session })
    }

    pub(super) async fn ask(&mut self, sql: &str) -> Result<Rows, Trouble> {
        Ok(self.session.run(sql).await?)
    }

    /// One text for a question that has one answer.
    async fn one(&mut self, sql: &str) -> Result<Option<String>, Trouble> {
        Ok(self.ask(sql).await?.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    pub(super) async fn marked(&mut self) -> Result<Vec<Marked>, Trouble> {
        let sql = format!(
            "select rolname, shobj_description(oid, 'pg_authid') from pg_roles where shobj_description(oid, 'pg_authid') like {}",
            literal(&format!("{MARK}{{%"))
        );
        let marked = |row: Vec<Option<String>>| {
            let mut fields = row.into_iter();
            let (role, comment) = (fields.next()??, fields.next()??);
            Some(Marked { role, turn: Turn::read(&comment)?, comment })
        };
        Ok(self.ask(&sql).await?.into_iter().filter_map(marked).collect())
    }

    async fn known(&mut self, role: &str) -> Result<Option<Known>, Trouble> {
        let sql = format!(
            "select rolcanlogin, rolsuper or rolreplication, rolconnlimit, rolvaliduntil, coalesce(rolvaliduntil < now(), false), \
             (select count(*) from pg_stat_activity where usename = rolname) from pg_roles where rolname = {}",
            literal(role)
        );
        let Some(row) = self.ask(&sql).await?.into_iter().next() else { return Ok(None) };
        let text = |at: usize| row.get(at).cloned().flatten();
        let yes = |at: usize| text(at).as_deref() == Some("t");
        let sessions = text(5).and_then(|count| count.parse().ok());
        let sessions = sessions.ok_or_else(|| Trouble::Unknown("the answer about the role cannot be read".to_owned()))?;
        let limit = text(2).filter(|limit| limit.parse::<i32>().is_ok()).unwrap_or_else(|| "-1".to_owned());
        Ok(Some(Known { login: yes(0), special: yes(1), limit, until: text(3), expired: yes(4), sessions }))
    }

    /// How many sessions of a role are open; none where there is no such role.
    pub(super) async fn sessions(&mut self, role: &str) -> Result<usize, Trouble> {
        Ok(self.known(role).await?.map_or(0, |known| known.sessions))
    }

    pub(super) async fn pair(&mut self) -> Result<Pair, Trouble> {
        let old = self.mark.name.clone();
        let mut marked = self.marked().await?;
        if let Some(at) = marked.iter().position(|one| one.role == old) {
            let one = marked.swap_remove(at);
            return Ok(Pair { base: one.turn.base.clone(), next: one.turn.base.clone(), old, marked: Some(one) });
        }
        marked.retain(|one| one.turn.base == old);
        if marked.len() > 1 {
            let names = marked.iter().map(|one| one.role.as_str()).collect::<Vec<_>>().join(", ");
            return Err(refused(format!("several roles say that they take turns with {old}: {names}; drop all but one")));
        }
        let next = marked.first().map_or_else(|| format!("{old}{SUFFIX}"), |one| one.role.clone());
        if next.len() > LONGEST {
            return Err(refused(format!("{old} is too long a name for a second role beside it; rotate it by hand")));
        }
        Ok(Pair { base: old.clone(), next, old, marked: marked.pop() })
    }

    /// Whether a role that is set at login is there at login, and again after a pooler's `DISCARD ALL`.
    async fn apt(&mut self) -> Result<(), Trouble> {
        let said = self.one("show server_version_num").await?;
        let version = said.as_deref().and_then(|said| said.parse().ok());
        let version = version.ok_or_else(|| Trouble::Unknown("the server's version is not told".to_owned()))?;
        if is_apt(version) { Ok(()) } else { Err(refused(TOO_OLD)) }
    }

    /// Whether the pair is fit for another turn.
    pub(super) async fn fit(&mut self, pair: &Pair) -> Result<(), Trouble> {
        self.apt().await?;
        let (old, next) = (&pair.old, &pair.next);
        for role in [old, &pair.base] {
            let known = self.known(role).await?;
            let known = known.ok_or_else(|| refused(format!("the server has no role {role}; a pooler may map names")))?;
            if known.special {
                let what = "is a superuser or replicates, which a second role cannot take over; rotate it by hand";
                return Err(refused(format!("{role} {what}")));
            }
            if role == old && (!known.login || known.expired) {
                return Err(refused(format!("{role} may not log in, so there is nothing in use to be replaced")));
            }
        }
        if *next == self.own {
            return Err(refused(format!("{next} is the responder's own role; act with another")));
        }
        match (self.known(next).await?, &pair.marked) {
            (None, None) => {}
            (Some(_), None) => {
                let what = "there already, and was not made to take turns with it: rename it, or rotate by hand";
                return Err(refused(format!("the second role would be {next}; it is {what}")));
            }
            (None, Some(_)) => return Err(refused(format!("{next}, which should take its turn, is not there any more"))),
            (Some(known), Some(_)) if known.login || known.sessions > 0 => {
                return Err(refused(format!(
                    "{next} may log in or is logged in, though it is not its turn: if nobody uses it, `ALTER ROLE … NOLOGIN`, then make a \
                     new plan"
                )));
            }
            (Some(_), Some(one)) => self.whole(one).await?,
        }
        Ok(())
    }

    /// Whether a second role may do what the first may, and has nothing of its own that the first could not reach.
    async fn whole(&mut self, one: &Marked) -> Result<(), Trouble> {
        let base = &one.turn.base;
        let sql = format!("select pg_has_role({}, {}, 'member')", literal(&one.role), literal(base));
        if self.one(&sql).await?.as_deref() != Some("t") {
            return Err(refused(format!("{} is no member of {base} any more", one.role)));
        }
        // What it may besides, the first role may not, and nobody would notice until its turn is over.
        let sql = format!(
            "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or exists (select from pg_auth_members m \
             where m.member = r.oid and m.roleid <> (select oid from pg_roles where rolname = {})) from pg_roles r where rolname = {}",
            literal(base),
            literal(&one.role)
        );
        if self.one(&sql).await?.as_deref() != Some("f") {
            return Err(refused(format!(
                "{0} may do more than {base}, or is a member of other roles than {base}: give that to {base}, take it from {0}, then make a \
                 new plan",
                one.role
            )));
        }
        let sql = format!(
            "select count(*) from pg_shdepend where refclassid = 'pg_authid'::regclass and deptype in ('o', 'a', 'r') and classid <> \
             'pg_auth_members'::regclass and refobjid = (select oid from pg_roles where rolname = {})",
            literal(&one.role)
        );
        if self.one(&sql).await?.as_deref() != Some("0") {
            return Err(refused(format!(
                "{0} owns something or was granted something itself, which {base} could not reach in its turn: `REASSIGN OWNED BY {0} TO \
                 {base}` and grant it to {base}, in each database, then make a new plan",
                one.role
            )));
        }
        Ok(())
    }

    /// Everything that makes it the next role's turn, for one transaction.
    pub(super) async fn turned(&mut self, pair: &Pair, (password, by): (&Secret, &str)) -> Result<String, Trouble> {
        let next = identifier(&pair.next);
        // Whatever the server makes of passwords itself: who has an md5 verifier can log in with it, and statements may be logged.
        let verifier = scram_sha_256(password.expose());
        let verifier = literal(&verifier);
        let turn = |made: String| Turn { base: pair.base.clone(), turn: pair.next.clone(), by: Some(by.to_owned()), made };
        let Some(marked) = &pair.marked else {
            let known = self.known(&pair.base).await?.ok_or(Trouble::Absent)?;
            let mut all = vec![
                format!("create role {next} login inherit {} password {verifier}", bounds(&known)),
                format!("grant {} to {next}", identifier(&pair.base)),
            ];
            all.extend(self.settings(pair).await?);
            all.push(format!("comment on role {next} is {}", literal(&turn(by.to_owned()).comment())));
            return Ok(all.join("; "));
        };
        let mut all = if pair.next == marked.role {
            let known = self.known(&pair.base).await?.ok_or(Trouble::Absent)?;
            let mut all = vec![format!("alter role {next} login {} password {verifier}", bounds(&known))];
            all.extend(self.settings(pair).await?);
            all
        } else {
            vec![format!("alter role {next} login password {verifier}")]
        };
        // Of two at once the second waits for the first's role, and then finds another comment.
        all.push(format!(
            "select 1 / count(*) from pg_roles where rolname = {} and shobj_description(oid, 'pg_authid') = {}",
            literal(&marked.role),
            literal(&marked.comment)
        ));
        let comment = literal(&turn(marked.turn.made.clone()).comment());
        all.push(format!("comment on role {} is {comment}", identifier(&marked.role)));
        Ok(all.join("; "))
    }

    /// The first role's settings, for the second; and that it takes the first's place at login.
    async fn settings(&mut self, pair: &Pair) -> Result<Vec<String>, Trouble> {
        let next = identifier(&pair.next);
        let of = |role: &str| {
            format!(
                "select coalesce(d.datname, ''), unnest(s.setconfig) from pg_db_role_setting s left join pg_database d on d.oid = \
                 s.setdatabase where s.setrole = (select oid from pg_roles where rolname = {})",
                literal(role)
            )
        };
        let (mut all, mut becomes) = (Vec::new(), true);
        let place = |database: &str| match database {
            "" => String::new(),
            name => format!(" in database {}", identifier(name)),
        };
        let mut stale: Vec<String> = Vec::new();
        if pair.marked.is_some() {
            for row in self.ask(&of(&pair.next)).await? {
                let database = row.into_iter().next().flatten().unwrap_or_default();
                if !stale.contains(&database) {
                    all.push(format!("alter role {next}{} reset all", place(&database)));
                    stale.push(database);
                }
            }
        }
        for row in self.ask(&of(&pair.base)).await? {
            let mut fields = row.into_iter().flatten();
            let (Some(database), Some(setting)) = (fields.next(), fields.next()) else { continue };
            let written = settings::set(&setting).ok_or_else(|| {
                refused(format!("a setting of {} cannot be read, so it cannot be given to {}", pair.base, pair.next))
            })?;
            // The first takes another's place itself.
            becomes &= !(database.is_empty() && written.starts_with("\"role\" "));
            all.push(format!("alter role {next}{} set {written}", place(&database)));
        }
        if becomes {
            all.push(format!("alter role {next} set role to {}", literal(&pair.base)));
        }
        Ok(all)
    }

    /// Waits until nobody is logged in as a role. A login that was ours takes a moment to end.
    async fn quiet(&mut self, role: &str) -> Result<(), Trouble> {
        for look in 1.. {
            let sessions = self.sessions(role).await?;
            if sessions == 0 {
                break;
            }
            if look > LOOKS {
                return Err(Trouble::Failed(format!("{role} has {sessions} open session(s), so somebody uses it")));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Ends a turn of this plan's.
    pub(super) async fn ended(&mut self, world: &World<'_>, role: &str) -> Result<(), Trouble> {
        let by = label(world.plan);
        let ours = |one: &&Marked| one.turn.by.as_deref() == Some(&by) && one.turn.turn == role;
        let marked = self.marked().await?;
        let marked = marked.iter().find(ours).ok_or(Trouble::Absent)?;
        self.quiet(role).await?;
        let name = identifier(role);
        if marked.role == role && marked.turn.made == by {
            match self.session.run(&format!("drop role {name}")).await {
                Ok(_) => return Ok(()),
                // Something is its own; then it stays, and nobody can log in as it.
                Err(SqlTrouble::Said(code)) if code == "2BP01" => {}
                Err(trouble) => return Err(trouble.into()),
            }
        }
        let other = if marked.role == role { &marked.turn.base } else { &marked.role };
        let turn = Turn { turn: other.clone(), by: None, ..marked.turn.clone() };
        let sql = format!(
            "alter role {name} nologin password null; comment on role {} is {}",
            identifier(&marked.role),
            literal(&turn.comment())
        );
        self.ask(&sql).await.map(drop)
    }
}

/// Before 14 November 2024 resetting the session's authorization took the role with it (CVE-2024-10978); the minors that mended it did
/// not apply a role that is set for a login, which those of a week later do again. What comes after 17 has both.
/// Source: PostgreSQL release notes 17.2, 16.6, 15.10, 14.15, 13.18 and 12.22, "Restore functionality of ALTER {ROLE|DATABASE} SET role"
/// (<https://www.postgresql.org/docs/13/release-13-18.html>); `server_version_num` is the major version times 10000 and the minor.
fn is_apt(version: u32) -> bool {
    const FIRST: [(u32, u32); 6] = [(12, 22), (13, 18), (14, 15), (15, 10), (16, 6), (17, 2)];
    let (major, minor) = (version / 10_000, version % 10_000);
    major > 17 || FIRST.iter().any(|first| first.0 == major && minor >= first.1)
}

/// What bounds a role's logins.
fn bounds(known: &Known) -> String {
    let until = known.until.as_deref().unwrap_or("infinity");
    format!("connection limit {} valid until {}", known.limit, literal(until))
}

#[cfg(test)]
mod tests {
    use super::is_apt;

    #[test]
    fn only_servers_that_apply_the_role_that_is_set_for_a_login_are_apt() {
        for apt in [120_022, 130_018, 140_023, 150_010, 160_006, 170_002, 180_000, 190_001] {
            assert!(is_apt(apt), "{apt}");
        }
        for old in [90_624, 110_022, 120_021, 130_017, 150_009, 160_005, 170_000, 170_001] {
            assert!(!is_apt(old), "{old}");
        }
    }
}
