//! A graph for Graphviz (`dot -Tsvg`): credential → workload, principal, owner, with the tier at each arrow.

use std::io::{self, Write};

use super::graph::{Graph, graph, word};
use crate::model::{Edge, Report, Tier};

/// Writes the graph. Labels are quoted strings, never Graphviz's HTML.
pub fn dot(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Graph { credentials, owners, arrows, left_out } = graph(&report.findings);
    writeln!(out, "digraph staunch {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\", style=rounded];")?;
    if left_out > 0 {
        writeln!(out, "  label={};", quoted(&format!("{left_out} more are not drawn")))?;
    }
    for (number, one) in credentials.iter().enumerate() {
        let color = if one.usable { "red" } else { "gray40" };
        let label = quoted(&format!("{}\n{}", one.title, one.line));
        writeln!(out, "  c{number} [label={label}, shape=note, style=solid, color={color}];")?;
    }
    for (number, node) in owners.iter().enumerate() {
        let shape = match node.edge {
            Edge::Consumer => "box",
            Edge::Principal => "ellipse",
            Edge::Accountable | Edge::Custodian => "house",
        };
        writeln!(out, "  o{number} [label={}, shape={shape}];", quoted(&node.title))?;
    }
    for arrow in &arrows {
        let style = if arrow.tier >= Tier::Bound { "solid" } else { "dashed" };
        let contested = if arrow.contested { ", contested" } else { "" };
        let label = quoted(&format!("{}\n{}{contested}", word(owners[arrow.to].edge), arrow.tier.word()));
        writeln!(out, "  c{} -> o{} [label={label}, style={style}, fontsize=10];", arrow.from, arrow.to)?;
    }
    out.write_all(b"}\n")
}

/// A quoted string. A backslash would begin one of Graphviz's escapes, and `\N` of an id's own would be another's text.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::{report, triaged};
    use super::{dot, quoted};

    #[test]
    fn a_graph_of_what_was_found() {
        let mut out = Vec::new();
        dot(&report(triaged()), &mut out).expect("written");
        insta::assert_snapshot!(String::from_utf8(out).expect("text"));
    }

    #[test]
    fn nothing_found_ends_a_string() {
        assert_eq!(quoted("a\"];\\N\nb"), "\"a\\\"];\\\\N\\nb\"");
    }
}
