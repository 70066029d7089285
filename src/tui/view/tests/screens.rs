//! Every other screen and dialog as a picture, at every size.

use super::*;
use crate::tui::engine::{
    Access, Archive, Archiving, Equipment, Logged, Piece, PlayerStatus, Vault,
};
use crate::tui::fixture::{id, logged, transcript};
use crate::tui::input::Key;

#[test]
fn first_start() {
    at_every_size("first_start", |width, height| {
        let mut driven = Driven::new(width, height);
        driven.answer(Answer::Vault(Vault::Missing {
            place: "~/.local/share/voxvault/vault".to_owned(),
        }));
        driven.type_text("correct horse");
        driven
    });
}

#[test]
fn locked() {
    at_every_size("locked", Driven::locked);
}

#[test]
fn unlocking() {
    at_every_size("unlocking", |width, height| {
        let mut driven = Driven::locked(width, height);
        driven.press(&[Key::Enter]);
        driven.type_text("secret");
        driven
    });
}

#[test]
fn library() {
    at_every_size("library", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.answer(Answer::Transcribing {
            position: 1,
            of: 2,
            percent: 41,
        });
        driven.type_text(" ");
        driven
    });
}

#[test]
fn text_while_it_plays() {
    at_every_size("text", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.press(&[Key::Tab, Key::Down]);
        driven.answer(Answer::Playing(PlayerStatus {
            id: id(1),
            position_s: 9.0,
            duration_s: 192.0,
            paused: false,
        }));
        driven
    });
}

#[test]
fn search() {
    at_every_size("search", found);
}

#[test]
fn a_vault_that_can_only_be_read_says_so_on_every_screen() {
    let mut driven = Driven::open(80, 24);
    assert!(!screen(&driven.model).contains("read-only"));
    driven.answer(Answer::Access(Access::ReadOnly));
    assert!(screen(&driven.model).contains("unlocked · read-only"));
}

#[test]
fn shred() {
    at_every_size("shred", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.type_text("  D");
        driven
    });
}

#[test]
fn redact() {
    at_every_size("redact", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.answer(Answer::Read {
            id: id(1),
            transcript: Some(transcript()),
        });
        driven.press(&[Key::Tab, Key::Char('R')]);
        driven
    });
}

#[test]
fn receipt() {
    at_every_size("receipt", |width, height| {
        let mut driven = Driven::open(width, height);
        let receipt = [
            "Destroyed for good: 1 recording.",
            "",
            "Out of reach:",
            "  older generations of the keys (an SSD): its controller keeps old cells where no program reaches them",
        ];
        let receipt = receipt.map(str::to_owned).into();
        driven.answer(Answer::Shredded {
            ids: vec![id(1)],
            receipt,
        });
        driven
    });
}

#[test]
fn what_was_found_and_the_spoken_word_are_lit() {
    let mut driven = found(80, 24);
    driven.answer(Answer::Read {
        id: id(1),
        transcript: Some(transcript()),
    });
    driven.answer(Answer::Playing(PlayerStatus {
        id: id(1),
        position_s: 16.1,
        duration_s: 192.0,
        paused: false,
    }));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| view(&driven.model, frame)).unwrap();
    let lit = driven.model.settings.theme.lit.fg.unwrap();
    let pane = terminal
        .backend()
        .buffer()
        .content
        .iter()
        .enumerate()
        .filter(|(at, _)| at % 80 > 31);
    let shown: String = pane
        .filter(|(_, cell)| cell.fg == lit)
        .map(|(_, cell)| cell.symbol())
        .collect();
    assert_eq!(shown, "heatlandlordNothing");
}

#[test]
fn export() {
    at_every_size("export", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.press(&[Key::Char('x'), Key::Right, Key::Tab]);
        driven
    });
}

#[test]
fn edit() {
    at_every_size("edit", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.press(&[Key::Char('e'), Key::Tab]);
        driven
    });
}

#[test]
fn palette() {
    at_every_size("palette", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.type_text(":co");
        driven
    });
}

#[test]
fn help() {
    at_every_size("help", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.type_text("?");
        driven
    });
}

#[test]
fn equipment() {
    at_every_size("equipment", |width, height| {
        let mut driven = Driven::open(width, height);
        driven.type_text("M");
        let piece = |name: &str, facts: &str, in_use| Piece {
            name: name.to_owned(),
            facts: facts.to_owned(),
            in_use,
        };
        driven.answer(Answer::Equipment(Equipment {
            devices: vec![
                piece("USB mic", "48 kHz · 1 channel", true),
                piece("pulse", "", false),
            ],
            models: vec![piece("tiny.en", "77 MB", true)],
        }));
        driven
    });
}

#[test]
fn log() {
    at_every_size("log", |width, height| {
        let mut driven = log_with(30, width, height);
        driven.press(&[Key::Down, Key::Down]);
        driven
    });
}

#[test]
fn a_log_that_was_tampered_with_says_so_before_all_else() {
    for (width, height) in [(80, 24), (40, 10)] {
        let mut driven = Driven::open(width, height);
        driven.type_text("H");
        let lapses = ["entry 4: gone", "entry 7: gone"].map(str::to_owned);
        driven.answer(Answer::Log(Logged {
            lapses: lapses.into(),
            ..logged(9)
        }));
        let shown = screen(&driven.model);
        let second = shown.lines().nth(1).unwrap();
        assert!(second.contains("entry 4: gone; and 1 more"), "{shown}");
    }
}

#[test]
fn what_goes_on_can_be_stopped_by_a_key_that_stands_there_however_narrow_it_is() {
    for width in 20..100 {
        let recorder = screen(&recording_now(width, 10).model);
        assert!(recorder.contains("stop and keep"), "{width}:\n{recorder}");
        let mut driven = with_backups(width, 10);
        assert!(!screen(&driven.model).contains("s stop"));
        driven.answer(Answer::Archiving(Archiving {
            work: Archive::Verify,
            folder: "/media/disk".to_owned(),
            done_bytes: 0,
            of_bytes: 0,
        }));
        let shown = screen(&driven.model);
        assert!(shown.contains("s stop"), "{width}:\n{shown}");
    }
}
