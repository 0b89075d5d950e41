//! The graph on the HTML page: inline SVG, no script, nothing loaded, every text escaped. Three columns: credentials; what
//! they speak as and what uses them; who decides.

use std::io::{self, Write};

use super::graph::{Graph, graph, word};
use super::html::escaped;
use crate::model::{Edge, Finding, Tier};

/// Of a box, and from one box to the next.
const WIDTH: usize = 400;
const HEIGHT: usize = 38;
const STEP: usize = 48;
/// Where the columns begin.
const COLUMNS: [usize; 3] = [10, 510, 1010];

/// Draws the graph, if there is anything to draw.
pub(super) fn svg(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let Graph { credentials, owners, arrows, left_out } = graph(findings);
    if arrows.is_empty() {
        return Ok(());
    }
    let mut used = [0; 3];
    let mut put = |column: usize| {
        used[column] += 1;
        (COLUMNS[column], 10 + (used[column] - 1) * STEP)
    };
    let left: Vec<(usize, usize)> = credentials.iter().map(|_| put(0)).collect();
    let right: Vec<(usize, usize)> =
        owners.iter().map(|node| put(if node.edge == Edge::Accountable { 2 } else { 1 })).collect();
    let (wide, high) = (COLUMNS[2] + WIDTH + 10, used.iter().max().copied().unwrap_or_default() * STEP + 10);
    writeln!(
        out,
        "<details open><summary>Who is affected</summary>\n<svg viewBox=\"0 0 {wide} {high}\" role=\"img\" \
         aria-label=\"credentials, the workloads that use them, and who decides\">"
    )?;
    for arrow in &arrows {
        let ((x1, y1), (x2, y2)) = (left[arrow.from], right[arrow.to]);
        let (x1, y1, y2) = (x1 + WIDTH, y1 + HEIGHT / 2, y2 + HEIGHT / 2);
        let middle = usize::midpoint(x1, x2);
        let class = if arrow.tier >= Tier::Bound { "" } else { " class=\"weak\"" };
        let contested = if arrow.contested { ", contested" } else { "" };
        writeln!(
            out,
            "<path{class} d=\"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}\"><title>{}, {}{contested}</title></path>",
            word(owners[arrow.to].edge),
            arrow.tier.word()
        )?;
    }
    for (one, at) in credentials.iter().zip(&left) {
        draw(*at, if one.usable { "live" } else { "key" }, [&one.title, &one.line], out)?;
    }
    for (node, at) in owners.iter().zip(&right) {
        draw(*at, "owner", [&node.title, word(node.edge)], out)?;
    }
    out.write_all(b"</svg>\n")?;
    if left_out > 0 {
        writeln!(out, "<p class=\"dim\">{left_out} more are not drawn.</p>")?;
    }
    out.write_all(b"</details>\n")
}

fn draw((x, y): (usize, usize), class: &str, [title, line]: [&str; 2], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<g class=\"{class}\"><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"4\"/>\
         <text x=\"{0}\" y=\"{1}\">{2}</text><text class=\"small\" x=\"{0}\" y=\"{3}\">{4}</text></g>",
        x + 8,
        y + 16,
        escaped(title),
        y + 31,
        escaped(line)
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::triaged;
    use super::svg;

    #[test]
    fn a_drawing_of_what_was_found() {
        let mut out = Vec::new();
        svg(&triaged(), &mut out).expect("written");
        insta::assert_snapshot!(String::from_utf8(out).expect("text"));
    }

    #[test]
    fn nothing_to_draw_draws_nothing() {
        let mut out = Vec::new();
        svg(&[super::super::testing::finding("a.py")], &mut out).expect("written");
        assert!(out.is_empty());
    }
}
