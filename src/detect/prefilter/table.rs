//! Where a window of four bytes may be some text's, and which texts those are.

/// Windows that are looked at together: one guess of the processor about all of them.
pub(super) const BLOCK: usize = 64;
/// A block is looked at in such pieces, and where it ends early in fewer of them.
pub(super) const STEP: usize = 8;
/// Bytes that the last window of a step or block reaches beyond it, and one.
pub(super) const AHEAD: usize = 4;
/// 256 KiB, which stay in the second-level cache. One bit in ninety is set.
const WORDS: usize = 1 << 15;

pub(super) fn hash(window: u32) -> u64 {
    u64::from(window).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The word of a window's bit, and the bit: the lowest of the hash, which are there without a shift.
fn mark(window: u32) -> (usize, u32) {
    let hash = window.wrapping_mul(0x9e37_79b1);
    ((hash >> 17) as usize, hash & 63)
}

/// A bit for each hash of a window of some text.
pub(super) struct Marks(Vec<u64>);

impl Marks {
    pub(super) fn new() -> Self {
        Self(vec![0; WORDS])
    }

    pub(super) fn set(&mut self, window: u32) {
        let (word, bit) = mark(window);
        self.0[word] |= 1 << bit;
    }

    /// A bit for each window that begins in a block and may be a text's, the first in the highest.
    pub(super) fn block(&self, block: &[u8; BLOCK + AHEAD]) -> u64 {
        // An array, so that no place in it needs to be checked.
        let Some(words) = self.0.first_chunk::<WORDS>() else { return 0 };
        let steps = (0..BLOCK).step_by(STEP).filter_map(|at| block[at..].first_chunk());
        steps.fold(0, |all, step| all << STEP | led(words, step))
    }

    /// The same for the first steps of a block; the bits below are zero.
    pub(super) fn some(&self, block: &[u8; BLOCK + AHEAD], steps: usize) -> u64 {
        let Some(words) = self.0.first_chunk::<WORDS>() else { return 0 };
        let steps = (0..BLOCK).step_by(STEP).take(steps).filter_map(|at| Some((at, block[at..].first_chunk()?)));
        steps.fold(0, |all, (at, step)| all | led(words, step) << (BLOCK - STEP - at))
    }
}

#[inline]
fn led(words: &[u64; WORDS], step: &[u8; STEP + AHEAD]) -> u64 {
    let mut led = 0;
    for n in 0..STEP {
        // A load each: together they are fewer instructions than two loads that are shifted.
        let window = step[n..].first_chunk().map_or(0, |four| u32::from_le_bytes(*four));
        let (word, bit) = mark(window);
        led = led << 1 | words[word] >> bit & 1;
    }
    led
}

/// Places that are looked at before the first text is compared.
pub(super) const SEGMENT: usize = 256;

/// Places within a segment that something leads to. They are gathered, and most of them dropped again, without asking the
/// processor to guess which: of a wrong guess each costs as much as 50 bytes that are looked at.
pub(super) struct Led {
    /// Twice as long as it is ever filled, so that writing behind the last needs no check.
    places: [u8; 2 * SEGMENT],
    count: usize,
}

impl Led {
    pub(super) fn new() -> Self {
        Self { places: [0; 2 * SEGMENT], count: 0 }
    }

    /// Adds the places of a block that begins at `base`.
    pub(super) fn add(&mut self, base: u8, mut marks: u64) {
        // A block seldom has more than three.
        for _ in 0..3 {
            self.push(base, marks);
            marks &= marks.wrapping_sub(1);
        }
        while marks != 0 {
            self.push(base, marks);
            marks &= marks.wrapping_sub(1);
        }
    }

    /// Adds the last place, if there is one.
    fn push(&mut self, base: u8, marks: u64) {
        let last = (u64::BITS - 1).wrapping_sub(marks.trailing_zeros());
        self.places[self.count % (2 * SEGMENT)] = base.wrapping_add(last as u8);
        self.count += usize::from(marks != 0);
    }

    /// Drops the places that `stays` does not hold for.
    pub(super) fn retain(&mut self, stays: impl Fn(usize) -> bool) {
        let mut count = 0;
        for n in 0..self.count {
            let place = self.places[n % (2 * SEGMENT)];
            self.places[count % (2 * SEGMENT)] = place;
            count += usize::from(stays(usize::from(place)));
        }
        self.count = count;
    }

    /// Takes them all.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = usize> {
        let count = std::mem::take(&mut self.count);
        self.places[..count].iter().map(|&place| usize::from(place))
    }
}

/// The lower five bits of what stands before and behind a window in some text, as bits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beside {
    pub(super) before: u32,
    pub(super) behind: u32,
}

impl Beside {
    /// No byte is any byte.
    fn holds(self, before: Option<&u8>, behind: Option<&u8>) -> bool {
        let bit = |byte: Option<&u8>| byte.map_or(u32::MAX, |byte| 1 << (byte & 31));
        // Not `&&`: both are there, and one guess less.
        (self.before & bit(before) != 0) & (self.behind & bit(behind) != 0)
    }
}

/// 128 KiB: as many as there are windows.
const SIDES: u32 = 14;

/// What stands beside windows, by their hash: those of one place are taken together.
pub(super) struct Sides(Vec<Beside>);

impl Sides {
    pub(super) fn new() -> Self {
        Self(vec![Beside::default(); 1 << SIDES])
    }

    fn place(window: u32) -> usize {
        (hash(window) >> (u64::BITS - SIDES)) as usize
    }

    pub(super) fn add(&mut self, window: u32, beside: Beside) {
        let all = &mut self.0[Self::place(window)];
        *all = Beside { before: all.before | beside.before, behind: all.behind | beside.behind };
    }

    /// Whether a window may be a text's that stands between these.
    pub(super) fn admit(&self, window: u32, before: Option<&u8>, behind: Option<&u8>) -> bool {
        self.0[Self::place(window)].holds(before, behind)
    }
}

/// The texts of one window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slot {
    /// Their numbers.
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) beside: Beside,
}

impl Slot {
    pub(super) fn admits(&self, before: Option<&u8>, behind: Option<&u8>) -> bool {
        self.beside.holds(before, behind)
    }
}

/// Window → its texts, by open addressing. The windows lie by themselves: most of those that are asked for are not there.
pub(super) struct Windows {
    keys: Vec<u32>,
    slots: Vec<Slot>,
}

/// No text's window: these bytes stand in no string.
const FREE: u32 = u32::MAX;

impl Windows {
    /// Has room for so many.
    pub(super) fn with_room(windows: usize) -> Self {
        let places = (2 * windows).next_power_of_two().max(2);
        Self { keys: vec![FREE; places], slots: vec![Slot::default(); places] }
    }

    /// Where a window stands, or would.
    fn place(&self, window: u32) -> usize {
        let mask = self.keys.len() - 1;
        let mut at = (hash(window) >> 24) as usize & mask;
        while self.keys[at] != window && self.keys[at] != FREE {
            at = (at + 1) & mask;
        }
        at
    }

    pub(super) fn add(&mut self, window: u32, slot: Slot) {
        let at = self.place(window);
        (self.keys[at], self.slots[at]) = (window, slot);
    }

    pub(super) fn find(&self, window: u32) -> Option<&Slot> {
        let at = self.place(window);
        (self.keys[at] == window).then(|| &self.slots[at])
    }
}
