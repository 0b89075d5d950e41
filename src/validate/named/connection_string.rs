//! Connection strings of .NET and ODBC: which database they are for is told by the port, or by words that one driver alone knows; then
//! that database is asked. Sources: Npgsql, "Connection String Parameters" (`Host`, `Username`); MySQL Connector/NET, "Connection
//! Options"; Microsoft.Data.SqlClient, "SqlConnection.ConnectionString" (`Server=tcp:HOST,PORT`, `Initial Catalog`).

use super::login::{Login, keyword};
use super::{mysql, postgresql};
use crate::model::{Credential, Liveness};
use crate::net::Net;

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "it is for PostgreSQL or MySQL, and the server took the password"),
    ("limited", "the same, and it may not use the database, or is locked or expired"),
    ("dead", "PostgreSQL asked for the password and says that it is wrong"),
    ("unknown", "the server said something else, or may not be asked"),
];

/// A database that can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    PostgreSql,
    MySql,
}

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    match kind(credential) {
        Ok(Kind::PostgreSql) => postgresql::check(net, credential).await,
        Ok(Kind::MySql) => mysql::check(net, credential).await,
        Err(why) => Liveness::NotChecked(Some(why.to_owned())),
    }
}

/// Which it is for, where the string says so.
pub(super) fn kind(credential: &Credential) -> Result<Kind, &'static str> {
    let host = credential.part("host").and_then(|part| part.value.expose_str()).unwrap_or_default();
    if host.contains([',', '\\']) || keyword(credential, "driver").is_some_and(|name| name.contains("SQL Server")) {
        return Err("it is for SQL Server, which is not asked");
    }
    match keyword(credential, "port") {
        Some("5432") => return Ok(Kind::PostgreSql),
        Some("3306") => return Ok(Kind::MySql),
        _ => {}
    }
    let driver = keyword(credential, "driver").map(str::to_ascii_lowercase).unwrap_or_default();
    let npgsql = keyword(credential, "npgsql-host").is_some() && keyword(credential, "npgsql-user").is_some();
    match () {
        () if driver.contains("postgres") || npgsql => Ok(Kind::PostgreSql),
        () if driver.contains("mysql") || driver.contains("mariadb") => Ok(Kind::MySql),
        () => Err("the string does not say which kind of database it is for"),
    }
}

/// What would be asked.
pub(super) fn would_ask(credential: &Credential) -> Result<(&'static str, Login), Liveness> {
    let protocol = match kind(credential) {
        Ok(Kind::PostgreSql) => "postgresql",
        Ok(Kind::MySql) => "mysql",
        Err(why) => return Err(Liveness::NotChecked(Some(why.to_owned()))),
    };
    Ok((protocol, Login::of_url(credential)?))
}

#[cfg(test)]
mod tests {
    use super::super::scripted::credential;
    use super::{Kind, kind};

    #[test]
    fn ports_and_drivers_own_words_tell_the_kind() {
        for (host, before, after, expected) in [
            ("pg", "Host=pg;Port=5432;Username=app;", "", Some(Kind::PostgreSql)),
            ("db", "Server=db;Port=3306;Uid=app;", "", Some(Kind::MySql)),
            ("pg", "Host=pg;Username=app;", ";Database=shop", Some(Kind::PostgreSql)),
            ("db", "Driver={MySQL ODBC 8.0 Driver};Server=db;", "", Some(Kind::MySql)),
            ("db", "DRIVER={PostgreSQL Unicode};SERVER=db;", "", Some(Kind::PostgreSql)),
            ("db", "DRIVER={ODBC Driver 18 for SQL Server};SERVER=db;", ";Port=3306", None),
            ("sql,1433", "Server=tcp:sql,1433;", "", None),
            ("db", "Server=db;User Id=sa;", ";Database=x", None),
        ] {
            let own = credential(&[("password", "pw"), ("host", host), ("before", before), ("after", after)]);
            assert_eq!(kind(&own).ok(), expected, "{before}{after}");
            let server = kind(&own).is_err_and(|why| why.contains("SQL Server"));
            assert_eq!(server, before.contains("SQL Server") || host.contains(','), "{before}");
        }
    }
}
