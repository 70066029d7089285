//! What a search promises, over the whole path from typed text to moments.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::Zoned;
use proptest::prelude::*;

use super::*;
use crate::recording::{Recording, RecordingId};
use crate::transcript::Transcript;
use crate::transcript::samples::{any_transcript, recording, spoken};

const NOTHING: [u8; 0] = [];

fn now() -> Zoned {
    "2026-11-22T18:00:00+01:00[Europe/Berlin]".parse().unwrap()
}

/// A recording numbered `n`, made `n` days before the sample.
fn numbered(n: u8, title: &str) -> Recording {
    let mut recording = recording();
    recording.id = RecordingId::from_bytes([n; 16]);
    recording.card.title = title.to_owned();
    recording.card.recorded_at.unix_ms -= i64::from(n) * 86_400_000;
    recording.card.added_at = recording.card.recorded_at;
    recording
}

/// A recording's number, its title, and its segments: from, to, text.
type Clip<'a> = (u8, &'a str, &'a [(u32, u32, &'a str)]);

fn index_of(clips: &[Clip<'_>]) -> Index {
    let mut index = Index::new();
    for (n, title, segments) in clips {
        index.insert(&numbered(*n, title), Some(&spoken(segments)));
    }
    index
}

fn search(index: &Index, typed: &str) -> Hits {
    index.search(&Query::parse(typed), &now(), 100)
}

/// The numbers of the recordings found, best first.
fn found(index: &Index, typed: &str) -> Vec<u8> {
    search(index, typed)
        .hits
        .iter()
        .map(|hit| hit.id.as_bytes()[0])
        .collect()
}

fn sorted(index: &Index, typed: &str) -> Vec<u8> {
    let mut numbers = found(index, typed);
    numbers.sort_unstable();
    numbers
}

fn marked(moment: &Moment) -> Vec<&str> {
    moment
        .marks
        .iter()
        .map(|(from, to)| &moment.text[*from..*to])
        .collect()
}

fn memos() -> Index {
    index_of(&[
        (
            0,
            "Standup with Ana",
            &[
                (0, 4_000, "Today I look at the broken heater in the lab,"),
                (4_000, 8_000, "and then I call the landlord about the bill."),
            ],
        ),
        (
            1,
            "Groceries",
            &[(0, 3_000, "Tomatoes, bread. Don’t forget the heating oil!")],
        ),
        (
            2,
            "The landlord",
            &[(0, 3_000, "He said the house is warm; Ana's flat is not.")],
        ),
        (
            3,
            "Über die Straße",
            &[(0, 3_000, "Wir gehen über die Straße nach Köln.")],
        ),
    ])
}

#[test]
fn words_are_anded_and_match_by_their_beginning() {
    let index = memos();
    assert_eq!(sorted(&index, "heat"), [0, 1]);
    assert_eq!(sorted(&index, "heat landl"), [0]);
    assert_eq!(sorted(&index, "eater"), NOTHING);
    assert_eq!(sorted(&index, "heat nonsense"), NOTHING);
}

#[test]
fn case_accents_and_apostrophes_do_not_matter() {
    let index = memos();
    for typed in ["dont", "don't", "DON’T", "\"don't forget\""] {
        assert_eq!(found(&index, typed), [1], "{typed}");
    }
    for typed in ["uber strasse", "ÜBER STRAẞE", "koln", "u\u{308}ber"] {
        assert_eq!(found(&index, typed), [3], "{typed}");
    }
}

#[test]
fn a_phrase_needs_its_words_in_a_row_also_across_a_segment_border() {
    let index = memos();
    assert_eq!(found(&index, "\"broken heater\""), [0]);
    assert_eq!(found(&index, "\"heater broken\""), NOTHING);
    assert_eq!(found(&index, "\"broken heat\""), NOTHING);
    assert_eq!(found(&index, "\"broken heat"), [0]);
    let hits = search(&index, "\"the lab and then\"");
    let moment = &hits.hits[0].moments[0];
    assert_eq!(marked(moment), ["the", "lab", "and", "then"]);
    assert!(moment.text.contains("in the lab, and then I call"));
    assert_eq!(moment.end_s, 8.0);
    // No phrase goes from what was said into the title.
    assert_eq!(found(&index, "\"bill standup\""), NOTHING);
}

#[test]
fn exclusion_and_alternatives_do_what_they_say() {
    let index = memos();
    assert_eq!(sorted(&index, "heat -landlord"), [1]);
    assert_eq!(sorted(&index, "heat -\"broken heater\""), [1]);
    assert_eq!(sorted(&index, "heat -\"heater broken\""), [0, 1]);
    assert_eq!(sorted(&index, "bread OR flat"), [1, 2]);
    assert_eq!(sorted(&index, "ana bread OR flat OR lab"), [0, 2]);
    assert_eq!(sorted(&index, "-ana"), [1, 3]);
}

#[test]
fn misspelled_words_are_found_where_that_is_asked_for() {
    let index = memos();
    assert_eq!(sorted(&index, "landlrod"), NOTHING);
    assert_eq!(sorted(&index, "landlrod~"), [0, 2]);
    assert_eq!(sorted(&index, "tomatos~"), [1]);
    assert_eq!(sorted(&index, "strase~"), [3]);
}

#[test]
fn the_moment_begins_with_the_first_marked_word() {
    let hits = search(&memos(), "landlord call");
    let moment = &hits.hits[0].moments[0];
    assert_eq!(marked(moment), ["call", "landlord"]);
    // Nine words in four seconds; "call" is the fourth.
    assert_eq!(moment.start_s, 5.332);
    assert_eq!(moment.end_s, 8.0);
    assert_eq!(moment.text, "and then I call the landlord about the bill.");
}

#[test]
fn words_that_stand_together_only_in_neighbouring_segments_make_one_moment() {
    let hits = search(&memos(), "heat landl");
    assert_eq!(hits.hits[0].moments.len(), 1);
    assert_eq!(marked(&hits.hits[0].moments[0]), ["heat", "landl"]);
    let far: Vec<(u32, u32, String)> = (0..9)
        .map(|n| {
            (
                n * 1000,
                n * 1000 + 1000,
                if n % 8 == 0 {
                    format!("word{n}")
                } else {
                    "so".into()
                },
            )
        })
        .collect();
    let far: Vec<(u32, u32, &str)> = far
        .iter()
        .map(|(a, b, text)| (*a, *b, text.as_str()))
        .collect();
    let hits = search(&index_of(&[(0, "", &far)]), "word0 word8");
    assert_eq!(hits.hits[0].moments.len(), 2);
}

#[test]
fn the_best_moment_holds_the_most_of_the_query() {
    let index = index_of(&[(
        0,
        "",
        &[
            (0, 1000, "the rent"),
            (1000, 2000, "is not what I mean"),
            (2000, 3000, "but so it goes on"),
            (3000, 4000, "the landlord wants the rent"),
        ],
    )]);
    let moments = &search(&index, "rent landlord").hits[0].moments;
    assert_eq!(moments[0].text, "the landlord wants the rent");
    assert_eq!(moments[1].text, "the rent");
    assert_eq!(search(&index, "rent landlord").hits[0].moments_total, 2);
}

#[test]
fn a_title_counts_more_than_a_spoken_word_and_whole_words_more_than_beginnings() {
    assert_eq!(found(&memos(), "landlord"), [2, 0]);
    let index = index_of(&[
        (0, "", &[(0, 1000, "the heather on the hill")]),
        (1, "", &[(0, 1000, "the heat on the hill")]),
    ]);
    assert_eq!(found(&index, "heat"), [1, 0]);
}

#[test]
fn among_equals_the_newer_comes_first() {
    let same: &[(u32, u32, &str)] = &[(0, 1000, "the same words")];
    let index = index_of(&[(5, "", same), (1, "", same), (3, "", same)]);
    assert_eq!(found(&index, "same"), [1, 3, 5]);
    assert_eq!(found(&index, ""), [1, 3, 5]);
    let hits = index.search(&Query::parse("same"), &now(), 2);
    assert_eq!((hits.total, hits.hits.len()), (3, 2));
}

#[test]
fn filters_alone_list_the_newest_first_without_moments() {
    let mut index = memos();
    let mut pinned = numbered(9, "Pinned");
    pinned.card.pinned = true;
    pinned.card.tags = vec!["Heim".to_owned(), "two words".to_owned()];
    pinned.card.note = "About the Boiler".to_owned();
    pinned.card.samples = 48_000 * 4000;
    pinned.versions.clear();
    index.insert(&pinned, None);
    for typed in [
        "is:pinned",
        "tag:heim",
        "tag:\"two words\"",
        "note:boiler",
        "longer:1h",
        "is:untranscribed",
    ] {
        assert_eq!(found(&index, typed), [9], "{typed}");
    }
    assert_eq!(found(&index, "title:\"the land"), [2]);
    assert_eq!(found(&index, "device:built shorter:10m after:2d"), [0, 1]);
    assert_eq!(found(&index, "before:2026-11-20 lang:EN"), [3]);
    assert_eq!(found(&index, "today"), [0]);
    assert_eq!(found(&index, "yesterday"), [1]);
    assert_eq!(found(&index, "last"), [0]);
    assert_eq!(found(&index, "-tag:work"), [9]);
    assert_eq!(found(&index, "is:silent"), NOTHING);
    assert!(search(&index, "is:pinned").hits[0].moments.is_empty());
    assert_eq!(found(&index, "landlord -today"), [2]);
}

#[test]
fn notes_and_tags_are_searched_too() {
    let mut index = memos();
    let mut noted = numbered(9, "");
    noted.card.note = "ask the plumber".to_owned();
    noted.card.tags = vec!["boiler".to_owned()];
    index.insert(&noted, None);
    assert_eq!(found(&index, "plumb"), [9]);
    assert_eq!(found(&index, "boiler \"the plumber\""), [9]);
    assert_eq!(found(&index, "\"plumber boiler\""), NOTHING);
}

#[test]
fn a_day_word_beside_others_asks_for_either() {
    let index = memos();
    assert_eq!(found(&index, "today I look"), [0]);
    assert_eq!(found(&index, "landlord today"), [0]);
    assert_eq!(found(&index, "landlord yesterday"), NOTHING);
}

#[test]
fn what_is_replaced_or_removed_is_found_no_more() {
    let mut index = memos();
    index.insert(
        &numbered(0, "Standup"),
        Some(&spoken(&[(0, 1000, "nothing about heat here")])),
    );
    assert_eq!(found(&index, "landlord"), [2]);
    assert_eq!(sorted(&index, "heat"), [0, 1]);
    index.remove(RecordingId::from_bytes([1; 16]));
    assert_eq!(sorted(&index, "heat"), [0]);
    assert_eq!(index.len(), 3);
    let before = search(&index, "heat OR warm OR uber");
    index.sweep();
    assert_eq!(search(&index, "heat OR warm OR uber"), before);
    assert_eq!(sorted(&index, "tomatoes"), NOTHING);
    // Not even as a misspelling of something: the word itself is gone.
    assert_eq!(sorted(&index, "tomatoes~"), NOTHING);
    index.insert(
        &numbered(1, "Again"),
        Some(&spoken(&[(0, 1000, "tomatoes")])),
    );
    assert_eq!(sorted(&index, "tomatoes"), [1]);
}

#[test]
fn one_filter_grammar_serves_commands_and_refuses_free_words() {
    let all = [numbered(0, "Standup"), numbered(1, "Groceries")];
    let ids = |args: &[&str]| -> Vec<u8> {
        let filter = Filter::parse(args).unwrap();
        filter
            .select(&all, &now())
            .iter()
            .map(|recording| recording.id.as_bytes()[0])
            .collect()
    };
    assert_eq!(ids(&["tag:work", "title:grocer"]), [1]);
    assert_eq!(ids(&["last"]), [0]);
    assert_eq!(ids(&["-today"]), [1]);
    assert_eq!(ids(&[]), [0, 1]);
    assert_eq!(
        Filter::parse(["heater"]),
        Err(FilterError::Word("heater".to_owned()))
    );
    assert_eq!(
        Filter::parse(["foo:bar"]),
        Err(FilterError::Word("foo:bar".to_owned()))
    );
    assert_eq!(
        Filter::parse(["after:soon"]),
        Err(FilterError::Value("after:soon".to_owned()))
    );
    assert_eq!(
        Filter::parse(["is:odd"]),
        Err(FilterError::Value("is:odd".to_owned()))
    );
}

proptest! {
    #[test]
    fn any_text_searches_any_transcript_without_a_panic(
        transcripts in proptest::collection::vec(any_transcript(), 0..4),
        typed in "([a-zA-Z]{1,2}|\\PC|[\" :~-]|OR |tag:|last ){0,12}",
    ) {
        let mut index = Index::new();
        for (n, transcript) in transcripts.iter().enumerate() {
            index.insert(&numbered(u8::try_from(n).unwrap(), &typed), Some(transcript));
        }
        let hits = search(&index, &typed);
        prop_assert!(hits.hits.len() <= hits.total && hits.total <= transcripts.len());
        for moment in hits.hits.iter().flat_map(|hit| &hit.moments) {
            let mut last = 0;
            prop_assert!(!moment.marks.is_empty());
            for (from, to) in &moment.marks {
                prop_assert!(*from >= last && to > from);
                prop_assert!(moment.text.get(*from..*to).is_some());
                last = *to;
            }
        }
        index.sweep();
        prop_assert_eq!(search(&index, &typed), hits);
    }

    #[test]
    fn every_word_that_was_said_is_found_and_marked_when_it_was_said(
        transcript in any_transcript(),
        pick in any::<proptest::sample::Index>(),
    ) {
        let all: Vec<(usize, String)> = transcript
            .segments
            .iter()
            .enumerate()
            .flat_map(|(n, segment)| {
                let text = segment.text.as_str();
                text::words(text).map(move |range| (n, text[range].to_owned()))
            })
            .filter(|(_, word)| !text::fold(word).is_empty())
            .collect();
        prop_assume!(!all.is_empty());
        let (_, word) = pick.get(&all);
        let mut index = Index::new();
        index.insert(&recording(), Some(&transcript));
        let hits = search(&index, &format!("\"{word}\""));
        prop_assert_eq!(hits.total, 1);
        let hit = &hits.hits[0];
        let holding: Vec<&(usize, String)> =
            all.iter().filter(|(_, other)| text::fold(other) == text::fold(word)).collect();
        let mut segments: Vec<usize> = holding.iter().map(|(n, _)| *n).collect();
        segments.dedup();
        prop_assert_eq!(hit.moments_total, segments.len());
        for moment in &hit.moments {
            prop_assert!(marked(moment).iter().all(|mark| text::fold(mark) == text::fold(word)));
            let is_it = |n: &&usize| {
                let segment = &transcript.segments[**n];
                moment.text == segment.text
                    && moment.end_s == f64::from(segment.end_ms) / 1000.0
                    && moment.start_s == f64::from(segment.start_ms) / 1000.0
            };
            prop_assert!(segments.iter().any(|n| is_it(&n)), "{:?}", moment);
        }
    }

    #[test]
    fn a_search_finds_what_a_plain_reading_finds(
        clips in proptest::collection::vec("[abc]{1,3}( [abc]{1,3}){0,7}", 1..8),
        asked in proptest::collection::vec("-?[abc]{1,2}|\"[abc] [abc]{1,2}\"|[abc] OR [abc]{2}", 1..3),
    ) {
        let mut index = Index::new();
        for (n, said) in clips.iter().enumerate() {
            // In two segments, so that phrases go over the border.
            let (a, b) = said.split_at(said.find(' ').unwrap_or(said.len()));
            let segments = [(0, 1000, a), (1000, 2000, b.trim_start())];
            let mut recording = numbered(u8::try_from(n).unwrap(), "");
            recording.card.tags.clear();
            index.insert(&recording, Some(&spoken(&segments)));
        }
        let holds = |said: &str, part: &str| {
            let words: Vec<&str> = said.split(' ').collect();
            match part.strip_prefix('"') {
                Some(phrase) => {
                    let phrase: Vec<&str> = phrase.trim_end_matches('"').split(' ').collect();
                    words.windows(phrase.len()).any(|window| window == phrase)
                }
                None => words.iter().any(|word| word.starts_with(part)),
            }
        };
        let matches = |said: &str| asked.iter().all(|part| match part.strip_prefix('-') {
            Some(excluded) => !holds(said, excluded),
            None => part.split(" OR ").any(|part| holds(said, part)),
        });
        let expected: Vec<u8> =
            (0..).zip(&clips).filter(|(_, said)| matches(said)).map(|(n, _)| n).collect();
        prop_assert_eq!(sorted(&index, &asked.join(" ")), expected);
    }
}

#[test]
fn times_that_are_not_round_come_back_to_the_millisecond() {
    let mut transcript: Transcript = spoken(&[(3, 4_007, "one two three"), (4_011, 5_001, "four")]);
    transcript.segments[0].words[1].start_ms = 1_337;
    let mut index = Index::new();
    index.insert(&recording(), Some(&transcript));
    assert_eq!(search(&index, "two").hits[0].moments[0].start_s, 1.337);
    // Without word times the segment's beginning stands.
    transcript.segments[1].words.clear();
    index.insert(&recording(), Some(&transcript));
    let hits = search(&index, "four");
    assert_eq!(
        (
            hits.hits[0].moments[0].start_s,
            hits.hits[0].moments[0].end_s
        ),
        (4.011, 5.001)
    );
}
