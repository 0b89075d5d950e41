//! Mistakes with their lines; one file over another.

use super::{Document, Mistakes};

fn lines(result: Result<(), Mistakes>) -> Vec<String> {
    result.expect_err("mistakes").0.iter().map(ToString::to_string).collect()
}

#[test]
fn every_mistake_is_reported_with_its_line() {
    let text = "name = 3\nextra = 1\n\n[[part]]\nkind = \"zebra\"\nsize = -4\nwhat = true\n";
    let result = Document::parse("x.toml", text).expect("TOML").read(|root| {
        root.need_text("name");
        root.need_text("summary");
        for part in root.tables("part") {
            part.need("kind").and_then(|kind| kind.one_of(&[("horse", 1), ("cow", 2)]));
            part.need("size").and_then(|size| size.number());
            part.finish();
        }
        Some(())
    });
    assert_eq!(
        lines(result),
        [
            "x.toml:1: `name` must be text, not integer",
            "x.toml:1: `summary` is missing",
            "x.toml:2: unknown key `extra`; known here: name, part, summary",
            "x.toml:5: `part.kind` is \"zebra\"; it must be one of: horse, cow",
            "x.toml:6: `part.size` must be a whole number from 0 up, not integer",
            "x.toml:7: unknown key `what` in [part]; known here: kind, size",
        ]
    );
}

#[test]
fn days_are_days_that_exist() {
    let day = |text: &str| {
        let text = format!("day = {text}\n");
        Document::parse("x.toml", &text)?.read(|root| root.need("day").and_then(|day| day.date()))
    };
    let expected = Ok(jiff::civil::date(2027, 1, 31));
    assert_eq!((day("2027-01-31"), day("'2027-01-31'")), (expected.clone(), expected));
    for wrong in ["'2027-02-30'", "2027-01-31T00:00:00Z", "'soon'", "20270131", "12:00:00", "''"] {
        assert_eq!(day(wrong).expect_err(wrong).0.len(), 1, "{wrong}");
    }
}

#[test]
fn a_file_that_is_not_toml_has_one_mistake() {
    let Err(mistakes) = Document::parse("x.toml", "a = 1\nb = \n") else { panic!("not TOML") };
    assert_eq!(mistakes.0.len(), 1);
    assert_eq!(mistakes.0[0].line, 2);
}

#[test]
fn a_file_over_another_takes_what_it_does_not_say() {
    let base = "a = 1\nb = 2\nwords = [\"x\"]\n[[part]]\nname = \"one\"\nsize = 1\ntall = 1\n[[part]]\nname = \"two\"\nsize = 2\n[[note]]\ntext = \"old\"\n";
    let own = "b = 3\ntexts = [\"y\"]\n[[part]]\nname = \"two\"\nsize = 5\n[[part]]\nname = \"three\"\nsize = \"x\"\nodd = 1\n[[note]]\ntext = \"new\"\n";
    let base = Document::parse("base.toml", base).expect("TOML");
    let result = Document::parse("own.toml", own).expect("TOML").read_over(Some(&base), |root| {
        let number = |table: &super::Table<'_, '_>, key: &str| table.get(key).and_then(|value| value.number());
        assert_eq!((number(root, "a"), number(root, "b"), root.own("a").is_some()), (Some(1), Some(3), false));
        let rivals = root.rivals(&["words", "texts"]);
        assert_eq!(rivals.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["texts"]);
        let notes: Vec<_> = root.joined_tables("note").iter().filter_map(|note| note.text("text")).collect();
        assert_eq!(notes, ["old", "new"]);
        let parts = root.layered_tables("part", "name");
        let names: Vec<_> = parts.iter().filter_map(|part| part.text("name")).collect();
        assert_eq!(names, ["one", "two", "three"]);
        let sizes: Vec<_> = parts.iter().map(|part| number(part, "size")).collect();
        assert_eq!(sizes, [Some(1), Some(5), None]);
        assert_eq!(number(&parts[0], "tall"), Some(1));
        parts.iter().for_each(super::Table::finish);
        Some(())
    });
    assert_eq!(
        lines(result),
        [
            "own.toml:8: `part.size` must be a whole number, not string",
            "own.toml:9: unknown key `odd` in [part]; known here: name, size",
        ]
    );
}
