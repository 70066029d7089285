//! What destroys for good is asked first, and no single key answers yes.

use super::*;
use crate::tui::engine::Leap;
use crate::tui::model::Answered;

#[test]
fn shred_names_nothing_less_than_the_marked_and_defaults_to_keep() {
    let mut driven = Driven::open(80, 24);
    driven.type_text("  D");
    let Some(Overlay::Shred {
        ids,
        answer: Answered::No,
    }) = &driven.model.overlay
    else {
        panic!("no question")
    };
    assert_eq!(ids, &[id(1), id(2)]);
    driven.press(&[Key::Enter]);
    assert!(driven.model.overlay.is_none());
    assert!(
        !driven
            .asked()
            .iter()
            .any(|request| matches!(request, Request::Shred(_)))
    );
    driven.press(&[Key::Char('D'), Key::Tab, Key::Enter]);
    assert!(
        driven
            .asked()
            .iter()
            .any(|request| matches!(request, Request::Shred(ids) if ids.len() == 2))
    );
    driven.answer(Answer::Shredded {
        ids: vec![id(1), id(2)],
        receipt: vec!["2 recordings destroyed".to_owned()],
    });
    assert_eq!(driven.model.library.len(), 4);
    assert!(driven.model.library.marked.is_empty());
}

#[test]
fn redact_names_the_sentence_under_the_cursor_and_defaults_to_keep() {
    let mut driven = Driven::open(80, 24);
    driven.press(&[Key::Char('R')]);
    assert!(driven.model.overlay.is_none(), "no sentence in the list");
    let shown = driven.model.reading.as_ref().unwrap().id;
    let transcript = crate::tui::fixture::transcript();
    let second = transcript.segments[1].clone();
    driven.answer(Answer::Read {
        id: shown,
        transcript: Some(transcript),
    });
    driven.press(&[Key::Tab, Key::Down, Key::Char('R')]);
    let Some(Overlay::Redact {
        id,
        words,
        answer: Answered::No,
        ..
    }) = &driven.model.overlay
    else {
        panic!("no question")
    };
    assert_eq!((*id, words), (shown, &second.text));
    driven.press(&[Key::Enter]);
    assert!(driven.model.overlay.is_none());
    let asked = |driven: &mut Driven| {
        let span = |request| match request {
            Request::Redact { span_ms, .. } => Some(span_ms),
            _ => None,
        };
        driven.asked().into_iter().find_map(span)
    };
    assert_eq!(asked(&mut driven), None);
    driven.press(&[Key::Char('R'), Key::Tab, Key::Enter]);
    assert_eq!(asked(&mut driven), Some(second.start_ms..second.end_ms));
    let recording = driven.model.library.get(shown).unwrap().clone();
    driven.answer(Answer::Redacted {
        recording: Box::new(recording),
        receipt: vec!["Redacted for good.".to_owned()],
    });
    assert!(matches!(driven.model.overlay, Some(Overlay::Receipt(..))));
    let read_again = |request: &Request| matches!(request, Request::Read(id) if *id == shown);
    assert!(driven.asked().iter().any(read_again));
}

#[test]
fn no_single_key_answers_yes_to_shred() {
    let every = (' '..='~').map(Key::Char).chain([
        Key::Enter,
        Key::Esc,
        Key::Tab,
        Key::Left,
        Key::Right,
        Key::Delete,
    ]);
    for key in every {
        let mut driven = Driven::open(80, 24);
        driven.press(&[Key::Char('D'), key]);
        assert!(
            !driven
                .asked()
                .iter()
                .any(|request| matches!(request, Request::Shred(_))),
            "{key:?}"
        );
    }
}

#[test]
fn what_fails_beside_a_shred_leaves_its_sheet_and_its_own_failure_closes_it() {
    let mut driven = Driven::open(80, 24);
    driven.press(&[Key::Char('D'), Key::Tab, Key::Enter]);
    let busy = || Failure::new(Exit::Busy, "the vault is busy", "another process holds it");
    driven.answer(Answer::Failed(busy()));
    assert!(matches!(driven.model.overlay, Some(Overlay::Shredding)));
    driven.answer(Answer::DestroyingFailed(busy()));
    assert!(driven.model.overlay.is_none());
    assert!(note(&driven).contains("busy"));
}

#[test]
fn what_is_pasted_never_becomes_a_command() {
    let mut driven = Driven::open(80, 24);
    driven.happen(Msg::Paste(zeroize::Zeroizing::new("D\tq".to_owned())));
    assert!(driven.model.overlay.is_none());
    assert!(driven.asked().is_empty());
}

#[test]
fn the_question_about_a_clock_is_answered_with_no_unless_somebody_goes_over_to_yes() {
    let leap = || Leap {
        now: "2027-03-01 09:12".to_owned(),
        believed: "2026-11-22 17:03".to_owned(),
        due: Vec::new(),
    };
    let asked = |keys: &[Key]| {
        let mut driven = Driven::open(80, 24);
        driven.answer(Answer::ClockLeapt(leap()));
        driven.press(keys);
        let requests = driven.asked();
        let confirms = |request: &Request| matches!(request, Request::ClockIsRight);
        (
            requests.iter().any(confirms),
            driven.model.overlay.is_some(),
        )
    };
    assert_eq!(asked(&[Key::Enter]), (false, false));
    assert_eq!(asked(&[Key::Esc]), (false, false));
    assert_eq!(asked(&[Key::Char('y')]), (false, true));
    assert_eq!(asked(&[Key::Tab, Key::Enter]), (true, true));
}
