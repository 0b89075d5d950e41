//! One self-contained page: no script, nothing loaded, everything escaped, light or dark as the reader's system is.

use std::io::{self, Write};

use super::level::{Level, headline, summaries};
use super::reach;
use super::screen::exposed;
use super::svg::svg;
use super::text::{clean, count, looked_at};
use crate::model::{DetectorInfo, Finding, Liveness, Report};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--error:#c62828;--warning:#b26a00;--note:#777}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{margin-bottom:0}h2{font-size:1.1rem;margin:0 0 .5rem}\
article{border:1px solid var(--line);border-left:.4rem solid var(--note);border-radius:.3rem;padding:.8rem 1rem;margin:1rem 0}\
article.error{border-left-color:var(--error)}article.warning{border-left-color:var(--warning)}\
.state{font-weight:700}.error .state{color:var(--error)}.warning .state{color:var(--warning)}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}dt{color:var(--note)}dd{margin:0;overflow-wrap:anywhere}\
code{font-family:ui-monospace,monospace}footer,.dim{color:var(--note)}\
svg{width:100%;height:auto;font:13px system-ui,sans-serif}svg rect{fill:Canvas;stroke:var(--note)}svg .live rect{stroke:var(--error);stroke-width:2}\
svg text{fill:currentColor}svg .small{font-size:11px;fill:var(--note)}svg path{fill:none;stroke:var(--note);stroke-width:1.5}svg .weak{stroke-dasharray:5 4}\
.incomplete{border:2px solid var(--warning);padding:.5rem 1rem}";

/// Writes the page.
pub fn html(report: &Report, detectors: &[DetectorInfo], out: &mut dyn Write) -> io::Result<()> {
    let summaries = summaries(detectors);
    let usable = report.findings.iter().filter(|finding| finding.liveness.liveness.is_usable()).count() as u64;
    let found = count(report.findings.len() as u64, "finding", "findings");
    let live = count(usable, "live key", "live keys");
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Staunch: {found}, {live}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>Staunch</h1>\n<p>{found}, {live}.</p>\n"
    )?;
    unread(report, out)?;
    svg(&report.findings, out)?;
    for finding in &report.findings {
        article(finding, summaries.get(finding.detector.as_str()).copied(), out)?;
    }
    footer(report, out)?;
    out.write_all(b"</body>\n</html>\n")
}

fn unread(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let coverage = &report.coverage;
    if coverage.is_complete() {
        return Ok(());
    }
    out.write_all(
        b"<section class=\"incomplete\">\n<h2>Incomplete: this was not read, so nothing is known of it</h2>\n<ul>\n",
    )?;
    for trouble in &coverage.troubles {
        writeln!(out, "<li><code>{}</code>: {}</li>", escaped(&trouble.path), escaped(&trouble.why))?;
    }
    if coverage.more_troubles > 0 {
        writeln!(out, "<li>and {}</li>", count(coverage.more_troubles, "more", "more"))?;
    }
    if coverage.interrupted {
        writeln!(out, "<li>the scan was interrupted before its end</li>")?;
    }
    out.write_all(b"</ul>\n</section>\n")
}

