//! What a file is for, by its name: whether bare words in it are values, and whether it is a test, a document, a lock
//! file. Nobody's key is ignored for its path; only what is a secret by its name alone is judged by it.

/// How a file writes values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Settings: a bare word after `=` or `:` is a value.
    Settings,
    /// A shell script, a Dockerfile or a history: bare words are values, `$x` is not.
    Shell,
    /// Source code: a bare word is a name.
    Code,
    /// Text for people or of unknown kind: a bare word may be either.
    Text,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileKind {
    pub(super) syntax: Syntax,
    /// Written by a program or for tests, for readers, for translators: what looks like a secret by its name is none.
    pub(super) role: Role,
    /// Python: a bare `name: value` is in no statement, so it stands in a text.
    pub(super) docstrings: bool,
}

/// Who reads a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The program.
    Plain,
    /// Its tests, its examples.
    Test,
    /// People.
    Docs,
    /// A package manager, a compiler, a translator, a browser that gets it minified.
    Generated,
}

const SETTINGS: &[&str] = &[
    "env",
    "yaml",
    "yml",
    "toml",
    "ini",
    "properties",
    "conf",
    "cfg",
    "cnf",
    "config",
    "json",
    "json5",
    "jsonc",
    "xml",
    "plist",
    "tf",
    "tfvars",
    "tfstate",
    "hcl",
    "npmrc",
    "netrc",
    "pypirc",
    "pgpass",
    "git-credentials",
    "credentials",
    "htpasswd",
    "service",
    "desktop",
    "reg",
    "ovpn",
    "csproj",
    "gradle",
    "editorconfig",
    "rc",
    "secrets",
    "secret",
    "csv",
    "tsv",
    "http",
    "rest",
    "curlrc",
    "my.cnf",
    "gitconfig",
    "dockercfg",
    "jsonl",
    "ndjson",
    "kubeconfig",
    "nomad",
    "sops",
    "list",
    "htaccess",
    "msmtprc",
    "fetchmailrc",
    "offlineimaprc",
];
const SHELL: &[&str] = &[
    "sh",
    "bash",
    "zsh",
    "fish",
    "ksh",
    "csh",
    "tcsh",
    "cshrc",
    "ps1",
    "psm1",
    "bat",
    "cmd",
    "dockerfile",
    "containerfile",
    "bash_history",
    "zsh_history",
    "history",
    "bashrc",
    "zshrc",
    "profile",
    "bash_profile",
    "zshenv",
    "envrc",
    "mk",
    "makefile",
    "sql",
    "command",
    "zprofile",
    "psql_history",
    "mysql_history",
    "python_history",
    "sh_history",
];
const CODE: &[&str] = &[
    "py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "tsx", "mts", "cts", "go", "java", "kt", "kts", "scala", "groovy", "rb",
    "erb", "php", "cs", "fs", "vb", "rs", "c", "h", "cc", "cpp", "cxx", "hpp", "hh", "m", "mm", "swift", "dart", "lua",
    "pl", "pm", "r", "ex", "exs", "erl", "hs", "clj", "cljs", "ml", "mli", "nim", "zig", "jl", "sol", "vue", "svelte",
    "html", "htm", "css", "scss", "less", "asp", "aspx", "jsp", "ipynb", "proto", "graphql", "el", "lisp", "scm", "tcl",
    "d", "pas", "f90", "asm", "s", "cmake", "bzl", "bazel", "nix", "rake", "gemspec", "coffee", "ejs", "hbs", "j2", "jinja",
    "tmpl", "tpl", "map", "svg", "y", "l", "cu", "vim", "ino", "sbt", "bas", "vbs", "exp",
];
const TESTS: &[&str] = &[
    "test",
    "tests",
    "testing",
    "spec",
    "specs",
    "__tests__",
    "__mocks__",
    "mock",
    "mocks",
    "fixture",
    "fixtures",
    "testdata",
    "testcases",
    "test-cases",
    "test-data",
    "test_data",
    "testsuite",
    "test-fixtures",
    "e2e",
    "examples",
    "example",
    "sample",
    "samples",
    "demo",
    "demos",
    "stubs",
    "cassettes",
    "snapshots",
    "__snapshots__",
    "benchmarks",
    "benches",
    "regress",
    "t",
    "unittests",
    "testutil",
    "testutils",
    "molecule",
    "selftest",
    "selftests",
    "torture",
    "testprogs",
    "fuzz",
    "fuzzing",
    "expected",
];
const DOCS: &[&str] = &["doc", "docs", "documentation", "man", "javadoc", "apidoc", "wiki", "tutorial", "tutorials"];
const LOCALES: &[&str] = &["locale", "locales", "i18n", "l10n", "lang", "langs", "translations", "lc_messages", "intl"];
const GENERATED: &[&str] = &[
    "node_modules",
    "vendor",
    "third_party",
    "third-party",
    "thirdparty",
    "deps",
    "dist-packages",
    "site-packages",
    "__pycache__",
];
/// Libraries whose sources are full of keys made for their tests, by the name of their folder before a version.
const CRYPTO: &[&str] = &[
    "wolfssl",
    "boringssl",
    "libressl",
    "mbedtls",
    "polarssl",
    "gnutls",
    "gnutls28",
    "botan",
    "libgcrypt",
    "libssh",
    "libssh2",
    "bouncycastle",
    "pycryptodome",
    "cryptopp",
    "libtomcrypt",
    "nettle",
    "s2n",
    "bearssl",
    "rustls",
];
const LOCKS: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "cargo.lock",
    "go.sum",
    "poetry.lock",
    "pipfile.lock",
    "composer.lock",
    "gemfile.lock",
    "uv.lock",
    "flake.lock",
    "bun.lock",
    "mix.lock",
    "pubspec.lock",
    "podfile.lock",
    "packages.lock.json",
];

