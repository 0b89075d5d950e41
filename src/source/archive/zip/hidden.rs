//! Members of a ZIP that its directory does not name: older versions that a program wrote over by writing behind them, whole other
//! ZIPs before or behind this one, and what somebody hides. Whoever unpacks the ZIP does not see them; the bytes are there.

use std::io::{self, BufReader, Read, SeekFrom};
use std::ops::Range;

use super::entry::{LOCAL, LOCAL_LENGTH, Member, word};
use super::{ReadSeek, onwards};
use crate::source::archive::input::fill;
use crate::source::archive::members::Members;

/// Places that are remembered: 32 MiB.
const MOST: usize = 1 << 21;
/// Bytes that are looked through together.
const CHUNK: usize = 64 << 10;
/// The longest name of a member that nobody names.
const NAME: usize = 1024;

/// Where the named members stand.
#[derive(Default)]
pub(super) struct Taken {
    all: Vec<Range<u64>>,
    is_cut: bool,
}

impl Taken {
    /// Something stands there.
    pub(super) fn take(&mut self, place: Range<u64>) {
        if self.all.len() < MOST { self.all.push(place) } else { self.is_cut = true }
    }

    /// What lies between, in a file of so many bytes. Of one with too many members nothing is known.
    pub(super) fn gaps(mut self, length: u64) -> Vec<Range<u64>> {
        if self.is_cut {
            return Vec::new();
        }
        self.all.sort_unstable_by_key(|place| place.start);
        self.all.push(length..length);
        let (mut gaps, mut at) = (Vec::new(), 0_u64);
        for place in self.all {
            if place.start >= at.saturating_add(LOCAL_LENGTH as u64) {
                gaps.push(at..place.start);
            }
            at = at.max(place.end);
        }
        gaps
    }
}

/// Reads what looks like a member in the gaps.
pub(super) fn read(source: &mut dyn ReadSeek, gaps: &[Range<u64>], members: &mut Members<'_>) -> io::Result<()> {
    for gap in gaps {
        let mut at = gap.start;
        while let Some(found) = find(source, at..gap.end)? {
            if members.is_over() {
                return Ok(());
            }
            at = match member(source, found..gap.end)? {
                None => found + 1,
                Some((member, start)) => {
                    source.seek(SeekFrom::Start(start))?;
                    let rest = Read::take(&mut *source, gap.end - start);
                    let mut stream: onwards::Stream<'_> = BufReader::new(Box::new(rest));
                    onwards::one(&mut stream, &member, members)?;
                    start + member.packed.min(gap.end - start)
                }
            };
        }
    }
    Ok(())
}

/// The next place where a member may begin.
fn find(source: &mut dyn ReadSeek, place: Range<u64>) -> io::Result<Option<u64>> {
    let (mut at, mut chunk) = (place.start, vec![0; CHUNK]);
    while at + (LOCAL_LENGTH as u64) < place.end {
        source.seek(SeekFrom::Start(at))?;
        let want = (place.end - at).min(CHUNK as u64) as usize;
        let got = fill(&mut &mut *source, &mut chunk[..want])?;
        if let Some(found) = memchr::memmem::find(&chunk[..got], LOCAL) {
            return Ok(Some(at + found as u64));
        }
        if got < want || got <= LOCAL.len() {
            return Ok(None);
        }
        at += (got - LOCAL.len() + 1) as u64;
    }
    Ok(None)
}

/// What stands at the beginning of `place`, where it can be a member, and where its bytes begin. Programs that unpack ZIPs hold
/// the sign as well, and what is packed may do so by chance.
fn member(source: &mut dyn ReadSeek, place: Range<u64>) -> io::Result<Option<(Member, u64)>> {
    let mut fixed = [0; LOCAL_LENGTH];
    source.seek(SeekFrom::Start(place.start))?;
    if fill(&mut &mut *source, &mut fixed)? < LOCAL_LENGTH {
        return Ok(None);
    }
    let (names, extra) = (usize::from(word(&fixed, 26)), usize::from(word(&fixed, 28)));
    let mut rest = Vec::new();
    Read::take(&mut *source, (names + extra) as u64).read_to_end(&mut rest)?;
    let member = Member::local(&fixed, &rest);
    let start = place.start + (LOCAL_LENGTH + names + extra) as u64;
    let is_open = member.is_described_behind() && member.packed == 0;
    let is_one = word(&fixed, 4) & 0xff <= 63
        && matches!(member.method, 0 | 8 | 9 | 12 | 14 | 93 | 95 | 98 | 99)
        && (1..=NAME).contains(&names)
        && rest.len() == names + extra
        && member.name.iter().all(|&byte| byte >= b' ')
        && start <= place.end
        && (is_open || start.saturating_add(member.packed) <= place.end);
    Ok(is_one.then_some((member, start)))
}