fn article(finding: &Finding, detector: Option<&DetectorInfo>, out: &mut dyn Write) -> io::Result<()> {
    let class = match Level::of(finding) {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let summary = detector.map_or(finding.detector.as_str(), |info| &info.summary);
    let state = finding.liveness.liveness.state().replace('_', " ");
    write!(
        out,
        "<article class=\"{class}\">\n<h2>{}</h2>\n<dl>\n<dt>liveness</dt><dd><span class=\"state\">{}</span>{}</dd>\n",
        escaped(&headline(finding, summary)),
        escaped(&state),
        finding.liveness.liveness.why().map(|why| format!(": {}", escaped(why))).unwrap_or_default(),
    )?;
    let mut line = |name: &str, text: &str| writeln!(out, "<dt>{name}</dt><dd>{text}</dd>");
    line("severity", &format!("{}, confidence {}", finding.severity.word(), finding.confidence.word()))?;
    line("kind", &escaped(&format!("{} ({}, {})", finding.detector, finding.provider, finding.class)))?;
    if let Some(info) = detector {
        line("opens", &escaped(&info.opens))?;
    }
    let said = |fields: &std::collections::BTreeMap<String, String>| {
        let each: Vec<String> = fields.iter().map(|(name, value)| format!("{name} {value}")).collect();
        escaped(&each.join(", "))
    };
    if !finding.facts.is_empty() {
        line("says", &said(&finding.facts))?;
    }
    if let Some(identity) = finding.liveness.liveness.identity().filter(|identity| !identity.0.is_empty()) {
        line("speaks as", &said(&identity.0))?;
    }
    for (label, text) in reach::lines(finding, true) {
        line(label, &escaped(&text))?;
    }
    let mut owners: Vec<_> = finding.owners.iter().collect();
    owners.sort_by_key(|owner| owner.edge);
    for owner in owners {
        let contested = if owner.contested { "contested; " } else { "" };
        let id = owner.spiffe_id.as_ref().filter(|id| **id != owner.id).map(|id| format!(", {id}")).unwrap_or_default();
        line(owner.edge.label(), &escaped(&format!("{}{id} ({contested}{})", owner.id, owner.tier.word())))?;
    }
    line("exposed", &escaped(&exposed(finding)))?;
    for place in &finding.occurrences {
        let at = format!("{}:{}:{}", place.path, place.location.line, place.location.column);
        line("at", &format!("<code>{}</code>", escaped(&at)))?;
    }
    next(finding, detector, &mut line)?;
    line("fingerprint", &format!("<code class=\"dim\">{}</code>", finding.fingerprint.short()))?;
    out.write_all(b"</dl>\n</article>\n")
}

fn next(
    finding: &Finding,
    detector: Option<&DetectorInfo>,
    line: &mut dyn FnMut(&str, &str) -> io::Result<()>,
) -> io::Result<()> {
    if matches!(finding.liveness.liveness, Liveness::Dead(_)) || finding.facts.contains_key("canary") {
        return Ok(());
    }
    if finding.playbook.is_some() {
        line("stop it", &format!("<code>staunch respond plan {}</code>", finding.fingerprint.short()))?;
    }
    match detector.and_then(|info| info.console.as_ref()).filter(|console| console.starts_with("https://")) {
        Some(console) => {
            let console = escaped(console);
            line("by hand", &format!("<a href=\"{console}\" rel=\"noopener noreferrer\">{console}</a>"))
        }
        None => Ok(()),
    }
}

fn footer(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let text = looked_at(report);
    let tool = &report.tool;
    writeln!(
        out,
        "<footer>{}<br>{} {}, detectors <code>{}</code></footer>",
        escaped(&text),
        escaped(&tool.name),
        escaped(&tool.version),
        escaped(&tool.detectors.chars().take(12).collect::<String>())
    )
}

/// Text that is text wherever it stands in the page.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::{detector, finding, report};
    use super::html;
    use crate::model::{Edge, Identity, Liveness, Owner, Tier};

    const HOSTILE: &str = "<script>alert('x')</script>\"&\u{1b}[31m";

    #[test]
    fn nothing_found_runs_loads_or_draws() {
        let mut found = finding(HOSTILE);
        HOSTILE.clone_into(&mut found.redacted);
        found.facts.insert("account".into(), HOSTILE.into());
        found.liveness.liveness =
            Liveness::Limited(Identity([("user".to_owned(), HOSTILE.to_owned())].into()), HOSTILE.into());
        HOSTILE.clone_into(&mut found.provider);
        found.owners = vec![Owner {
            edge: Edge::Consumer,
            id: HOSTILE.to_owned(),
            name: HOSTILE.to_owned(),
            spiffe_id: None,
            tier: Tier::Bound,
            confidence: crate::model::Weight(9_000),
            contested: false,
            evidence: Vec::new(),
        }];
        let mut all = report(vec![found]);
        all.coverage.trouble(HOSTILE, HOSTILE);
        all.coverage.skip(HOSTILE);
        HOSTILE.clone_into(&mut all.tool.version);
        let mut info = detector();
        info.console = Some(format!("https://x.example/{HOSTILE}"));
        HOSTILE.clone_into(&mut info.opens);
        HOSTILE.clone_into(&mut info.summary);
        let mut out = Vec::new();
        html(&all, &[info], &mut out).expect("written");
        let text = String::from_utf8(out).expect("text");
        assert!(!text.contains("<script") && !text.contains('\u{1b}') && !text.contains("alert('x')"), "{text}");
        assert!(!text.contains(" src=") && !text.contains("<link") && !text.contains("@import"), "{text}");
        let opened = text.matches("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\\u{1b}[31m").count();
        assert!(opened >= 10, "it is all there, as text: {opened}");
        assert!(
            text.contains("<svg") && !text.contains("xlink:") && !text.contains("<image") && !text.contains("href=\"h<")
        );
        assert!(text.contains("default-src 'none'"));
    }

    #[test]
    fn what_matters_is_on_the_page() {
        let mut found = finding("a.py");
        found.playbook = Some("acme-contain".into());
        let mut all = report(vec![found]);
        all.coverage.interrupted = true;
        let mut out = Vec::new();
        html(&all, &[detector()], &mut out).expect("written");
        let text = String::from_utf8(out).expect("text");
        for wanted in [
            "1 finding, 0 live keys",
            "<code>a.py:3:7</code>",
            "staunch respond plan",
            "https://console.acme.example/keys",
            "Incomplete",
            "interrupted",
            "INCOMPLETE",
            "not asked",
        ] {
            assert!(text.contains(wanted), "{wanted} in {text}");
        }
    }
}
