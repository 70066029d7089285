#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use super::note;
use crate::error::{Exit, Failure};
use crate::tui::engine::{Answer, Archive, Archived, Archiving, Chosen, Request};
use crate::tui::fixture::{Driven, TODAY, backups, six};
use crate::tui::input::Key;
use crate::tui::keymap::Place;
use crate::tui::model::{Overlay, Screen};
use crate::tui::msg::{Effect, Msg, Timer};

fn looking() -> Driven {
    let mut driven = Driven::open(80, 24);
    driven.type_text("B");
    driven.answer(Answer::Backups(backups()));
    driven.asked();
    driven
}

fn done(damage: &[&str]) -> Answer {
    Answer::Archived(Archived::BackedUp {
        folder: "/media/disk/voxvault".to_owned(),
        recordings: 2,
        holds: 6,
        damage: damage.iter().map(|line| (*line).to_owned()).collect(),
    })
}

fn is_asked_for_backups(driven: &mut Driven) -> bool {
    let asked = driven.asked();
    asked.iter().any(|one| matches!(one, Request::Backups))
}

#[test]
fn the_backups_are_reached_by_key_and_palette_and_left_with_escape() {
    for keys in ["B", ":backups"] {
        let mut driven = Driven::open(80, 24);
        driven.type_text(keys);
        if keys.starts_with(':') {
            driven.press(&[Key::Enter]);
        }
        assert_eq!(driven.model.place(), Place::Backups, "{keys}");
        assert!(is_asked_for_backups(&mut driven));
        driven.answer(Answer::Backups(backups()));
        driven.press(&[Key::End]);
        assert_eq!(driven.model.backups.current().unwrap().path, "-");
        driven.press(&[Key::Esc]);
        assert_eq!(driven.model.screen, Screen::Main);
    }
}

#[test]
fn a_backup_into_the_selected_folder_asks_and_names_it() {
    for key in [Key::Enter, Key::Char('b')] {
        let mut driven = looking();
        driven.press(&[Key::Down, Key::Up, key]);
        let Some(Overlay::BackUp { folder, .. }) = &driven.model.overlay else {
            panic!("no question")
        };
        assert_eq!(folder, "/media/disk/voxvault");
        driven.press(&[Key::Esc]);
        assert!(driven.asked().is_empty() && driven.model.archiving.is_none());
        driven.press(&[key, Key::Enter]);
        let asked = driven.asked();
        let [
            Request::BackUp {
                folder,
                chosen: Chosen::Remembered,
            },
        ] = asked.as_slice()
        else {
            panic!("it asked for something else")
        };
        assert_eq!(folder, "/media/disk/voxvault");
    }
}

#[test]
fn another_folder_is_typed_and_an_empty_name_is_none() {
    let mut driven = Driven::open(80, 24);
    driven.type_text(":back up to");
    driven.press(&[Key::Enter, Key::Enter]);
    assert!(matches!(driven.model.overlay, Some(Overlay::Folder(_))));
    driven.asked();
    driven.happen(Msg::Paste(zeroize::Zeroizing::new(" ~/disk\n".to_owned())));
    driven.press(&[Key::Enter]);
    let asked = driven.asked();
    let [
        Request::BackUp {
            folder,
            chosen: Chosen::Typed,
        },
    ] = asked.as_slice()
    else {
        panic!("it asked for something else")
    };
    assert_eq!(folder, "~/disk");
}

#[test]
fn one_backup_is_worked_on_at_a_time_and_can_be_stopped() {
    let mut driven = looking();
    driven.press(&[Key::Char('s')]);
    assert!(driven.asked().is_empty(), "there is nothing to stop");
    driven.press(&[Key::Char('v')]);
    assert!(matches!(
        driven.asked().as_slice(),
        [Request::VerifyBackup(_)]
    ));
    driven.press(&[Key::Enter, Key::Char('F'), Key::Char('v')]);
    assert!(driven.asked().is_empty() && driven.model.overlay.is_none());
    assert!(note(&driven).contains("one at a time"));
    driven.press(&[Key::Char('s')]);
    assert!(matches!(driven.asked().as_slice(), [Request::StopBackup]));
    driven.answer(Answer::Archived(Archived::Stopped(Archive::Verify)));
    assert!(driven.model.archiving.is_none());
    driven.press(&[Key::Enter]);
    assert!(matches!(driven.model.overlay, Some(Overlay::BackUp { .. })));
}

