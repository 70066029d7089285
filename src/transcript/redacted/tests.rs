//! What goes with a span and what stays.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;
use crate::transcript::samples::{any_transcript, spoken, timed};

/// Longer than any of these.
const LENGTH_MS: u32 = 100_000;

/// A span of a recording of this length, to which nobody listened.
fn outtake(span_ms: Range<u32>, length_ms: u32) -> Outtake {
    Outtake {
        span_ms,
        length_ms,
        heard: Vec::new(),
    }
}

fn texts(transcript: &Transcript) -> Vec<&str> {
    let segments = transcript.segments.iter();
    segments.map(|segment| segment.text.as_str()).collect()
}

fn of_segments(segments: Vec<Segment>) -> Transcript {
    Transcript {
        segments,
        ..spoken(&[])
    }
}

#[test]
fn words_of_the_span_go_and_one_mark_stands_for_each_run() {
    let old = spoken(&[
        (0, 2_500, "my number is 555, thanks"),
        (2_500, 3_500, "call me"),
    ]);
    let new = old.redacted(&outtake(1_800..2_000, LENGTH_MS)).unwrap();
    assert_eq!(texts(&new), ["my number is [redacted]", "call me"]);
    assert!(!old.is_doubted_in(&outtake(1_800..2_000, LENGTH_MS)));
    let mark = &new.segments[0].words[3];
    assert_eq!((mark.start_ms, mark.end_ms), (1_500, 2_500));
    assert_eq!(
        old.said_in(&outtake(1_800..2_000, LENGTH_MS)),
        "555, thanks"
    );
    let new = old.redacted(&outtake(900..2_650, LENGTH_MS)).unwrap();
    assert_eq!(texts(&new), ["my [redacted]", "[redacted] me"]);
    assert_eq!(new.segments[0].words.len(), 2);
    assert_eq!((new.model, new.made_at), (old.model, old.made_at));
}

#[test]
fn a_word_within_the_margin_goes_and_one_behind_it_stays() {
    let old = spoken(&[(0, 1_500, "one two three")]);
    let new = old.redacted(&outtake(1_300..1_301, LENGTH_MS)).unwrap();
    assert_eq!(texts(&new), ["one two [redacted]"]);
    let new = old.redacted(&outtake(1_299..1_300, LENGTH_MS)).unwrap();
    assert_eq!(texts(&new), ["one [redacted]"]);
    assert_eq!(old.redacted(&outtake(1_800..9_000, LENGTH_MS)), None);
}

#[test]
fn words_whose_times_are_wrong_by_seconds_go_with_the_span() {
    let mut words = vec![(220, 2_680, "Remember")];
    let piled = ["to", "buy", "out", "me", "when", "16", "oranges."];
    words.extend(piled.map(|word| (2_870, 2_870, word)));
    let old = of_segments(vec![timed(&words)]);
    let new = old.redacted(&outtake(800..2_700, 2_870)).unwrap();
    assert_eq!(texts(&new), [MARK]);
    assert_eq!(new.redacted(&outtake(800..2_700, 2_870)), None);
    assert!(old.is_doubted_in(&outtake(800..2_700, 2_870)));
    // In two segments it is the same.
    let old = of_segments(vec![timed(&words[..3]), timed(&words[3..])]);
    let new = old.redacted(&outtake(800..2_700, 2_870)).unwrap();
    assert_eq!(texts(&new), [MARK, MARK]);

    let old = of_segments(vec![timed(&[
        (300, 500, "The"),
        (500, 900, "code"),
        (900, 1_200, "is"),
        (2_100, 2_500, "seven"),
        (2_500, 2_800, "four"),
        (2_800, 3_100, "two."),
        (3_300, 3_800, "Please"),
        (3_800, 4_400, "never"),
        (4_600, 4_600, "tell"),
        (4_600, 4_600, "anyone."),
    ])]);
    let new = old.redacted(&outtake(3_300..4_500, 4_605)).unwrap();
    assert_eq!(texts(&new), ["The code is seven four [redacted]"]);
}

