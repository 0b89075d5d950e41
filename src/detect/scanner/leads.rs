//! What leads to anchors in a text, and in what is made of it by seeing through its escapes and joints: most of that is
//! copied, and need not be searched again.

use std::ops::Range;

use super::super::escapes::{self, Rewritten};
use super::Scanner;
use super::view::{View, original};
use crate::model::Clue;

/// What leads to anchors in a text.
#[derive(Default)]
pub(super) struct Leads {
    /// By place in it.
    pub(super) all: Vec<Clue>,
    /// Where escapes and joints may stand that matter to its own part.
    pub(super) marks: Vec<usize>,
    /// Where all are known.
    known: Range<usize>,
}

/// Texts of clues from this one on are marks, by the bytes that stand before the place in question.
const MARK: u32 = u32::MAX - escapes::SPAN as u32;
/// Shorter pieces hold no text of the prefilter.
const SHORTEST: usize = 3;

impl Scanner<'_> {
    /// What leads to anchors in `view`: what is given, else what is there.
    pub(super) fn leads(&mut self, view: &View<'_>) -> Leads {
        let Leads { mut all, mut marks, .. } = std::mem::take(&mut self.spare);
        all.clear();
        marks.clear();
        let marked = self.marked(view);
        let Some(given) = self.given.take() else {
            let known = self.around(view);
            self.texts(view.bytes, known.clone(), &mut all);
            escapes::marks(view.bytes, marked, &mut |at| marks.push(at));
            return Leads { all, marks, known };
        };
        let offset = view.map.span(&(0..0)).start as u32;
        for clue in given {
            let (at, end) = (clue.at - offset, clue.end - offset);
            match clue.text.checked_sub(MARK) {
                None => all.push(Clue { at, end, ..clue }),
                Some(before) => marks.extend(Some((at + before) as usize).filter(|at| marked.contains(at))),
            }
        }
        let reach = super::super::REACH;
        let known = view.own.start.saturating_sub(reach)..view.bytes.len().min(view.own.end + reach);
        Leads { all, marks, known }
    }

    /// Adds every text in `places` that may lead to something, and every mark.
    pub fn clues(&self, bytes: &[u8], places: Range<usize>, all: &mut Vec<Clue>) {
        escapes::marks(bytes, places.clone(), &mut |place| {
            let Range { start, end } = escapes::told_by(bytes, place);
            if places.start <= start && end <= places.end {
                all.push(Clue { at: start as u32, end: end as u32, text: MARK + (place - start) as u32 });
            }
        });
        self.texts(bytes, places, all);
    }

    /// Adds every text in `places` that may lead to something.
    fn texts(&self, bytes: &[u8], places: Range<usize>, all: &mut Vec<Clue>) {
        let filter = &self.set.prefilter;
        filter.each_text(bytes, places, &mut |at, text| {
            all.push(Clue { at: at as u32, end: filter.end(at, text) as u32, text });
        });
    }

    /// Bytes of the longest clue.
    pub fn longest_clue(&self) -> usize {
        self.set.prefilter.longest().max(escapes::SPAN)
    }

    /// What leads to anchors in `places` of a rewritten text.
    pub(super) fn leads_of(&self, leads: &Leads, text: &Rewritten, places: Range<usize>, all: &mut Vec<Clue>) {
        let stood = |at: usize| original(&text.stretches, at);
        if places.is_empty() || leads.known.start > stood(places.start) || leads.known.end < stood(places.end - 1) + 1 {
            return self.texts(&text.bytes, places, all);
        }
        let reach = self.set.prefilter.longest().saturating_sub(1);
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
                        self.texts(&text.bytes, last, all);
                    }
                }
            }
        }
        if let Some(last) = joint {
            self.texts(&text.bytes, last, all);
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
            for rewritten in escapes::unescaped(bytes, &leads.marks) {
                let places = 0..rewritten.bytes.len();
                let (mut searched, mut told) = (Vec::<Clue>::new(), Vec::new());
                scanner.texts(&rewritten.bytes, places.clone(), &mut searched);
                scanner.leads_of(&leads, &rewritten, places, &mut told);
                proptest::prop_assert_eq!(told, searched);
            }
        }
    }
}
