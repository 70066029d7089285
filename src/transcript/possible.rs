//! When each word may have been spoken, as far as its times can be believed.
//!
//! Speech models tell the times of words by a guess. Where it fails, a word gets
//! the time of its neighbours, or several pile up at one moment, often at the end
//! of the recording. A word is believed if it lasts as long as a word can, lies in
//! the recording, and begins behind all that are believed before it. Any other may
//! have been spoken anywhere between the next believed ones on both sides, in
//! whichever segment they are. Where that is too little room to say what stands
//! there, the ones beside it were stretched over the time of others, and are not
//! believed either.

use std::ops::Range;

use super::{REDACTED, Word};

/// No word lasts longer.
const LONGEST_MS: u32 = 1_500;
/// A word lasts at most so long, and so much longer for each of its letters.
const LONG_MS: u32 = 500;
const LONG_MS_A_LETTER: u32 = 100;
/// Nobody says a letter in less.
const SHORT_MS_A_LETTER: u32 = 10;
/// What can't be believed takes at least so long for each letter: people who talk
/// fast without a pause.
const ROOM_MS_A_LETTER: u32 = 70;
/// Words further away than this don't lose their credit to give room. Whisper
/// hears up to 20 s at once.
const REACH_MS: u32 = 10_000;

/// When a word may have been spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Possible {
    /// Milliseconds from the start of the recording, without the end.
    pub(super) span: Range<u32>,
    /// Whether this is the word's own time.
    pub(super) is_believed: bool,
}

/// When each of these words may have been spoken, in a recording of this length.
/// They are those of the whole transcript, in order.
pub(super) fn possible(words: &[&Word], length_ms: u32) -> Vec<Possible> {
    let at_first = believed(words, length_ms);
    let is_believed = with_room(words, &at_first, length_ms);
    let mut next_ms = vec![u32::MAX; words.len()];
    let mut next = u32::MAX;
    for (at, word) in words.iter().enumerate().rev() {
        next_ms[at] = next;
        if is_believed[at] {
            next = word.start_ms;
        }
    }
    let mut last = 0;
    let mut all = Vec::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        let (from, to) = (
            word.start_ms.min(word.end_ms),
            word.start_ms.max(word.end_ms),
        );
        all.push(Possible {
            is_believed: is_believed[at],
            span: match is_believed[at] {
                true => from..to,
                // Its own time is as good a guess as any other.
                false => from.min(last)..to.max(next_ms[at]).max(from.saturating_add(1)),
            },
        });
        if is_believed[at] {
            last = word.end_ms;
        }
    }
    all
}

/// Which words can be believed by themselves and by the order that they are in.
fn believed(words: &[&Word], length_ms: u32) -> Vec<bool> {
    let mut fit: Vec<bool> = words.iter().map(|word| fits(word, length_ms)).collect();
    // Of two that are in the wrong order nobody knows which one is wrong. What
    // stands for words that are gone says nothing about others.
    let counts = |at: usize| fit[at] && words[at].text != REDACTED;
    let mut disorderly = vec![false; words.len()];
    let mut latest = None;
    for at in (0..words.len()).filter(|at| counts(*at)) {
        let start = Some(words[at].start_ms);
        disorderly[at] |= latest >= start;
        latest = latest.max(start);
    }
    let mut earliest = u32::MAX;
    for at in (0..words.len()).rev().filter(|at| counts(*at)) {
        disorderly[at] |= earliest <= words[at].start_ms;
        earliest = earliest.min(words[at].start_ms);
    }
    for (fit, disorderly) in fit.iter_mut().zip(disorderly) {
        *fit &= !disorderly;
    }
    fit
}

/// Whether a word can have been spoken at its time.
fn fits(word: &Word, length_ms: u32) -> bool {
    let lasts_ms = word.end_ms.saturating_sub(word.start_ms);
    if word.text == REDACTED {
        return lasts_ms > 0;
    }
    let letters = letters(word).max(1);
    let longest_ms = letters
        .saturating_mul(LONG_MS_A_LETTER)
        .saturating_add(LONG_MS)
        .min(LONGEST_MS);
    let shortest_ms = letters.saturating_mul(SHORT_MS_A_LETTER).min(longest_ms);
    (shortest_ms..=longest_ms).contains(&lasts_ms) && word.end_ms <= length_ms
}

/// How long a word is to say, in letters: digits and ideographs are whole words
/// and syllables.
fn letters(word: &Word) -> u32 {
    let said = word.text.chars().filter(|c| c.is_alphanumeric());
    said.map(|c| match c {
        _ if c.is_numeric() => 4,
        '\u{2e80}'.. => 3,
        _ => 1,
    })
    .sum()
}

/// Takes the credit of those beside each run of words that are not believed, until
/// there is room to say it.
fn with_room(words: &[&Word], believed: &[bool], length_ms: u32) -> Vec<bool> {
    let mut left = believed.to_vec();
    let mut at = 0;
    while at < words.len() {
        let run = at..at + believed[at..].iter().take_while(|is| !**is).count();
        at = run.end + 1;
        if words[run.clone()].iter().any(|word| word.text != REDACTED) {
            left[widened(words, believed, run, length_ms)].fill(false);
        }
    }
    left
}