#[test]
fn words_that_were_heard_in_the_span_go_however_right_their_times_look() {
    let old = of_segments(vec![
        timed(&[(0, 300, "The"), (300, 700, "code"), (700, 1_000, "is")]),
        timed(&[
            (1_200, 1_700, "seven"),
            (1_700, 2_100, "four"),
            (2_100, 2_600, "two."),
            (3_600, 4_000, "Thanks"),
        ]),
    ]);
    let by_time = outtake(4_500..5_500, LENGTH_MS);
    assert_eq!(old.redacted(&by_time), None);
    let heard = |words: &str| Outtake {
        heard: vec![Heard::new(4_500..5_500, &spoken(&[(0, 9, words)]))],
        ..by_time.clone()
    };
    let new = old.redacted(&heard("Seven, four, two")).unwrap();
    assert_eq!(texts(&new), ["The code is", "[redacted] Thanks"]);
    assert_eq!(new.redacted(&heard("Seven, four, two")), None);
    assert_eq!(old.said_in(&heard("4 four two")), "seven four two.");
    assert_eq!(old.redacted(&heard("never mind")), None);
    // A segment whose words have no times goes whole.
    let mut untimed = old;
    untimed.segments[1].words.clear();
    let new = untimed.redacted(&heard("Seven, four, two")).unwrap();
    assert_eq!(texts(&new), ["The code is", MARK]);
}

#[test]
fn redacting_the_same_again_changes_nothing() {
    let old = of_segments(vec![
        timed(&[(0, 300, "one"), (600, 600, "two"), (1_500, 1_800, "three")]),
        timed(&[(2_000, 2_400, "four"), (3_000, 3_000, "five")]),
        timed(&[(5_000, 5_400, "six")]),
    ]);
    let once = old.redacted(&outtake(2_000..2_200, LENGTH_MS)).unwrap();
    assert_eq!(texts(&once), ["one two [redacted]", "[redacted]", "six"]);
    assert_eq!(once.redacted(&outtake(2_000..2_200, LENGTH_MS)), None);
    assert_eq!(once.said_in(&outtake(2_000..2_200, LENGTH_MS)), "");
}

#[test]
fn without_words_times_the_whole_segment_goes() {
    let mut old = spoken(&[(0, 800, "one two"), (2_000, 2_400, "three")]);
    old.segments[0].words.clear();
    for span in [700..800, 1_099..1_200] {
        let new = old.redacted(&outtake(span.clone(), LENGTH_MS)).unwrap();
        assert_eq!(texts(&new), [MARK, "three"]);
    }
    assert_eq!(old.redacted(&outtake(1_100..1_200, LENGTH_MS)), None);
    // Nor can a text be trusted that says more than its words.
    let mut old = spoken(&[(0, 800, "one two")]);
    old.segments[0].text.push_str(" secret");
    assert_eq!(
        texts(&old.redacted(&outtake(0..10, LENGTH_MS)).unwrap()),
        [MARK]
    );
    assert_eq!(old.said_in(&outtake(0..10, LENGTH_MS)), "one two secret");
}

#[test]
fn where_words_have_no_spaces_between_them_none_are_put_in() {
    let mut old = spoken(&[(0, 2_100, "今 天 好")]);
    old.segments[0].text = "今天好".to_owned();
    let new = old.redacted(&outtake(1_000..1_100, LENGTH_MS)).unwrap();
    assert_eq!(texts(&new), ["今[redacted]好"]);
}

#[test]
fn a_pause_holds_no_words() {
    let old = of_segments(vec![timed(&[(0, 400, "one"), (3_000, 3_400, "two")])]);
    assert_eq!(old.redacted(&outtake(700..2_700, LENGTH_MS)), None);
    assert_eq!(spoken(&[]).redacted(&outtake(0..u32::MAX, LENGTH_MS)), None);
}

/// A run of words, by its first and its count, and where they pile up, percent.
type Piled = (usize, usize, u32);

/// Words as they were spoken, some of which have no time of their own: all of
/// a run have the one at this part of what it lasted, none of them any length.
fn misheard() -> impl Strategy<Value = (Vec<(u32, u32)>, Vec<Piled>)> {
    let spoken = proptest::collection::vec((200_u32..600, 0_u32..500), 1..150);
    let piled = proptest::collection::vec((0_usize..150, 1_usize..8, 0_u32..=100), 0..4);
    (spoken, piled).prop_map(|(spoken, piled)| {
        let mut now = 0;
        let words = spoken.into_iter().map(|(lasts, pause)| {
            now += lasts + pause;
            (now - lasts, now)
        });
        (words.collect(), piled)
    })
}

