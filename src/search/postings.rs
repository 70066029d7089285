//! Where a word stands: packed lists of clips and places.
//!
//! ```text
//! clips   per clip   varint(step << 2 | is_in_head << 1 | is_repeated)  [varint count]
//! places  per clip   varint place, then varint steps between places
//! ```
//! `step` is the distance to the clip before, `count` stands only where the word
//! is repeated. The two streams are apart because ranking reads only the first.

/// Appends seven bits a byte, the lowest first.
pub(super) fn put_varint(mut value: u32, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Reads varints; past the end it reads zeros.
#[derive(Clone)]
pub(super) struct Varints<'a> {
    rest: &'a [u8],
}

impl<'a> Varints<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(super) fn take(&mut self) -> u32 {
        let mut value = 0;
        let mut shift = 0;
        while let [byte, rest @ ..] = self.rest {
            self.rest = rest;
            value |= u32::from(byte & 0x7f) << (shift & 31);
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
        }
        value
    }

    /// A signed value that [`zigzag`] wrote.
    pub(super) fn take_signed(&mut self) -> i32 {
        let value = self.take();
        (value >> 1) as i32 ^ -((value & 1) as i32)
    }

    fn skip(&mut self, count: u32) {
        for _ in 0..count {
            let len = self
                .rest
                .iter()
                .position(|byte| byte & 0x80 == 0)
                .map_or(0, |at| at + 1);
            self.rest = self.rest.get(len..).unwrap_or_default();
        }
    }
}

/// A signed value as an unsigned one that is small when it is near zero.
pub(super) fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

/// A word in one clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posting {
    pub(super) clip: u32,
    /// How often the word stands there, title and tags included.
    pub(super) count: u32,
    /// Whether it stands in the title or a tag.
    pub(super) is_in_head: bool,
}

/// All places of one word, in the order of the clips.
#[derive(Debug, Default)]
pub(super) struct Postings {
    clips: Vec<u8>,
    places: Vec<u8>,
    last_clip: u32,
    len: u32,
}

impl Postings {
    /// How many clips hold the word.
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// Adds a clip that comes after all others. `places` ascend and are not empty.
    pub(super) fn push(
        &mut self,
        clip: u32,
        is_in_head: bool,
        places: impl ExactSizeIterator<Item = u32>,
    ) {
        let count = places.len() as u32;
        make_room(&mut self.clips);
        make_room(&mut self.places);
        let step = clip - self.last_clip;
        let flags = u32::from(is_in_head) << 1 | u32::from(count != 1);
        put_varint(step << 2 | flags, &mut self.clips);
        if count != 1 {
            put_varint(count, &mut self.clips);
        }
        let mut last = 0;
        for place in places {
            put_varint(place - last, &mut self.places);
            last = place;
        }
        self.last_clip = clip;
        self.len += 1;
    }

    /// The clips, without the places.
    #[inline]
    pub(super) fn clips(&self) -> impl Iterator<Item = Posting> + '_ {
        let mut bytes = Varints::new(&self.clips);
        let mut clip = 0;
        std::iter::from_fn(move || {
            if bytes.is_at_end() {
                None
            } else {
                Some(next(&mut bytes, &mut clip))
            }
        })
    }

    /// The clips with the reader of their places.
    pub(super) fn walk(&self) -> Walk<'_> {
        Walk {
            clips: Varints::new(&self.clips),
            places: Varints::new(&self.places),
            clip: 0,
            unread: 0,
        }
    }
}

#[inline]
fn next(bytes: &mut Varints<'_>, clip: &mut u32) -> Posting {
    let head = bytes.take();
    *clip += head >> 2;
    let count = if head & 1 == 1 { bytes.take() } else { 1 };
    Posting {
        clip: *clip,
        count,
        is_in_head: head & 2 == 2,
    }
}

/// Most words are rare: growing by a quarter instead of doubling keeps the many
/// short lists small.
fn make_room(bytes: &mut Vec<u8>) {
    if bytes.capacity() - bytes.len() < 6 {
        bytes.reserve_exact(6.max(bytes.len() / 4));
    }
}

/// Goes through a list; the places of a clip are read or skipped.
pub(super) struct Walk<'a> {
    clips: Varints<'a>,
    places: Varints<'a>,
    clip: u32,
    unread: u32,
}

impl Walk<'_> {
    /// The next clip.
    pub(super) fn next(&mut self) -> Option<Posting> {
        self.places.skip(std::mem::take(&mut self.unread));
        if self.clips.is_at_end() {
            return None;
        }
        let posting = next(&mut self.clips, &mut self.clip);
        self.unread = posting.count;
        Some(posting)
    }

    /// Replaces the contents by the places in the clip that `next` gave last.
    pub(super) fn read_places(&mut self, into: &mut Vec<u32>) {
        into.clear();
        let mut place = 0;
        for _ in 0..std::mem::take(&mut self.unread) {
            place += self.places.take();
            into.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_put_in_comes_out(
            clips in proptest::collection::btree_map(0_u32..1 << 29, (any::<bool>(),
                proptest::collection::btree_set(0_u32..1 << 30, 1..5)), 0..20),
        ) {
            let mut postings = Postings::default();
            for (clip, (is_in_head, places)) in &clips {
                postings.push(*clip, *is_in_head, places.iter().copied());
            }
            prop_assert_eq!(postings.len() as usize, clips.len());
            let mut walk = postings.walk();
            let mut found = Vec::new();
            for (posting, (clip, (is_in_head, places))) in postings.clips().zip(&clips) {
                let expected = Posting { clip: *clip, count: places.len() as u32, is_in_head: *is_in_head };
                prop_assert_eq!(posting, expected);
                prop_assert_eq!(walk.next(), Some(expected));
                // Every second list is skipped rather than read.
                if clip % 2 == 0 {
                    walk.read_places(&mut found);
                    prop_assert!(found.iter().eq(places));
                }
            }
            prop_assert_eq!(walk.next(), None);
        }

        #[test]
        fn signed_values_survive(value: i32) {
            let mut bytes = Vec::new();
            put_varint(zigzag(value), &mut bytes);
            prop_assert_eq!(Varints::new(&bytes).take_signed(), value);
        }
    }
}