/// The run with as many words on both sides as it takes to have room.
fn widened(words: &[&Word], believed: &[bool], run: Range<usize>, length_ms: u32) -> Range<usize> {
    let bounds = |run: &Range<usize>| {
        let before = run.start.checked_sub(1).map_or(0, |at| words[at].end_ms);
        let behind = words.get(run.end).map_or(length_ms, |word| word.start_ms);
        before..behind
    };
    let near = bounds(&run);
    let can_yield = |at: usize| {
        let word = words[at];
        word.text != REDACTED
            && word.start_ms.saturating_add(REACH_MS) >= near.start
            && word.end_ms <= near.end.saturating_add(REACH_MS)
    };
    let mut wide = run;
    loop {
        let letters: u32 = words[wide.clone()].iter().map(|word| letters(word)).sum();
        let room = bounds(&wide);
        if room.end.saturating_sub(room.start) >= letters.saturating_mul(ROOM_MS_A_LETTER) {
            return wide;
        }
        let before = wide.clone();
        if wide.start > 0 && can_yield(wide.start - 1) {
            wide.start -= 1;
        }
        if wide.end < words.len() && can_yield(wide.end) {
            wide.end += 1;
        }
        if wide == before {
            return wide;
        }
        // Another run that it comes upon is a part of it.
        while wide.start > 0 && !believed[wide.start - 1] {
            wide.start -= 1;
        }
        while wide.end < words.len() && !believed[wide.end] {
            wide.end += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::samples::timed;
    use super::believed as in_order;
    use super::*;

    fn spans(words: &[(u32, u32, &str)], length_ms: u32) -> Vec<Range<u32>> {
        let segment = timed(words);
        let words: Vec<&Word> = segment.words.iter().collect();
        let all = possible(&words, length_ms);
        all.into_iter().map(|one| one.span).collect()
    }

    #[test]
    fn words_that_follow_each_other_at_the_pace_of_speech_are_believed() {
        let words = [
            (730, 1_060, "morning,"),
            (1_850, 1_880, "I"),
            (1_880, 2_520, "finished"),
            (2_690, 2_780, "the"),
        ];
        let own = words.map(|(start, end, _)| start..end);
        assert_eq!(spans(&words, 3_000), own);
    }

    #[test]
    fn a_word_of_no_length_lies_between_its_neighbours() {
        for (start, end) in [(600, 600), (5_000, 600), (600, 609), (100, 2_000)] {
            let words = [
                (0, 300, "one"),
                (start, end, "two"),
                (900, 1_200, "three"),
                (1_200, 1_500, "four"),
            ];
            let own = start.min(end).min(300)..start.max(end).max(900);
            let all = spans(&words, 2_000);
            assert_eq!(all[1], own, "{start} to {end}");
            assert_eq!((all[0].clone(), all[2].clone()), (0..300, 900..1_200));
        }
    }

    #[test]
    fn words_that_pile_up_take_the_credit_of_those_that_have_their_time() {
        // As tiny.en hears it: "oatmeal" is said a second before its time.
        let words = [
            (250, 1_390, "Remember"),
            (1_590, 1_870, "to"),
            (2_070, 2_590, "buy"),
            (2_590, 2_890, "oatmeal"),
            (3_210, 3_210, "in"),
            (3_210, 3_210, "16"),
            (3_210, 3_210, "oranges."),
        ];
        assert_eq!(spans(&words, 3_215), vec![0..u32::MAX; 7]);
        // Where they have room, nobody loses any.
        let words = [
            (250, 750, "Remember"),
            (3_210, 3_210, "in"),
            (3_210, 3_210, "May"),
        ];
        assert_eq!(spans(&words, 3_215)[0], 250..750);
        assert_eq!(spans(&words, 3_215)[1], 750..u32::MAX);
    }

    #[test]
    fn words_in_the_wrong_order_or_at_one_time_or_behind_the_end_are_not_believed() {
        let believed = |words: &[(u32, u32, &str)]| {
            let segment = timed(words);
            let words: Vec<&Word> = segment.words.iter().collect();
            in_order(&words, 5_000)
        };
        let words = [(0, 300, "one"), (2_000, 2_300, "two"), (1_000, 1_300, "x")];
        assert_eq!(believed(&words), [true, false, false]);
        let words = [(0, 300, "one"), (0, 300, "two"), (400, 700, "six")];
        assert_eq!(believed(&words), [false, false, true]);
        let words = [(0, 300, "one"), (4_900, 5_200, "two")];
        assert_eq!(believed(&words), [true, false]);
    }

    #[test]
    fn one_that_talks_fast_loses_no_more_than_what_is_near() {
        let mut words: Vec<(u32, u32, &str)> = (0..600)
            .map(|at| (at * 100, at * 100 + 100, "quickest"))
            .collect();
        words[300].1 = words[300].0;
        let segment = timed(&words);
        let refs: Vec<&Word> = segment.words.iter().collect();
        let all = possible(&refs, 60_000);
        let doubted = all.iter().filter(|one| !one.is_believed).count();
        assert!((100..=205).contains(&doubted), "{doubted}");
        assert!(all[190].is_believed && all[410].is_believed);
    }
}