impl FileKind {
    /// What was decoded from something: settings, as far as anyone can tell.
    pub(super) const SETTINGS: Self = Self { syntax: Syntax::Settings, role: Role::Plain, docstrings: false };

    /// The same, unless it reads like a program: source maps are in base64 too.
    pub(super) fn of_decoded(bytes: &[u8]) -> Self {
        let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
        let code = bytes.len() > 512 && (has("function") || has("return ") || has(" => "));
        Self { syntax: if code { Syntax::Code } else { Syntax::Settings }, ..Self::SETTINGS }
    }

    /// A file of which the path is not known.
    pub(super) const UNKNOWN: Self = Self { syntax: Syntax::Text, role: Role::Plain, docstrings: false };

    /// Every way in which a file may write values.
    pub(super) const SYNTAXES: [Syntax; 4] = [Syntax::Settings, Syntax::Shell, Syntax::Code, Syntax::Text];

    /// Judges by the path alone, as it is shown. Of what is in an archive, `a.zip!b/c.txt`, the archive counts as a folder.
    pub(super) fn of(path: &str) -> Self {
        let lower = path.to_ascii_lowercase().replace('!', "/");
        let file = lower.rsplit('/').next().unwrap_or_default();
        Self { syntax: syntax(file), role: role(&lower, file), docstrings: file.rsplit('.').next() == Some("py") }
    }
}

/// Whether what stands at `at` in source code is said and not done: in a comment, or in a text of its documentation.
pub(super) fn is_said(bytes: &[u8], at: usize, kind: FileKind) -> bool {
    const LINE: usize = 200;
    if kind.syntax != Syntax::Code {
        return false;
    }
    let head = &bytes[at.saturating_sub(LINE)..at];
    let line = memchr::memrchr(b'\n', head).map(|end| head[end + 1..].trim_ascii());
    let Some(line) = line else { return false };
    // `//` and `#` stand before statements that somebody switched off, too.
    let comment = [b"* ".as_slice(), b"///", b"//!", b"/**"].iter().any(|mark| line.starts_with(mark));
    let name = line.strip_prefix(b"- ").unwrap_or(line);
    let colon = name.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'));
    // The value of `name: value`, or a block below `name: |`.
    let bare = colon.is_some_and(|colon| colon > 0 && name[colon..].starts_with(b":") && !name.contains(&b'='));
    let above = || head[..head.len() - line.len()].trim_ascii_end();
    let block = line.is_empty() && [b": |".as_slice(), b": |-", b": >-", b": >"].iter().any(|mark| above().ends_with(mark));
    comment || (kind.docstrings && (bare || block))
}

fn syntax(file: &str) -> Syntax {
    let ending = file.rsplit('.').next().unwrap_or_default();
    if file.starts_with(".env") || ending == "env" || ["<environment>", "environ"].contains(&file) {
        return Syntax::Settings;
    }
    if file.starts_with("dockerfile") || file.starts_with("containerfile") || SHELL.contains(&ending) {
        return Syntax::Shell;
    }
    if SETTINGS.contains(&ending) {
        return Syntax::Settings;
    }
    // `.config/x`, `.npmrc`: the whole name is the ending.
    if CODE.contains(&ending) && file.contains('.') { Syntax::Code } else { Syntax::Text }
}

