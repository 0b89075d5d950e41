//! What leads to anchors in a text, and in what is made of it by seeing through its escapes and joints: most of that is
//! copied, and need not be searched again.

use std::ops::Range;

use super::super::escapes::Rewritten;
use super::Scanner;
use super::view::{View, original};
use crate::model::Clue;

/// What leads to anchors in a text.
pub(super) struct Leads {
    /// By place in it.
    pub(super) all: Vec<Clue>,
    /// Where all are known.
    known: Range<usize>,
}

/// Shorter pieces hold no text of the prefilter.
const SHORTEST: usize = 3;

impl Scanner<'_> {
    /// What leads to anchors in `view`: what is given, else what is there.
    pub(super) fn leads(&mut self, view: &View<'_>) -> Leads {
        let mut all = std::mem::take(&mut self.spare);
        all.clear();
        let Some(given) = self.given.take() else {
            let known = self.around(view);
            self.clues(view.bytes, known.clone(), &mut all);
            return Leads { all, known };
        };
        let offset = view.map.span(&(0..0)).start as u32;
        all.extend(given.iter().map(|clue| Clue { at: clue.at - offset, end: clue.end - offset, ..*clue }));
        let reach = super::super::REACH;
        let known = view.own.start.saturating_sub(reach)..view.bytes.len().min(view.own.end + reach);
        Leads { all, known }
    }

    /// What leads to anchors in `places` of a rewritten text.
    pub(super) fn leads_of(&self, leads: &Leads, text: &Rewritten, places: Range<usize>, all: &mut Vec<Clue>) {
        let stood = |at: usize| original(&text.stretches, at);
        if places.is_empty() || leads.known.start > stood(places.start) || leads.known.end < stood(places.end - 1) + 1 {
            return self.clues(&text.bytes, places, all);
        }
        let reach = self.longest_clue().saturating_sub(1);
        let mut joint: Option<Range<usize>> = None;
        let ends = text.stretches.iter().skip(1).map(|(start, _)| *start).chain([text.bytes.len()]);
        for (&(start, stood), end) in text.stretches.iter().zip(ends) {
            let piece = start.max(places.start)..end.min(places.end);
            if piece.len() >= SHORTEST {
                copied(&leads.all, stood + piece.start - start, &piece, all);
            }
            let around = start.saturating_sub(reach).max(places.start)..(start + reach).min(places.end);
            match &mut joint {
                _ if start == 0 || around.is_empty() => {}
                Some(last) if last.end >= around.start => last.end = around.end,
                _ => {
                    if let Some(last) = joint.replace(around) {
                        self.clues(&text.bytes, last, all);
                    }
                }
            }
        }
        if let Some(last) = joint {
            self.clues(&text.bytes, last, all);
        }
        all.sort_unstable();
        all.dedup();
    }
}

/// Adds what stands in a piece that was copied from `stood` on.
fn copied(leads: &[Clue], stood: usize, piece: &Range<usize>, all: &mut Vec<Clue>) {
    let end = (stood + piece.len()) as u32;
    let first = leads.partition_point(|lead| (lead.at as usize) < stood);
    let inside = leads[first..].iter().take_while(|lead| lead.at < end).filter(|lead| lead.end <= end);
    let moved = |at: u32| at - stood as u32 + piece.start as u32;
    all.extend(inside.map(|lead| Clue { at: moved(lead.at), end: moved(lead.end), ..*lead }));
}

#[cfg(test)]
mod tests {
    use super::super::view::{Map, View};
    use super::Scanner;
    use crate::detect::kind::FileKind;
    use crate::detect::{DetectorSet, escapes};
    use crate::model::Clue;
    use proptest::prelude::{Just, Strategy, prop, prop_oneof, proptest};

    /// Texts in which much leads somewhere, some of it only once an escape or a joint is seen through.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("password = \"".to_owned()),
            Just("sk-ant-".to_owned()),
            Just("gh\\u0070_".to_owned()),
            Just("AK\" + \"IA".to_owned()),
            Just("OPENAI%5FAPI%5FKEY=".to_owned()),
            Just("tok' .\n  'en: ".to_owned()),
            Just("\"\n".to_owned()),
            "[a-zA-Z0-9]{0,40}",
            "[ -~\n]{0,300}",
        ];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    static SET: std::sync::LazyLock<DetectorSet> = std::sync::LazyLock::new(|| DetectorSet::builtin().expect("detectors"));

    proptest! {
        #[test]
        fn what_leads_on_in_a_rewritten_text_is_what_a_search_finds(text in text()) {
            let mut scanner = Scanner::new(&SET);
            let bytes = text.as_bytes();
            let whole = 0..bytes.len();
            let view =
                View { bytes, own: whole.clone(), map: Map::Offset(0), encoding: Vec::new(), kind: FileKind::UNKNOWN };
            let leads = scanner.leads(&view);
            for rewritten in escapes::unescaped(bytes, whole) {
                let places = 0..rewritten.bytes.len();
                let (mut searched, mut told) = (Vec::<Clue>::new(), Vec::new());
                scanner.clues(&rewritten.bytes, places.clone(), &mut searched);
                scanner.leads_of(&leads, &rewritten, places, &mut told);
                proptest::prop_assert_eq!(told, searched);
            }
        }
    }
}
