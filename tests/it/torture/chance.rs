//! Chance that can be had again: whoever fails says with which seed.

use std::time::{SystemTime, UNIX_EPOCH};

/// Numbers that nobody foresees and anybody can repeat.
pub(crate) struct Chance(u64);

impl Chance {
    /// From the clock; the seed is said, for the case that something comes of it.
    pub(crate) fn new(test: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = now.as_nanos() as u64;
        eprintln!("{test}: seed {seed}");
        Self::seeded(seed)
    }

    /// From a seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A whole number below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// A number in a range.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        low + share * (high - low)
    }

    /// Puts things into an order of its own.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            things.swap(at, self.below(at + 1));
        }
    }
}

#[test]
fn the_same_seed_has_the_same_chances() {
    let draw = |seed| {
        let mut chance = Chance::seeded(seed);
        let mut order: Vec<usize> = (0..20).collect();
        chance.shuffle(&mut order);
        (order, chance.below(1_000_000))
    };
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
    let mut chance = Chance::seeded(1);
    assert!((0..1_000).all(|_| (2.0..3.0).contains(&chance.between(2.0, 3.0))));
}