fn role(path: &str, file: &str) -> Role {
    let mut folders = path.split('/').rev().skip(1);
    let ending = file.rsplit('.').next().unwrap_or_default();
    let minified = file.contains(".min.") || file.contains(".bundle.") || ["map", "svg"].contains(&ending);
    let translated = ["po", "pot", "xlf", "strings"].contains(&ending);
    let sums = file.starts_with("checksums") || file.ends_with("sums") || file.ends_with("sums.txt");
    if LOCKS.contains(&file) || sums || minified || translated {
        return Role::Generated;
    }
    if folders.clone().any(|folder| LOCALES.contains(&folder) || GENERATED.contains(&folder)) {
        return Role::Generated;
    }
    let stem = file.split('.').next().unwrap_or_default();
    let test_file = stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || stem.ends_with("-test")
        || file.contains(".test.")
        || file.contains(".spec.")
        || stem.starts_with("test-")
        || stem.ends_with("test-vectors")
        || stem.ends_with("test_vectors")
        || stem.ends_with("testvectors")
        || stem.ends_with("tests")
        || stem == "conftest"
        || stem.starts_with("example")
        || file.contains(".example")
        || file.contains(".examples.")
        || file.contains(".sample")
        || file.contains("example.")
        || file.contains(".template")
        || file.contains(".dist");
    let crypto = |folder: &str| {
        let version = folder.find(['-', '_']).filter(|at| folder[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        CRYPTO.contains(&&folder[..version.unwrap_or(folder.len())])
    };
    let apart = purposes(path, file);
    if test_file
        || folders.any(crypto)
        || apart.clone().any(|folder| {
            TESTS.contains(&folder)
                || folder.ends_with("vectors")
                || folder.ends_with("-tests")
                || folder.ends_with("_tests")
                || folder.ends_with("-test")
        })
    {
        return Role::Test;
    }
    let docs_file = ["md", "mdx", "rst", "adoc", "txt", "html", "htm", "tex", "pod", "1", "3", "5", "7", "8"]
        .contains(&ending)
        && file.contains('.');
    let named = ["readme", "changelog", "changes", "news", "history", "contributing"].contains(&stem) && docs_file;
    if named || apart.clone().any(|folder| DOCS.contains(&folder)) { Role::Docs } else { Role::Plain }
}

/// The folders that may tell what a file is for. A package's name does not: `com.example.demo` is what generators of projects
/// call it (start.spring.io, Android Studio, Flutter). Nor does a folder of examples for settings that are in use.
fn purposes<'p>(path: &'p str, file: &'p str) -> impl Iterator<Item = &'p str> + Clone {
    const SOURCES: &[&str] = &["src/main/java/", "src/main/kotlin/", "src/main/scala/", "src/main/groovy/"];
    const SHOWN: &[&str] = &["demo", "demos", "example", "examples", "sample", "samples"];
    const DOMAINS: &[&str] = &["com", "org", "net", "io", "dev"];
    let source = SOURCES.iter().find_map(|source| path.find(source)).unwrap_or(path.len() - file.len());
    let in_use =
        file == ".env" || file.starts_with(".env.") || file.starts_with("docker-compose") || file.starts_with("compose.");
    let before = path[..source].split('/').scan("", |last, folder| Some((std::mem::replace(last, folder), folder)));
    before
        .filter(move |(_, folder)| !(in_use && SHOWN.contains(folder)))
        .filter(|(last, folder)| !(SHOWN.contains(folder) && DOMAINS.contains(last)))
        .map(|(_, folder)| folder)
}

#[cfg(test)]
mod tests {
    use super::{FileKind, Role, Syntax};

    #[test]
    fn files_by_their_names() {
        for (path, syntax, role) in [
            (".env", Syntax::Settings, Role::Plain),
            ("a/.env.production", Syntax::Settings, Role::Plain),
            ("a/.env.example", Syntax::Settings, Role::Test),
            ("Dockerfile", Syntax::Shell, Role::Plain),
            ("deploy/values.yaml", Syntax::Settings, Role::Plain),
            ("src/app.py", Syntax::Code, Role::Plain),
            ("src/test_app.py", Syntax::Code, Role::Test),
            ("pkg/auth_test.go", Syntax::Code, Role::Test),
            ("tests/fixtures/a.json", Syntax::Settings, Role::Test),
            ("README.md", Syntax::Text, Role::Docs),
            ("notes.md", Syntax::Text, Role::Plain),
            ("npm/checksums.txt", Syntax::Text, Role::Generated),
            ("dist/SHA256SUMS", Syntax::Text, Role::Generated),
            ("rfc/test-vectors.json", Syntax::Settings, Role::Test),
            ("package-lock.json", Syntax::Settings, Role::Generated),
            ("static/app.min.js", Syntax::Code, Role::Generated),
            ("locale/de.json", Syntax::Settings, Role::Generated),
            ("home/.bash_history", Syntax::Shell, Role::Plain),
            ("-", Syntax::Text, Role::Plain),
            ("/proc/1/environ", Syntax::Settings, Role::Plain),
            ("app.zip!.env", Syntax::Settings, Role::Plain),
            ("app.zip!b.zip!src/app.py", Syntax::Code, Role::Plain),
            ("tests/app.zip!deploy/app.yaml", Syntax::Settings, Role::Test),
            ("", Syntax::Text, Role::Plain),
            ("src/main/java/com/example/demo/config/MailConfig.java", Syntax::Code, Role::Plain),
            ("app/src/com/example/weather/Main.java", Syntax::Code, Role::Plain),
            ("src/test/java/com/acme/Main.java", Syntax::Code, Role::Test),
            ("examples/src/main/java/com/acme/Main.java", Syntax::Code, Role::Test),
            ("demo/.env", Syntax::Settings, Role::Plain),
            ("demo/.env.example", Syntax::Settings, Role::Test),
            ("demo/app.py", Syntax::Code, Role::Test),
            ("tests/.env", Syntax::Settings, Role::Test),
            ("website/app.py", Syntax::Code, Role::Plain),
            ("src/integration/client.java", Syntax::Code, Role::Plain),
        ] {
            let kind = FileKind::of(path);
            assert_eq!((kind.syntax, kind.role), (syntax, role), "{path}");
        }
    }
}
