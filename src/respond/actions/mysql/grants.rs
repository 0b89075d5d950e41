//! What a MariaDB user may, in the words of SHOW GRANTS, and the same said for another user. Of a line nothing is changed but the user's
//! name and what it logs in with; a line that is not of the known form is none.
//! Source: MariaDB reference, SHOW GRANTS and GRANT; `sql/sql_acl.cc` (`mysql_show_grants`: names between backticks, one in a name doubled).

/// A line: what stands before the user, and what stands after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Right {
    head: String,
    tail: String,
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

impl Right {
    /// Reads a line. Nothing where it cannot be said for another user.
    pub(super) fn read(line: &str, (name, host): (&str, &str)) -> Option<Self> {
        let user = format!("{}@{}", quoted(name), quoted(host));
        let word = if line.starts_with("SET DEFAULT ROLE ") { " FOR " } else { " TO " };
        if !(word == " FOR " || line.starts_with("GRANT ")) {
            return None;
        }
        // No quoted name holds these very letters: a backtick in a name is doubled.
        let at = line.find(&format!("{word}{user}"))?;
        let (head, tail) = (&line[..at + word.len()], &line[at + word.len() + user.len()..]);
        let tail = match tail.strip_prefix(" IDENTIFIED BY PASSWORD '*") {
            Some(rest) => {
                let (verifier, rest) = rest.split_at_checked(40)?;
                verifier.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
                rest.strip_prefix('\'')?
            }
            None => tail,
        };
        let plain = tail.is_empty() || tail.starts_with(" REQUIRE ") || tail.starts_with(" WITH ");
        (plain && !tail.contains("IDENTIFIED")).then(|| Self { head: head.to_owned(), tail: tail.to_owned() })
    }

    /// The same for another user. What says nothing but how one logs in is no right: only whoever may give rights on everything could
    /// grant it, and whoever may make users can say it otherwise.
    pub(super) fn given(&self, name: &str, host: &str) -> String {
        let user = format!("{}@{}", quoted(name), quoted(host));
        if self.head == "GRANT USAGE ON *.* TO " && !self.tail.contains("GRANT OPTION") {
            let tail = if self.tail.is_empty() { " REQUIRE NONE" } else { &self.tail };
            return format!("ALTER USER {user}{tail}");
        }
        format!("{}{user}{}", self.head, self.tail)
    }
}

/// Whether a line gives a role whose name begins so.
pub(super) fn is_of(line: &str, roles: &str) -> bool {
    line.strip_prefix("GRANT `").is_some_and(|rest| rest.starts_with(roles)) && !line.contains(" ON ")
}

#[cfg(test)]
mod tests {
    use super::{Right, is_of};

    #[test]
    fn what_a_user_may_is_said_for_another_and_nothing_else_of_it_changes() {
        let verifier = "0123456789".repeat(4);
        for (line, given) in [
            ("GRANT USAGE ON *.* TO `shop`@`%`", "ALTER USER `b``c`@`10.%` REQUIRE NONE"),
            (
                "GRANT SELECT, INSERT (`a`) ON `x`.`t` TO `shop`@`%` WITH GRANT OPTION",
                "GRANT SELECT, INSERT (`a`) ON `x`.`t` TO `b``c`@`10.%` WITH GRANT OPTION",
            ),
            (
                "GRANT USAGE ON *.* TO `shop`@`%` IDENTIFIED BY PASSWORD '*HASH' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5",
                "ALTER USER `b``c`@`10.%` REQUIRE SSL WITH MAX_USER_CONNECTIONS 5",
            ),
            (
                "GRANT SELECT ON `a TO ``shop``@``%```.* TO `shop`@`%`",
                "GRANT SELECT ON `a TO ``shop``@``%```.* TO `b``c`@`10.%`",
            ),
            ("GRANT `reader` TO `shop`@`%`", "GRANT `reader` TO `b``c`@`10.%`"),
            ("SET DEFAULT ROLE `reader` FOR `shop`@`%`", "SET DEFAULT ROLE `reader` FOR `b``c`@`10.%`"),
        ] {
            let right = Right::read(&line.replace("HASH", &verifier), ("shop", "%")).expect(line);
            assert_eq!(right.given("b`c", "10.%"), given, "{line}");
        }
        for other in [
            "GRANT PROXY ON 'a'@'%' TO 'shop'@'%'",
            "GRANT USAGE ON *.* TO `shop`@`%` IDENTIFIED VIA ed25519 USING 'x'",
            "GRANT USAGE ON *.* TO `shop`@`%` IDENTIFIED BY PASSWORD '*short'",
            "GRANT USAGE ON *.* TO `shop2`@`%`",
            "DROP USER `x` TO `shop`@`%`",
        ] {
            assert_eq!(Right::read(other, ("shop", "%")), None, "{other}");
        }
        assert!(is_of("GRANT `staunch-1` TO `shop`@`%`", "staunch-"));
        assert!(!is_of("GRANT SELECT ON `staunch-1`.* TO `shop`@`%`", "staunch-"));
    }
}
