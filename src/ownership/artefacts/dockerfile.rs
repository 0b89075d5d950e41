//! Dockerfiles: value → `ENV`, `ARG`, `RUN`, `CMD` or `ENTRYPOINT` → the image that is built from the file.
//!
//! The arrow ends at the image, not at what runs it. A file that is copied by name is inferred: the build context is
//! taken to be the Dockerfile's folder, which whoever builds may choose otherwise. So is what is copied with its folder or by a pattern.

use std::collections::HashSet;
use std::sync::Arc;

use parse_dockerfile::{Command, Flag, Instruction, Source, UnescapedString, parse_iter};

use super::links::{Consumer, Kind, Link, Links};
use super::{Place, Sheet, clean, file_name, folder, join};
use crate::model::{Coverage, Tier};

/// Folders that hold Dockerfiles and nothing that is built.
const KEPT: [&str; 6] = ["docker", ".docker", "dockerfiles", "build", "deploy", "ci"];

/// What Dockerfiles say.
#[derive(Default)]
pub(super) struct Dockerfile;

impl Kind for Dockerfile {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        let name = file_name(path).to_ascii_lowercase();
        let begins = |word: &str| name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let named = begins("dockerfile") || begins("containerfile") || name.ends_with(".dockerfile");
        named && !["dockerignore", "md", "j2", "erb", "tmpl"].iter().any(|ending| name.rsplit('.').next() == Some(ending))
    }

    fn is_env_file(path: &str) -> bool {
        super::dotenv::is_named_so(file_name(path)) || file_name(path) == ".dockerignore"
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        let name = format!("image of {}", sheet.path);
        let consumer = Arc::new(Consumer::new(format!("dockerfile:{}", sheet.path), name));
        let bom = text.len() - text.strip_prefix('\u{feff}').map_or(text.len(), str::len);
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        let mut desk = Desk { sheet, links, consumer, bom, newlines, set_later: HashSet::new() };
        let instructions = match parse_iter(text) {
            Ok(instructions) => instructions,
            Err(error) => return coverage.trouble(&*sheet.path, broken(&error)),
        };
        let mut read = Vec::new();
        for instruction in instructions {
            match instruction {
                Ok(instruction) => read.push(instruction),
                Err(error) => coverage.trouble(&*sheet.path, broken(&error)),
            }
        }
        // From the end: what a later ENV of the same stage sets again is not what the image runs with.
        for instruction in read.iter().rev() {
            desk.instruction(instruction);
        }
    }
}

/// In our words: the parser's own may hold the file's.
fn broken(error: &parse_dockerfile::Error) -> String {
    format!("not a valid Dockerfile at line {}", error.line())
}

/// One file while it is read.
struct Desk<'a> {
    sheet: &'a Sheet<'a>,
    links: &'a mut Links,
    consumer: Arc<Consumer>,
    /// Bytes of a byte order mark, which the parser does not count.
    bom: usize,
    newlines: Vec<usize>,
    /// What the rest of the stage sets by ENV.
    set_later: HashSet<String>,
}

