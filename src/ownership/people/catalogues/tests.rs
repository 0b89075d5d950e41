//! Each catalogue's own shape, and whose word counts where.

use crate::model::{Edge, Owner, Tier};
use crate::ownership::artefacts::testing::{finding_at, tree};

fn accountable(owners: &[Owner]) -> Vec<(&str, Tier)> {
    owners.iter().filter(|owner| owner.edge == Edge::Accountable).map(|owner| (owner.id.as_str(), owner.tier)).collect()
}

/// Who answers for a file, by the files of a tree.
fn owners(files: &[(&str, &str)], path: &str) -> Vec<Owner> {
    tree(files).resolve(&finding_at(path, 0..9))
}

fn backstage(owner: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: api\nspec:\n  type: service\n  owner: {owner}\n"
    )
}

#[test]
fn every_catalogue_s_shape_is_read() {
    for (path, text, id, technique) in [
        ("catalog-info.yaml", backstage("team-a"), "backstage:group:default/team-a", "backstage-owner"),
        ("catalog-info.yml", backstage("User:Ops/Jane"), "backstage:user:ops/jane", "backstage-owner"),
        (
            "cortex.yaml",
            "openapi: 3.0.1\ninfo:\n  x-cortex-tag: api\n  x-cortex-owners:\n  - type: group\n    name: team-a\n    provider: OKTA\n".to_owned(),
            "cortex:team-a",
            "cortex-owner",
        ),
        (
            ".cortex/catalog/api.yaml",
            "info:\n  x-cortex-tag: api\n  x-cortex-owners:\n  - {type: EMAIL, email: a@example.org}\n".to_owned(),
            "mail:a@example.org",
            "cortex-owner",
        ),
        ("opslevel.yml", "version: 1\nservice:\n  name: api\n  owner: team-a\n".to_owned(), "opslevel:team-a", "opslevel-owner"),
        ("service.datadog.yaml", "schema-version: v2.2\ndd-service: api\nteam: team-a\n".to_owned(), "datadog:team-a", "datadog-team"),
        (
            "entity.datadog.yaml",
            "apiVersion: v3\nkind: service\nmetadata:\n  name: api\n  owner: team-a\n".to_owned(),
            "datadog:team-a",
            "datadog-team",
        ),
        ("compass.yml", "name: api\nownerId: 'ari:cloud:identity::team/1'\n".to_owned(), "compass:ari:cloud:identity::team/1", "compass-owner"),
    ] {
        let all = owners(&[(path, &text)], "src/app.py");
        assert_eq!(accountable(&all), [(id, Tier::Declared)], "{path}");
        assert_eq!(all[0].evidence[0].technique, technique);
        assert!(all[0].evidence[0].value.ends_with("api for everything"), "{:?}", all[0].evidence);
    }
}

#[test]
fn the_nearest_folder_s_word_counts_and_no_neighbour_s() {
    let (root, api) = (backstage("root-team"), backstage("api-team"));
    let files = [("catalog-info.yaml", root.as_str()), ("services/api/catalog-info.yaml", api.as_str())];
    for (path, id) in [
        ("services/api/src/x.py", "backstage:group:default/api-team"),
        ("services/api/x.py", "backstage:group:default/api-team"),
        ("services/api2/x.py", "backstage:group:default/root-team"),
        ("x.py", "backstage:group:default/root-team"),
    ] {
        assert_eq!(accountable(&owners(&files, path)), [(id, Tier::Declared)], "{path}");
    }
    assert_eq!(owners(&files[1..], "services/x.py"), []);
}

#[test]
fn several_owners_in_one_place_are_inferred() {
    let two = backstage("team-a") + "---\n" + &backstage("team-b");
    let inferred = [("backstage:group:default/team-a", Tier::Inferred), ("backstage:group:default/team-b", Tier::Inferred)];
    assert_eq!(accountable(&owners(&[("catalog-info.yaml", &two)], "x.py")), inferred);
    let same = backstage("team-a") + "---\n" + &backstage("group:team-a");
    assert_eq!(accountable(&owners(&[("catalog-info.yaml", &same)], "x.py")), [(inferred[0].0, Tier::Declared)]);
}

#[test]
fn near_misses_name_nobody() {
    for (path, text) in [
        ("catalog-info.yaml", backstage("team-a").replace("Component", "Group")),
        ("catalog-info.yaml", backstage("''")),
        ("catalog-info.json", backstage("team-a")),
        ("opslevel.yml", "version: 1\nowner: team-a\n".to_owned()),
        ("cortex.yaml", "x-cortex-owners: [{type: group, name: team-a}]\n".to_owned()),
        ("service.datadog.yaml", "dd-service: api\n".to_owned()),
    ] {
        assert_eq!(owners(&[(path, &text)], "x.py"), [], "{path} {text}");
    }
}

#[test]
fn broken_files_are_told() {
    let known = tree(&[("catalog-info.yaml", "spec: [\n"), ("compass.yml", "name: [\n")]);
    assert_eq!(known.coverage().troubles.len(), 2);
}
