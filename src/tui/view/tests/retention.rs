//! The retention rules, what goes by them, and a clock that leapt.

use super::*;
use crate::tui::engine::{Coming, Leap, Retention};
use crate::tui::fixture::{TODAY, recording};

fn coming(when: &str, what: &'static str, title: &str, by: &str) -> Coming {
    Coming {
        when: when.to_owned(),
        what,
        title: title.to_owned(),
        by: by.to_owned(),
    }
}

#[test]
fn a_clock_that_leapt() {
    at_every_size("clock", |width, height| {
        let mut driven = Driven::open(width, height);
        let rule = "all: audio 90d, text forever";
        driven.answer(Answer::ClockLeapt(Leap {
            now: "2027-03-01 09:12".to_owned(),
            believed: "2026-11-22 17:03".to_owned(),
            due: vec![
                coming("", "audio", "Standup with Ana", rule),
                coming(
                    "",
                    "everything",
                    "Idea: garden sensor",
                    "tag:idea: audio 1d, text 1d",
                ),
            ],
        }));
        driven
    });
}

#[test]
fn retention() {
    at_every_size("retention", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.type_text("K");
        let all = "all: audio 90d, text forever";
        let tag = "tag:interview: audio 18mo, text 10y";
        driven.answer(Answer::Retention(Retention {
            rules: vec![all.to_owned(), tag.to_owned()],
            coming: vec![
                coming("", "audio", "Standup with Ana", all),
                coming("2027-02-20 08:40", "audio", "Idea: garden sensor", all),
                coming("2028-05-21 17:03", "audio", "Interview, Bellweather", tag),
                coming(
                    "2036-11-21 17:03",
                    "everything",
                    "Interview, Bellweather",
                    tag,
                ),
            ],
            pinned: 1,
        }));
        driven
    });
}

#[test]
fn retention_without_rules() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("K");
    driven.answer(Answer::Retention(Retention::default()));
    let shown = screen(&driven.model);
    assert!(shown.contains("everything is kept forever"), "{shown}");
}

#[test]
fn until_when_a_recording_is_kept_stands_beside_it() {
    let mut all = vec![recording(1, TODAY, "09:12", "Standup", 60)];
    all[0].kept_until.audio = Some(all[0].kept_from);
    let shown = screen(&Driven::holding(all.clone(), 100, 24).model);
    let day = all[0]
        .kept_from
        .to_zoned()
        .strftime("%-d %b %Y")
        .to_string();
    assert!(
        shown.contains(&format!("sound kept until {day}")),
        "{shown}"
    );
    all[0].versions.clear();
    let shown = screen(&Driven::holding(all.clone(), 100, 24).model);
    assert!(
        shown.contains("sound kept until it is transcribed"),
        "{shown}"
    );
    all[0].kept_until.audio = None;
    let shown = screen(&Driven::holding(all, 100, 24).model);
    assert!(!shown.contains("kept until"), "{shown}");
}
