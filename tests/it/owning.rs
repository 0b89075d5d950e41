//! People attest whose a credential is; `triage` takes it up, until its day or until it is taken back.

use std::fs;

use serde_json::Value;

use crate::harness::program::{Home, Output};
use crate::images::fixtures::token;

fn triaged(home: &Home, key: Option<&str>) -> Value {
    let mut run = home.staunch(["triage", "--offline", "--format", "json", "tree"]);
    if let Some(key) = key {
        run = run.env("STAUNCH_FINGERPRINT_KEY", key);
    }
    let report: Value = serde_json::from_str(&run.output().stdout()).unwrap();
    report["findings"][0].clone()
}

/// A tree with one token in it, and its finding in the store.
fn found() -> (Home, String) {
    let home = Home::new();
    fs::create_dir(home.work().join("tree")).unwrap();
    fs::write(home.work().join("tree/app.py"), format!("KEY = \"{}\"\n", token(1))).unwrap();
    let catalogue = "kind: Component\nmetadata: {name: api}\nspec: {owner: checkout}\n";
    fs::write(home.work().join("tree/catalog-info.yaml"), catalogue).unwrap();
    let print = triaged(&home, None)["fingerprint"].as_str().unwrap()[..21].to_owned();
    (home, print)
}

fn own(home: &Home, arguments: &[&str]) -> Output {
    home.staunch([&["own"], arguments].concat()).env("USER", "kim").output()
}

fn deciders(finding: &Value) -> Vec<(String, f64, bool)> {
    let all = finding["owners"].as_array().unwrap().iter().filter(|owner| owner["edge"] == "accountable");
    let shown = |owner: &Value| {
        let contested = owner["contested"].as_bool().unwrap_or_default();
        (owner["id"].as_str().unwrap().to_owned(), owner["confidence"].as_f64().unwrap(), contested)
    };
    all.map(shown).collect()
}

#[test]
fn a_person_s_word_is_kept_shown_contested_and_taken_back() {
    let (home, print) = found();
    let book = ("backstage:group:default/checkout".to_owned(), 0.75);
    assert_eq!(deciders(&triaged(&home, None)), [(book.0.clone(), book.1, false)]);

    let said = own(&home, &[&print, "--team", "payments", "--until", "2999-12-31"]);
    assert_eq!((said.code(), said.stderr().as_str()), (Some(0), ""));
    assert!(said.stdout().contains("is decided by team:payments: kim on ") && said.stdout().contains("until 2999-12-31"));
    let after = triaged(&home, None);
    assert_eq!(deciders(&after), [(book.0.clone(), book.1, true), ("team:payments".to_owned(), 0.75, true)]);
    let owner = after["owners"].as_array().unwrap().iter().find(|owner| owner["id"] == "team:payments").unwrap();
    assert_eq!(
        (owner["tier"].as_str(), owner["evidence"][0]["technique"].as_str()),
        (Some("declared"), Some("attestation"))
    );
    let value = owner["evidence"][0]["value"].as_str().unwrap();
    assert!(value.starts_with("kim said so on ") && value.ends_with(", until 2999-12-31"), "{value}");
    for format in ["human", "html"] {
        let text = home.staunch(["triage", "--offline", "--format", format, "tree"]).output().stdout();
        assert!(text.to_lowercase().contains("contested") && text.contains("team:payments"), "{text}");
    }

    // Under another fingerprint key it is another name: nothing joins.
    let other = triaged(&home, Some(&"ab".repeat(32)));
    assert_eq!(deciders(&other), [(book.0.clone(), book.1, false)]);

    // Both together, in the catalogue's own words, are surer than each.
    assert_eq!(own(&home, &["--withdraw", "1", "--as", "sam"]).code(), Some(0));
    assert_eq!(own(&home, &[&print, "--team", &book.0, "--until", "2999-12-31"]).code(), Some(0));
    assert_eq!(deciders(&triaged(&home, None)), [(book.0, 0.9375, false)]);
    let list = own(&home, &[&print]).stdout();
    assert!(list.contains("withdrawn by sam on ") && list.lines().count() == 2, "{list}");
    let json: Value = serde_json::from_str(&own(&home, &["--format", "json"]).stdout()).unwrap();
    assert_eq!((json[0]["withdrawn"]["by"].as_str(), json[1]["by"].as_str()), (Some("sam"), Some("kim")));
}

#[test]
fn a_workload_that_a_person_names_breaks_as_well() {
    let (home, print) = found();
    let id = "k8s:prod/Deployment/api/app";
    assert_eq!(own(&home, &[&print, "--workload", id, "--until", "2999-12-31"]).code(), Some(0));
    let after = triaged(&home, None);
    let owners = after["owners"].as_array().unwrap();
    let named = |edge: &str| owners.iter().find(|owner| owner["edge"] == edge).map(|owner| owner["id"].clone());
    assert_eq!(named("consumer"), Some(Value::from(id)));
}

#[test]
fn what_cannot_be_attested_is_said_and_not_kept() {
    let (home, print) = found();
    for (arguments, code, words) in [
        (vec![print.as_str(), "--team", "a", "--until", "2020-01-31"], 2, "2020-01-31 is past"),
        (vec!["0123456789abcdef", "--team", "a", "--until", "2999-01-31"], 2, "no finding 0123456789abcdef in the store"),
        (vec![&print, "--workload", "api", "--until", "2999-01-31"], 2, "is no workload's id"),
        (vec![&print, "--team", "\u{1b}[31m", "--until", "2999-01-31"], 2, "can be seen"),
        (vec!["--withdraw", "7"], 2, "there is no attestation 7"),
        (vec![&print, "--team", "a"], 64, "--until"),
        (vec![&print, "--until", "2999-01-31"], 64, "required"),
        (vec![&print, "--team", "a", "--until", "31.1.2999"], 64, "31.1.2999"),
        (vec![&print, "--team", "a", "--person", "b", "--until", "2999-01-31"], 64, "cannot be used with"),
    ] {
        let output = own(&home, &arguments);
        assert_eq!(output.code(), Some(code), "{arguments:?}: {}", output.stderr());
        assert!(output.stderr().contains(words), "{arguments:?}: {}", output.stderr());
    }
    let nobody = home.staunch(["own", &print, "--team", "a", "--until", "2999-01-31"]).output();
    assert!(nobody.stderr().contains("who says so"), "{}", nobody.stderr());
    assert!(own(&home, &[]).stdout().starts_with("Nobody has attested anything"));
}