impl Desk<'_> {
    fn instruction(&mut self, instruction: &Instruction<'_>) {
        match instruction {
            Instruction::From(_) => self.set_later.clear(),
            Instruction::Env(env) => {
                self.assignments(&env.arguments, "dockerfile-env", "ENV");
                let names = pairs(&env.arguments.value).into_iter().map(|(name, _)| name.to_owned());
                self.set_later.extend(names);
            }
            Instruction::Arg(arg) => self.assignments(&arg.arguments, "dockerfile-arg", "ARG"),
            Instruction::Run(run) => {
                self.command(&run.arguments, "dockerfile-run", "RUN");
                for document in &run.here_docs {
                    self.script(document.span.clone(), &document.value, ("dockerfile-run", "RUN"));
                }
            }
            Instruction::Cmd(cmd) => self.command(&cmd.arguments, "dockerfile-command", "CMD"),
            Instruction::Entrypoint(entry) => self.command(&entry.arguments, "dockerfile-command", "ENTRYPOINT"),
            Instruction::Copy(copy) => self.copy((&copy.options, &copy.src), "COPY"),
            Instruction::Add(add) => self.copy((&add.options, &add.src), "ADD"),
            _ => {}
        }
    }

    /// `NAME=value NAME="other value"`, or `NAME value`. Several share one place: the parser tells them not apart.
    fn assignments(&mut self, arguments: &UnescapedString<'_>, technique: &'static str, word: &str) {
        let (mut names, mut values, mut hidden) = (Vec::new(), Vec::new(), false);
        for (name, value) in pairs(&arguments.value) {
            hidden |= word == "ENV" && self.set_later.contains(name);
            names.push(clean(name));
            values.push(value.to_owned());
        }
        names.truncate(5);
        let detail = format!("{word} {}", names.join(", "));
        let place = self.place(arguments.span.clone());
        let tier = if hidden { Tier::Inferred } else { Tier::Bound };
        let link = Link::new(&self.consumer, tier, technique, detail);
        self.links.put_texts(self.sheet, &place, values.iter().map(String::as_str), link);
    }

    fn command(&mut self, command: &Command<'_>, technique: &'static str, word: &str) {
        match command {
            Command::Shell(line) => self.script(line.span.clone(), line.value, (technique, word)),
            Command::Exec(arguments) => {
                for argument in &arguments.value {
                    self.put(argument.span.clone(), &argument.value, (technique, word));
                }
            }
            _ => {}
        }
    }

    fn copy(&mut self, (options, sources): (&[Flag<'_>], &[Source<'_>]), word: &str) {
        if options.iter().any(|option| option.name.value == "from") {
            return;
        }
        for source in sources {
            let Source::Path(path) = source else { continue };
            // A context has no outside: an absolute path is one from its root.
            let own = folder(&self.sheet.path);
            let inside = path.value.trim_start_matches("./").trim_start_matches('/');
            let Some(file) = join(own, inside) else { continue };
            let link =
                Link::new(&self.consumer, Tier::Inferred, "dockerfile-copy", format!("{word} {}", clean(&path.value)));
            let place = self.place(path.span.clone());
            // In a folder for Dockerfiles alone they are built from above.
            if KEPT.contains(&file_name(own)) && !inside.is_empty() && inside != "." && !inside.contains(['*', '?']) {
                for context in [folder(own), ""] {
                    self.links.pull(join(context, inside).unwrap_or_default(), place.clone(), link.clone());
                }
            }
            if let Some(wild) = inside.find(['*', '?']) {
                let Some(below) = join(own, folder(&inside[..wild])) else { continue };
                self.links.copies.put(below, Some(inside), place, link);
            } else {
                self.links.copies.put(file.clone(), None, place.clone(), link.clone());
                self.links.pull(file, place, link);
            }
        }
    }

    fn put(&mut self, span: std::ops::Range<usize>, text: &str, (technique, word): (&'static str, &str)) {
        let link = Link::new(&self.consumer, Tier::Bound, technique, word);
        let place = self.place(span);
        self.links.put_text(self.sheet, place, text, link);
    }

    fn script(&mut self, span: std::ops::Range<usize>, text: &str, (technique, word): (&'static str, &str)) {
        let link = Link::new(&self.consumer, Tier::Bound, technique, word);
        let place = self.place(span);
        self.links.put_script(self.sheet, &place, text, &link);
    }

    fn place(&self, span: std::ops::Range<usize>) -> Place {
        let (start, end) = (span.start + self.bom, span.end + self.bom);
        let line = self.newlines.partition_point(|newline| *newline < start) as u64 + 1;
        Place { path: Arc::clone(&self.sheet.path), line, bytes: start as u64..end as u64 }
    }
}

/// Names and values. In the old form there is one name, and the rest of the line is its value.
fn pairs(arguments: &str) -> Vec<(&str, &str)> {
    let arguments = arguments.trim();
    let first = arguments.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(arguments.len());
    let (name, value) = arguments.split_at(first);
    if value.starts_with(char::is_whitespace) {
        return vec![(name, unquoted(value.trim_start()))];
    }
    words(arguments)
        .into_iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name, unquoted(value)))
        .collect()
}

/// Words apart by white space that is not in quotes.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut start, mut quote, mut escaped) = (Vec::new(), None, None, false);
    for (index, c) in text.char_indices() {
        if quote.is_none() && !escaped && c.is_whitespace() {
            words.extend(start.take().map(|start| &text[start..index]));
            continue;
        }
        start = start.or(Some(index));
        match quote {
            None if !escaped && matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if !escaped && c == open => quote = None,
            _ => {}
        }
        escaped = c == '\\' && !escaped && quote != Some('\'');
    }
    words.extend(start.map(|start| &text[start..]));
    words
}

fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::pairs;
    use crate::model::{Owner, Tier};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    const IMAGE: (&str, Tier) = ("dockerfile:api/Dockerfile", Tier::Bound);

    fn owners(text: &str) -> Vec<Owner> {
        tree(&[("api/Dockerfile", text)]).resolve(&finding(VALUE))
    }

    #[test]
    fn what_the_stage_sets_again_is_inferred() {
        let inferred = (IMAGE.0, Tier::Inferred);
        for (text, expected) in [
            (format!("FROM a\nENV K={VALUE}\nENV K=x\n"), inferred),
            (format!("FROM a\nENV K=x\nENV K={VALUE}\n"), IMAGE),
            (format!("FROM a\nENV K={VALUE}\nFROM b\nENV K=x\n"), IMAGE),
            (format!("FROM a\nARG K={VALUE}\nENV K=x\n"), IMAGE),
        ] {
            assert_eq!(consumers(&owners(&text)), [expected], "{text}");
        }
    }

    #[test]
    fn names_and_values_are_told_apart() {
        assert_eq!(pairs("A=b C=\"d e\" F='g=h'"), [("A", "b"), ("C", "d e"), ("F", "g=h")]);
        assert_eq!(pairs("KEY some value"), [("KEY", "some value")]);
        assert_eq!(pairs("KEY=x"), [("KEY", "x")]);
        assert_eq!(pairs("KEY"), []);
    }

    #[test]
    fn values_in_instructions_are_the_image_s() {
        for (line, technique) in [
            (format!("ENV A=b KEY={VALUE}"), "dockerfile-env"),
            (format!("ENV KEY \"{VALUE}\""), "dockerfile-env"),
            (format!("ENV A=b \\\n    KEY=\"{VALUE}\""), "dockerfile-env"),
            (format!("ARG KEY={VALUE}"), "dockerfile-arg"),
            (format!("RUN tool --key={VALUE} && x"), "dockerfile-run"),
            (format!("RUN <<EOF\ntool {VALUE}\nEOF"), "dockerfile-run"),
            (format!("CMD [\"run\", \"--key\", \"{VALUE}\"]"), "dockerfile-command"),
        ] {
            let text = format!("\u{feff}# é\nFROM alpine AS b\n{line}\nFROM alpine\nENV OTHER=x\n");
            let known = tree(&[("api/Dockerfile", &text)]);
            let by_place = known.resolve(&finding_in("api/Dockerfile", &text, VALUE));
            assert_eq!(consumers(&by_place), [IMAGE], "{line}");
            assert_eq!(by_place[0].evidence[0].technique, technique, "{line}");
            assert!(by_place[0].evidence[0].at.ends_with(":3") || line.contains('\n'), "{:?}", by_place[0].evidence);
            let by_value = known.resolve(&finding(VALUE));
            assert!(by_value.is_empty() && line.contains("ENV KEY ") || consumers(&by_value) == [IMAGE], "{line}");
        }
    }

    #[test]
    fn comments_labels_and_other_files_are_not() {
        for line in [
            format!("# ENV KEY={VALUE}"),
            format!("LABEL x={VALUE}"),
            format!("RUN a \\\n  # {VALUE}\n  b"),
            format!("ENV {VALUE}=x"),
        ] {
            assert_eq!(owners(&format!("FROM alpine\n{line}\n")), [], "{line}");
        }
        let text = format!("FROM alpine\nENV KEY={VALUE}\n");
        for path in ["Dockerfile.md", "Dockerfile.dockerignore", "dockerfiles/x", "MyDockerfile"] {
            assert_eq!(tree(&[(path, &text)]).resolve(&finding(VALUE)), [], "{path}");
        }
        for path in ["Containerfile", "Dockerfile.prod", "api.Dockerfile"] {
            assert_eq!(tree(&[(path, &text)]).resolve(&finding(VALUE)).len(), 1, "{path}");
        }
    }

    #[test]
    fn comments_between_variables_are_not_their_values() {
        let text = format!("FROM alpine\nENV A=hunter2-a \\\n  # B=hunter2-b\n  C={VALUE} \\\n  D=hunter2-d\n");
        let known = tree(&[("api/Dockerfile", &text)]);
        let met = |value| known.resolve(&finding_in("api/Dockerfile", &text, value)).len();
        assert_eq!((met("hunter2-a"), met("hunter2-b"), met("hunter2-d")), (1, 0, 1));
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), [IMAGE]);
    }

    #[test]
    fn files_that_are_copied_by_name_are_inferred() {
        let env = format!("KEY={VALUE}\n");
        let inferred = [(IMAGE.0, Tier::Inferred)];
        let all = |line: &str, path| {
            let text = format!("FROM alpine\n{line}\n");
            tree(&[("api/Dockerfile", &text), (path, &env)]).resolve(&finding_in(path, &env, VALUE))
        };
        assert_eq!(consumers(&all("COPY .env /app/", "api/.env")), inferred);
        assert_eq!(consumers(&all("COPY conf/x.txt /app/", "api/conf/x.txt")), inferred);
        assert_eq!(all("COPY .env /app/", ".env"), []);
        assert_eq!(all("COPY --from=b .env /app/", "api/.env"), []);
        assert_eq!(all("COPY ../../.env /app/", ".env"), []);
    }

    #[test]
    fn broken_files_are_told_and_read_as_far_as_they_go() {
        let text = format!("FROM alpine\nENV KEY={VALUE}\nNONSENSE x\n");
        let known = tree(&[("api/Dockerfile", &text)]);
        assert_eq!(known.coverage().troubles[0].why, "not a valid Dockerfile at line 3");
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), [IMAGE]);
        assert_eq!(tree(&[("Dockerfile", "")]).coverage().troubles.len(), 1);
    }
}
