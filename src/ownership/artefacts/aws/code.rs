//! The code of a function: what stands in the file that its handler is in, or in a file that is packed with it, is inferred to be used
//! by it (docs.aws.amazon.com/lambda, "Handler"; serverless.com/framework/docs, "Packaging"). Other files of its program are not
//! followed.

use std::sync::Arc;

use super::super::links::{Consumer, Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean, folder, join};
use crate::model::Tier;

/// What handlers are written in.
const ENDINGS: [&str; 7] = ["py", "js", "mjs", "cjs", "ts", "mts", "rb"];
/// Patterns of one package.
const PATTERNS: usize = 100;

/// The file of `src/send.handler`, seen from the folder that the code lies in.
pub(super) fn handler((sheet, links): (&Sheet<'_>, &mut Links), at: View<'_>, (below, consumer): (&str, &Arc<Consumer>)) {
    let Some((stem, _)) = at.text().and_then(|text| text.rsplit_once('.')) else { return };
    let Some(stem) = join(folder(&sheet.path), below).and_then(|own| join(&own, stem)) else { return };
    for ending in ENDINGS {
        let link = Link::new(consumer, Tier::Inferred, "lambda-handler", format!("handler {}", clean(&stem)));
        links.pull(format!("{stem}.{ending}"), sheet.place(at), link);
    }
}

/// `package.include` and `package.patterns` of a service or a function.
pub(super) fn packed((sheet, links): (&Sheet<'_>, &mut Links), view: View<'_>, consumer: &Arc<Consumer>) {
    let fields = ["include", "patterns"].into_iter().filter_map(|field| view.at(&["package", field]));
    for at in fields.flat_map(View::items).take(PATTERNS) {
        // What begins with `!` is left out; of everything nothing is said.
        let Some(pattern) = at.text().filter(|text| !text.starts_with('!') && !text.starts_with("**")) else { continue };
        let pattern = pattern.trim_start_matches("./");
        let link = Link::new(consumer, Tier::Inferred, "serverless-package", format!("packs {}", clean(pattern)));
        links.copies.put(folder(&sheet.path).to_owned(), Some(pattern), sheet.place(at), link);
    }
}
