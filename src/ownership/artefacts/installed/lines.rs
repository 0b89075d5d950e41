//! Lines that install: what they copy where, with the names that a spec file gives its sources filled in.

use super::{INSTALLED, ROOTS};

/// Options of `install` that a word of their own follows.
const WITH_WORD: [&str; 4] = ["-m", "-o", "-g", "-S"];

/// Source and destination of each file that a line copies.
pub(super) fn commands(line: &str, lists: bool) -> Vec<(&str, &str)> {
    let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
    if lists {
        let comment = words.first().is_none_or(|first| first.starts_with('#'));
        return words
            .split_last()
            .filter(|_| !comment)
            .map_or(Vec::new(), |(to, all)| all.iter().map(|from| (*from, *to)).collect());
    }
    let name =
        |word: &str| matches!(word.trim_start_matches(['@', '-', '\t']), "install" | "cp" | "$(INSTALL)" | "%{__install}");
    let Some(start) = words.iter().position(|word| name(word)).filter(|_| !line.trim_start().starts_with('#')) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    let mut rest = words[start + 1..].iter();
    while let Some(word) = rest.next() {
        match *word {
            "&&" | "||" | ";" | "|" => break,
            word if WITH_WORD.contains(&word) => {
                rest.next();
            }
            word if word.starts_with('-') => {}
            word => files.push(word.trim_end_matches(';')),
        }
    }
    files.split_last().map_or(Vec::new(), |(to, all)| all.iter().map(|from| (*from, *to)).collect())
}

/// The path on the machine: what stands before it is the folder that the package is put together in.
pub(super) fn destination(to: &str) -> Option<String> {
    for word in ["%{_sysconfdir}", "%_sysconfdir", "$(sysconfdir)", "${sysconfdir}", "$(SYSCONFDIR)"] {
        if let Some(at) = to.find(word) {
            return Some(format!("/etc{}", &to[at + word.len()..]));
        }
    }
    let at = ROOTS.iter().filter_map(|root| to.find(root)).min();
    let bare = ROOTS.iter().any(|root| to.starts_with(&root[1..]) || format!("{to}/") == root[1..]);
    let path = at.map(|at| to[at..].to_owned()).or_else(|| bare.then(|| format!("/{to}")))?;
    (!path.contains(['$', '%', '*', '{', '('])).then_some(path)
}

/// What a spec file calls its sources, and the package.
pub(super) struct Names(Vec<(String, String)>);

impl Names {
    pub(super) fn of(text: &str) -> Self {
        let tags = text.lines().filter_map(|line| line.split_once(':')).take(INSTALLED);
        let own = tags.filter_map(|(tag, value)| {
            let (tag, value) = (tag.trim(), value.trim());
            let number = tag.strip_prefix("Source").filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
            let word = match number {
                Some(number) => format!("%{{SOURCE{}}}", if number.is_empty() { "0" } else { number }),
                None if tag == "Name" => "%{name}".to_owned(),
                None => return None,
            };
            // Of an address the last part is the file's name.
            let value = if number.is_some() { value.rsplit('/').next().unwrap_or(value) } else { value };
            Some((word, value.to_owned()))
        });
        Self(own.take(100).collect())
    }

    pub(super) fn filled(&self, text: &str) -> String {
        // Twice: a source may be called after the package.
        let once = |text: String| self.0.iter().fold(text, |text, (word, value)| text.replace(word, value));
        if text.contains('%') { once(once(text.to_owned())) } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::{commands, destination};

    #[test]
    fn lines_and_destinations() {
        assert_eq!(commands("install -m 644 -o root a b /etc/x/ && y z", false), [("a", "/etc/x/"), ("b", "/etc/x/")]);
        assert_eq!(commands("echo install", false), []);
        for (to, path) in [
            ("%{buildroot}/etc/x", Some("/etc/x")),
            ("$(DESTDIR)$(sysconfdir)/x", Some("/etc/x")),
            ("debian/api/etc/x", Some("/etc/x")),
            ("etc", Some("/etc")),
            ("build/x", None),
            ("/etc/$(NAME)", None),
        ] {
            assert_eq!(destination(to).as_deref(), path, "{to}");
        }
    }
}
