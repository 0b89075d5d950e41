//! Places, references and bounds.

use super::{Tree, View};

fn at<'t>(tree: &'t Tree, path: &[&str]) -> View<'t> {
    tree.roots().next().and_then(|root| root.at(path)).expect("path")
}

/// The slice of `text` that a node's span names.
fn slice<'s>(text: &'s str, view: View<'_>) -> &'s str {
    let bytes = view.bytes();
    &text[bytes.start as usize..bytes.end as usize]
}

fn walk(view: View<'_>) -> usize {
    view.entries().iter().map(|(_, value)| 1 + walk(*value)).sum()
}

#[test]
fn spans_are_bytes_whatever_stands_before() {
    for before in ["", "\u{feff}", "# Schlüssel für München 🔑\n", "ключ: значение\r\n", "a: b\r\n"] {
        for value in ["hunter2hunter2", "\"hunter2 é\"", "'x y'"] {
            let text = format!("{before}k: {{deep: [{value}]}}\nlast: ünd {value}\n");
            let (tree, broken) = Tree::parse(&text);
            assert_eq!(broken, None, "{text:?}");
            let item = at(&tree, &["k", "deep"]).items().next().expect("item");
            assert_eq!(slice(&text, item), value, "{text:?}");
            assert_eq!(item.line() as usize, 1 + before.matches('\n').count(), "{text:?}");
        }
    }
}

#[test]
fn block_scalars_cover_their_lines() {
    let text = "é: 1\ndata:\n  key: |\n    line one\n    line two\n  next: x\n";
    let (tree, _) = Tree::parse(text);
    let key = at(&tree, &["data", "key"]);
    assert_eq!(key.text(), Some("line one\nline two\n"));
    let covered = slice(text, key);
    assert!(covered.contains("line one\n    line two") && !covered.contains("next"), "{covered:?}");
}

#[test]
fn brackets_may_close_no_deeper_than_their_key() {
    for list in ["[\n    a,\n    b\n  ]", "[\n    # é\n    \"a\",\n    'b',\n  ]", "[\n a,\n b]", "[{\n x: y\n  }, b]"] {
        let text = format!("é:\n  list: {list}\n  next: &n hunter2hunter2\nlast: *n\n");
        let (tree, broken) = Tree::parse(&text);
        assert_eq!(broken, None, "{text}");
        assert_eq!(at(&tree, &["é", "list"]).items().count(), 2, "{text}");
        let next = at(&tree, &["é", "next"]);
        assert_eq!((slice(&text, next), next.line()), ("hunter2hunter2", 2 + list.lines().count() as u64), "{text}");
        assert_eq!(at(&tree, &["last"]).text(), Some("hunter2hunter2"));
    }
}

#[test]
fn aliases_and_merges_refer_to_the_anchored_node() {
    let text = "base: &b {A: one, B: two}\nmore: &m {B: three, C: four}\nx:\n  <<: [*b, *m]\n  A: own\ny: *b\n";
    let (tree, broken) = Tree::parse(text);
    assert_eq!(broken, None);
    let x = at(&tree, &["x"]);
    let value = |key| x.get(key).and_then(View::text);
    assert_eq!((value("A"), value("B"), value("C")), (Some("own"), Some("two"), Some("four")));
    assert_eq!(x.entries().len(), 3);
    assert_eq!(at(&tree, &["y", "A"]).bytes(), at(&tree, &["base", "A"]).bytes());
}

#[test]
fn json_is_read_too() {
    let text = "{\n\t\"a\":{\"b\":[1,\"two\\u00e9\",null]},\r\n\t\"url\":\"http://x/y\"\n}";
    let (tree, broken) = Tree::parse(text);
    assert_eq!(broken, None);
    let items: Vec<_> = at(&tree, &["a", "b"]).items().collect();
    assert_eq!(items[1].text(), Some("twoé"));
    assert_eq!(slice(text, items[1]), "\"two\\u00e9\"");
    assert!(items[2].is_null());
    assert_eq!(at(&tree, &["url"]).text(), Some("http://x/y"));
}

#[test]
fn documents_before_a_mistake_are_kept() {
    let (tree, broken) = Tree::parse("a: 1\n---\nb: 2\n---\nc: [1\nd: }\n");
    assert_eq!(tree.roots().count(), 2);
    assert_eq!(broken.map(|broken| broken.line >= 5), Some(true));
}

#[test]
fn depth_size_and_cycles_are_bounded() {
    let (_, broken) = Tree::parse(&"[".repeat(100_000));
    assert!(broken.is_some());
    let (_, broken) = Tree::parse(&format!("[{}]", "a,".repeat(400_000)));
    assert_eq!(broken.map(|broken| broken.why), Some("more than 300000 values in one file".to_owned()));
    let (tree, _) = Tree::parse("a: &a {b: *a}\n");
    assert!(at(&tree, &["a", "b"]).is_null());
}

#[test]
fn an_alias_bomb_wears_the_tree_out_and_ends() {
    let mut text = String::from("a0: &a0 {x: 1}\n");
    for level in 1..40 {
        let below = level - 1;
        text += format!("a{level}: &a{level} {{<<: [*a{below}, *a{below}], l{level}: *a{below}}}\n").as_str();
    }
    let (tree, _) = Tree::parse(&text);
    assert_eq!(at(&tree, &["a39"]).entries().len(), 40);
    assert!(!tree.is_worn_out());
    assert!(walk(at(&tree, &["a39"])) < 4_000_000);
    assert!(tree.is_worn_out());
}