proptest! {
    #[test]
    fn what_was_spoken_in_the_span_goes_whatever_its_time_and_what_is_far_away_stays(
        (spoken_ms, piled) in misheard(),
        start in 0_u32..80_000,
        lasts in 1_u32..5_000,
        words_in_segment in 1_usize..20,
    ) {
        let length_ms = spoken_ms.last().map_or(0, |last| last.1);
        let span = start.min(length_ms)..start + lasts;
        let names: Vec<String> = (0..spoken_ms.len()).map(|at| format!("word{at}x")).collect();
        let mut told = spoken_ms.clone();
        let mut doubted = Vec::new();
        for (from, count, part) in piled {
            let run = from.min(told.len())..(from + count).min(told.len());
            let Some(&(begin, _)) = spoken_ms.get(run.start) else { continue };
            let end = spoken_ms[run.end - 1].1;
            let at = begin + (end - begin) * part / 100;
            told[run.clone()].fill((at, at));
            doubted.push(begin..end);
        }
        let words: Vec<(u32, u32, &str)> = told
            .iter()
            .zip(&names)
            .map(|((start, end), name)| (*start, *end, name.as_str()))
            .collect();
        let old = of_segments(words.chunks(words_in_segment).map(timed).collect());
        let new = old.redacted(&outtake(span.clone(), length_ms)).unwrap_or_else(|| old.clone());
        let left = new.text();
        let left: Vec<&str> = left.split_whitespace().collect();
        let apart = |one: &Range<u32>, other: &Range<u32>| {
            one.start.saturating_sub(other.end).max(other.start.saturating_sub(one.end))
        };
        for ((start, end), name) in spoken_ms.iter().zip(&names) {
            let time = *start..*end;
            let stays = left.contains(&name.as_str());
            if touches(&time, &span) {
                prop_assert!(!stays, "{} was spoken in the span", name);
            }
            let is_near = |doubted: &Range<u32>| apart(&time, doubted) <= 15_000;
            if apart(&time, &span) >= MARGIN_MS && !doubted.iter().any(is_near) {
                prop_assert!(stays, "{} is believed and far away", name);
            }
        }
        prop_assert_eq!(new.said_in(&outtake(span.clone(), length_ms)), "");
    }

    #[test]
    fn no_word_of_the_span_survives_and_nothing_else_changes(
        old in any_transcript(),
        start in 0_u32..20_000,
        length in 1_u32..20_000,
        untimed in any::<bool>(),
    ) {
        let mut old = old;
        if let (true, Some(first)) = (untimed, old.segments.first_mut()) {
            first.words.clear();
        }
        let span = start..start + length;
        let new = old.redacted(&outtake(span.clone(), LENGTH_MS));
        prop_assert_eq!(new.is_none(), old.said_in(&outtake(span.clone(), LENGTH_MS)).is_empty());
        let new = new.unwrap_or_else(|| old.clone());
        prop_assert_eq!(new.segments.len(), old.segments.len());
        for ((new, old), going) in
            new.segments.iter().zip(&old.segments).zip(old.going(&outtake(span.clone(), LENGTH_MS)))
        {
            prop_assert_eq!((new.start_ms, new.end_ms), (old.start_ms, old.end_ms));
            let kept: Vec<&Word> = new.words.iter().filter(|word| word.text != MARK).collect();
            match going {
                Going::Nothing => prop_assert_eq!(new, old),
                Going::All => prop_assert_eq!(&*new.text, MARK),
                Going::Words(fates) => {
                    let words = old.words.iter().zip(fates);
                    let due: Vec<&Word> =
                        words.filter(|(_, fate)| !fate.goes).map(|(word, _)| word).collect();
                    prop_assert_eq!(&kept, &due);
                }
            }
            // Whatever is doubted, the time that is told counts too.
            for word in kept {
                let time = word.start_ms.min(word.end_ms)..word.start_ms.max(word.end_ms);
                prop_assert!(!touches(&time, &span));
            }
            // What the words say is what the text says.
            if !new.words.is_empty() {
                let said: Vec<&str> = new.words.iter().map(|word| word.text.as_str()).collect();
                let text: Vec<&str> = new.text.split_whitespace().collect();
                prop_assert_eq!(said, text);
            }
        }
    }
}