#[test]
fn a_stream_is_not_written_again_from_here() {
    let mut driven = looking();
    driven.press(&[Key::End, Key::Enter, Key::Char('v')]);
    assert!(driven.asked().is_empty() && driven.model.overlay.is_none());
    assert!(note(&driven).contains("streams went elsewhere"));
}

#[test]
fn what_came_of_it_is_one_line_and_the_backups_are_counted_again() {
    let mut driven = looking();
    driven.press(&[Key::Enter, Key::Enter]);
    driven.asked();
    driven.answer(done(&[]));
    assert!(note(&driven).starts_with("backed up: 2 new or changed, it holds 6 recordings"));
    assert!(driven.model.archiving.is_none() && is_asked_for_backups(&mut driven));
    let why = Failure::new(Exit::NotFound, "can't back up again", "nothing lies there");
    driven.answer(Answer::Archived(Archived::Failed(
        why.hint("connect its disk"),
    )));
    assert!(note(&driven).contains("nothing lies there · connect its disk"));
}

#[test]
fn what_could_not_be_read_is_named_without_taking_a_form_from_whoever_types() {
    let mut driven = looking();
    driven.answer(done(&["it is damaged: 0a1b2c3d"]));
    let Some(Overlay::Receipt(lines, 0)) = &driven.model.overlay else {
        panic!("nothing is named")
    };
    assert!(lines.iter().any(|line| line.contains("0a1b2c3d")));
    driven.press(&[Key::Enter, Key::Char('F'), Key::Char('x')]);
    driven.answer(done(&["it is damaged: 0a1b2c3d", "another"]));
    assert!(matches!(driven.model.overlay, Some(Overlay::Folder(_))));
    assert!(note(&driven).contains("0a1b2c3d, and 1 more"));
}

#[test]
fn quitting_asks_while_a_backup_is_written_and_no_longer_once_it_is() {
    let quits = |driven: &Driven| {
        let mut effects = driven.effects.iter();
        effects.any(|effect| matches!(effect, Effect::Quit))
    };
    let mut driven = looking();
    driven.press(&[Key::Enter, Key::Enter, Key::Char('q')]);
    assert!(!quits(&driven) && matches!(driven.model.overlay, Some(Overlay::Quit(_))));
    driven.press(&[Key::Enter, Key::Char('q')]);
    driven.answer(done(&[]));
    assert!(!quits(&driven) && driven.model.overlay.is_none());
    driven.press(&[Key::Enter, Key::Enter, Key::Char('q'), Key::Tab, Key::Enter]);
    assert!(quits(&driven));
    let mut idle = looking();
    idle.press(&[Key::Char('q')]);
    assert!(quits(&idle));
}

#[test]
fn locking_forgets_the_backups_and_says_before_that_it_stops_one() {
    let mut driven = looking();
    driven.answer(Answer::Archiving(Archiving {
        work: Archive::BackUp,
        folder: "/media/disk".to_owned(),
        done_bytes: 1,
        of_bytes: 2,
    }));
    driven.happen(Msg::Due(Timer::Idle));
    let (said, _) = crate::tui::view::status::activity(&driven.model);
    assert!(said.contains("the backup stops"), "{said}");
    driven.happen(Msg::Due(Timer::Idle));
    assert!(driven.model.backups.read.is_none() && driven.model.archiving.is_none());
    assert_eq!(driven.model.screen, Screen::Main);
    driven.answer(done(&[]));
    driven.answer(Answer::Backups(backups()));
    assert!(driven.model.backups.read.is_none());
}

#[test]
fn the_cursor_stays_on_its_backup_and_new_recordings_are_counted() {
    let mut driven = looking();
    driven.press(&[Key::Down]);
    let path = driven.model.backups.current().unwrap().path.clone();
    driven.answer(Answer::Listed {
        recordings: six().into(),
        today: TODAY,
    });
    assert!(is_asked_for_backups(&mut driven));
    let mut moved = backups();
    moved.entries.swap(0, 1);
    driven.answer(Answer::Backups(moved));
    assert_eq!(driven.model.backups.current().unwrap().path, path);
}
