//! Scripts of a `package.json`: value → a script → the package. Inferred: who runs it, and where, is not said.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, file_name, is_showable};
use crate::model::{Coverage, Tier};

/// What packages' scripts say.
#[derive(Default)]
pub(super) struct Scripts;

impl Kind for Scripts {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        file_name(path) == "package.json"
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, _: &mut Coverage) {
        // What is not valid is told by the reader of what lies beside it.
        sheet.documents(&mut Coverage::default(), &mut |root| {
            let Some(name) = root.text_at(&["name"]).filter(|name| is_showable(name)) else { return };
            let consumer =
                Consumer::new(format!("package:{}/{name}", sheet.path), format!("package {name} of {}", sheet.path));
            let consumer = Arc::new(consumer);
            for (script, command) in root.get("scripts").map(View::entries).unwrap_or_default() {
                let detail = format!("script {}", clean(script.text().unwrap_or("?")));
                links.put(sheet, command, Link::new(&consumer, Tier::Inferred, "package-script", detail));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Inferred;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    #[test]
    fn a_script_is_its_package_s() {
        let text = format!("{{\"name\": \"web\", \"scripts\": {{\"up\": \"hub --token={VALUE} x\"}}}}");
        let all = tree(&[("web/package.json", &text)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [("package:web/package.json/web", Inferred)]);
        let other = format!("{{\"name\": \"web\", \"config\": {{\"t\": \"{VALUE}\"}}}}");
        assert_eq!(tree(&[("web/package.json", &other)]).resolve(&finding(VALUE)), []);
    }
}
