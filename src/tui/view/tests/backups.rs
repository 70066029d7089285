//! The backups and the work on them.

use super::*;
use crate::tui::engine::{Archive, Archiving, Backups};
use crate::tui::fixture::backups;
use crate::tui::input::Key;

#[test]
fn backups_on_the_screen() {
    at_every_size("backups", |width, height| {
        let mut driven = with_backups(width, height);
        driven.press(&[Key::Down]);
        driven
    });
}

#[test]
fn a_backup_that_runs() {
    at_every_size("backing_up", |width, height| {
        let mut driven = with_backups(width, height);
        driven.answer(Answer::Archiving(Archiving {
            work: Archive::BackUp,
            folder: "/media/disk/voxvault".to_owned(),
            done_bytes: 12_345_678,
            of_bytes: 29_000_000,
        }));
        driven
    });
}

#[test]
fn whether_to_back_up_again() {
    at_every_size("back_up", |width, height| {
        let mut driven = with_backups(width, height);
        driven.press(&[Key::Down, Key::Down, Key::Enter]);
        driven
    });
}

#[test]
fn the_folder_of_a_new_backup() {
    at_every_size("new_backup", |width, height| {
        let mut driven = with_backups(width, height);
        driven.type_text("F/media/disk");
        driven
    });
}

#[test]
fn no_backup_is_said_with_how_many_recordings_are_in_none_and_how_to_make_one() {
    at_every_size("no_backup", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.type_text("B");
        driven.answer(Answer::Backups(Backups {
            entries: Vec::new(),
            recordings: 6,
            in_none: 6,
        }));
        driven
    });
}

#[test]
fn a_backup_that_is_not_where_it_was_says_so_when_it_is_selected() {
    for (width, height) in [(80, 24), (40, 10)] {
        let mut driven = with_backups(width, height);
        let second = backups().entries[1].path.clone();
        driven.answer(Answer::BackupsNotThere(vec![second]));
        assert!(!screen(&driven.model).contains("not there"));
        driven.press(&[Key::Down]);
        let shown = screen(&driven.model);
        assert!(shown.contains("not there"), "{shown}");
    }
}

#[test]
fn control_characters_in_the_name_of_a_folder_are_not_shown() {
    let mut driven = with_backups(80, 24);
    let mut found = backups();
    found.entries[0].path = "/tmp/\u{1b}[31m\u{202e}red\u{7}".to_owned();
    driven.answer(Answer::Backups(found));
    let shown = screen(&driven.model);
    assert!(shown.contains("/tmp/[31mred"), "{shown}");
    driven.press(&[Key::Home, Key::Enter]);
    let shown = screen(&driven.model);
    assert!(shown.contains("/tmp/[31mred"), "{shown}");
}
