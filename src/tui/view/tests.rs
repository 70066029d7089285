#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

use super::view;
use crate::tui::engine::{
    Access, Answer, Archive, Archived, Archiving, Backups, Coming, Equipment, Leap, Logged, Phase,
    Piece, PlayerStatus, RecorderStatus, Retention, Vault,
};
use crate::tui::fixture::{Driven, TODAY, backups, hit, id, logged, recorder_status, recording};
use crate::tui::input::Key;
use crate::tui::model::Model;
use crate::tui::msg::{Msg, Timer};
use crate::tui::wire::Wire;

fn screen(model: &Model) -> String {
    let mut terminal =
        Terminal::new(TestBackend::new(model.size.width, model.size.height)).unwrap();
    terminal.draw(|frame| view(model, frame)).unwrap();
    let shown = terminal.backend().to_string();
    // TestBackend quotes each line.
    let lines = shown.lines().map(|line| line.trim_matches('"').trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

const SIZES: [(u16, u16); 5] = [(80, 24), (120, 40), (40, 10), (19, 4), (1, 1)];

/// One snapshot with the state at every size.
fn at_every_size(name: &str, make: impl Fn(u16, u16) -> Driven) {
    for (width, height) in SIZES {
        let driven = make(width, height);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), screen(&driven.model));
    }
}

fn found(width: u16, height: u16) -> Driven {
    let mut driven = Driven::open(width, height);
    driven.type_text("/landlord heat");
    let serial = driven.model.serial;
    driven.answer(Answer::Found {
        serial,
        took_ms: 0.4,
        total: 1,
        hits: vec![hit()],
    });
    driven.happen(Msg::Due(Timer::Rest));
    driven
}

fn recording_now(width: u16, height: u16) -> Driven {
    let mut driven = Driven::open(width, height);
    driven.model.settings.host = Some("studio-pi".to_owned());
    driven.type_text("r");
    driven.answer(Answer::Recorder(recorder_status(42.3, -14.0)));
    driven
}

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
fn recorder() {
    at_every_size("recorder", recording_now);
}

#[test]
fn recording_goes_on_under_the_library() {
    at_every_size("recording_below", |width, height| {
        let mut driven = recording_now(width, height);
        driven.press(&[Key::Esc]);
        driven
    });
}

#[test]
fn what_is_wrong_with_a_recording_stands_in_words_on_every_size() {
    type Change = fn(&mut RecorderStatus);
    let wrong: [(Change, &str, &str); 6] = [
        (
            |status| status.phase = Phase::Opening,
            "opening the microphone",
            "opening",
        ),
        (
            |status| status.phase = Phase::WaitingForMicrophone,
            "the microphone is gone",
            "mic gone",
        ),
        (
            |status| status.phase = Phase::NothingComes,
            "the microphone gives nothing",
            "no sound",
        ),
        (
            |status| status.phase = Phase::DiskFull,
            "the disk is full",
            "disk full",
        ),
        (|status| status.silent_s = 7.0, "silence", "silence"),
        (
            |status| status.space_left_s = Some(299),
            "nearly full: space for 4 min",
            "4 min left",
        ),
    ];
    for (change, words, brief) in wrong {
        for (width, height) in [(120, 40), (80, 24), (40, 10), (19, 4)] {
            let mut driven = recording_now(width, height);
            let words = if height < 5 { brief } else { words };
            assert!(
                !screen(&driven.model).contains(words),
                "{words}: it stands there anyway"
            );
            let mut status = recorder_status(42.3, -14.0);
            change(&mut status);
            driven.answer(Answer::Recorder(status.clone()));
            let shown = screen(&driven.model);
            assert!(
                shown.contains(words),
                "{words} at {width}x{height}:\n{shown}"
            );
            if height < 5 {
                continue;
            }
            // And in the line below every other screen.
            driven.press(&[Key::Esc]);
            let shown = screen(&driven.model);
            let words = if status.phase == Phase::Recording {
                brief
            } else {
                words
            };
            assert!(
                shown.contains(words),
                "{words} below, at {width}x{height}:\n{shown}"
            );
        }
    }
}

#[test]
fn a_microphone_that_is_back_is_told_with_what_is_missing() {
    let mut driven = recording_now(80, 24);
    let mut status = recorder_status(42.3, -14.0);
    status.phase = Phase::WaitingForMicrophone;
    driven.answer(Answer::Recorder(status));
    assert!(driven.model.note.is_none());
    let mut status = recorder_status(42.6, -14.0);
    status.gap_s = 7.3;
    driven.answer(Answer::Recorder(status));
    let shown = screen(&driven.model);
    assert!(shown.contains("the microphone is back"), "{shown}");
    assert!(shown.contains("7.3 s of sound are missing"), "{shown}");
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
            transcript: Some(crate::tui::fixture::transcript()),
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
        transcript: Some(crate::tui::fixture::transcript()),
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

fn log_with(entries: u32, width: u16, height: u16) -> Driven {
    let mut driven = Driven::open(width, height);
    driven.type_text("H");
    driven.answer(Answer::Log(logged(entries)));
    driven
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
fn the_log_sends_nothing_while_nothing_changes_and_little_while_it_is_scrolled() {
    let mut driven = log_with(300, 80, 24);
    let mut line = Line::showing(&driven.model);
    assert_eq!(line.frame(&driven.model), 0);
    let costs: Vec<usize> = (0..200)
        .map(|_| {
            driven.press(&[Key::Down]);
            line.frame(&driven.model)
        })
        .collect();
    let mean = costs.iter().sum::<usize>() / costs.len();
    assert!(mean <= 300, "{mean} bytes a move: {costs:?}");
}

fn with_backups(width: u16, height: u16) -> Driven {
    let mut driven = Driven::open(width, height);
    driven.type_text("B");
    driven.answer(Answer::Backups(backups()));
    driven
}

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

#[test]
fn the_backups_send_nothing_while_nothing_changes_and_little_while_one_runs() {
    let mut driven = with_backups(80, 24);
    let mut line = Line::showing(&driven.model);
    assert_eq!(line.frame(&driven.model), 0);
    let costs: Vec<usize> = (0..=100)
        .map(|percent| {
            driven.answer(Answer::Archiving(Archiving {
                work: Archive::BackUp,
                folder: "/media/disk/voxvault".to_owned(),
                done_bytes: percent * 290_000,
                of_bytes: 29_000_000,
            }));
            line.frame(&driven.model)
        })
        .collect();
    assert!(costs[1..].iter().all(|cost| *cost <= 100), "{costs:?}");
}

/// Bytes that a model's next frame sends to a terminal that shows the last one.
struct Line {
    terminal: Terminal<Wire>,
}

impl Line {
    fn showing(model: &Model) -> Self {
        let mut line = Self {
            terminal: Terminal::new(Wire::new(model.size)).unwrap(),
        };
        line.frame(model);
        line
    }

    fn frame(&mut self, model: &Model) -> usize {
        self.terminal.draw(|frame| view(model, frame)).unwrap();
        self.terminal.backend_mut().take_frame().len()
    }
}

#[test]
fn nothing_is_sent_while_nothing_changes() {
    let driven = Driven::open(80, 24);
    assert_eq!(Line::showing(&driven.model).frame(&driven.model), 0);
}

#[test]
fn moving_the_selection_costs_at_most_300_bytes() {
    let mut many = Vec::new();
    for number in 0..400 {
        let day = TODAY
            .checked_sub(jiff::Span::new().days(i64::from(number / 5)))
            .unwrap();
        let time = format!("{:02}:{:02}", 20 - number % 5, number % 60);
        many.push(recording(
            number,
            day,
            &time,
            &format!("Call number {number} about the heating"),
            60 + u64::from(number),
        ));
    }
    let mut driven = Driven::holding(many, 80, 24);
    let mut line = Line::showing(&driven.model);
    let costs: Vec<usize> = (0..200)
        .map(|_| {
            driven.press(&[Key::Down]);
            line.frame(&driven.model)
        })
        .collect();
    // A list that scrolls is drawn anew, by half a screen at a time.
    let within = costs.iter().filter(|cost| **cost <= 300).count();
    assert!(
        within >= 170,
        "{within} of 200 moves within 300 bytes: {costs:?}"
    );
    let mean = costs.iter().sum::<usize>() / costs.len();
    assert!(mean <= 300, "{mean} bytes a move");
}

#[test]
fn recording_costs_at_most_600_bytes_a_second() {
    let mut driven = recording_now(80, 24);
    let mut line = Line::showing(&driven.model);
    let mut sent = 0;
    for tick in 0..240_u16 {
        // Speech jumps: the level changes by up to 40 dB from look to look.
        let level = -50.0 + f32::from((tick * 37) % 41);
        driven.answer(Answer::Recorder(recorder_status(
            42.0 + f64::from(tick) * 0.25,
            level,
        )));
        sent += line.frame(&driven.model);
    }
    assert!(sent / 60 <= 600, "{} bytes a second", sent / 60);
}

#[test]
fn a_frame_of_ten_years_looks_only_at_what_is_in_sight() {
    let many = |count: u32| {
        (0..count)
            .map(|number| {
                let day = TODAY
                    .checked_sub(jiff::Span::new().days(i64::from(number / 10)))
                    .unwrap();
                recording(number, day, "10:00", "a day like any other", 60)
            })
            .collect()
    };
    let time = |count| {
        let driven = Driven::holding(many(count), 80, 24);
        let mut line = Line::showing(&driven.model);
        let begin = std::time::Instant::now();
        for _ in 0..200 {
            line.frame(&driven.model);
        }
        begin.elapsed()
    };
    // Generous, for a busy machine; looking at all of them would cost 1,000 times as much.
    let (few, ten_years) = (time(36), time(36_500));
    assert!(
        ten_years < few * 5,
        "{ten_years:?} for 36,500, {few:?} for 36"
    );
}

fn any_key() -> impl Strategy<Value = Key> {
    prop_oneof![
        6 => prop::char::range(' ', '~').prop_map(Key::Char),
        1 => any::<char>().prop_map(Key::Char),
        1 => prop::sample::select(vec!['b', 'f', 'u', 'w', 'a', 'e', 'n', 'p', 'l']).prop_map(Key::Ctrl),
        4 => prop::sample::select(vec![
            Key::Enter, Key::Esc, Key::Tab, Key::BackTab, Key::Backspace, Key::Delete, Key::Up, Key::Down,
            Key::Left, Key::Right, Key::Home, Key::End, Key::PageUp, Key::PageDown,
        ]),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Key(Key),
    Size(u16, u16),
    Answer(u8),
    Due(u8),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any_key().prop_map(Step::Key),
        1 => (1u16..140, 1u16..50).prop_map(|(width, height)| Step::Size(width, height)),
        3 => (0u8..15).prop_map(Step::Answer),
        1 => (0u8..3).prop_map(Step::Due),
    ]
}

fn answer(number: u8, driven: &Driven) -> Answer {
    match number {
        0 => Answer::Unlocked {
            notices: vec!["a copy was mended".to_owned()],
        },
        1 => Answer::Listed {
            recordings: crate::tui::fixture::six().into(),
            today: TODAY,
        },
        2 => Answer::Found {
            serial: driven.model.serial,
            took_ms: 0.1,
            total: 1,
            hits: vec![hit()],
        },
        3 => Answer::Recorder(recorder_status(7e9, f32::NAN)),
        4 => Answer::Recorded {
            duration_s: 1.0,
            shortfall: None,
        },
        5 => Answer::Playing(PlayerStatus {
            id: id(1),
            position_s: 1e9,
            duration_s: 0.0,
            paused: false,
        }),
        6 => Answer::Shredded {
            ids: vec![id(1), id(3)],
            receipt: vec!["gone".to_owned(); 3],
        },
        7 => Answer::Vault(Vault::Locked {
            waiting: 1,
            notices: vec!["forged".to_owned()],
        }),
        8 => Answer::Read {
            id: id(1),
            transcript: Some(crate::tui::fixture::transcript()),
        },
        9 => Answer::Waveform {
            id: id(1),
            levels: vec![0, 255, 3],
        },
        10 => {
            let mut status = recorder_status(1.0, -200.0);
            status.phase = Phase::WaitingForMicrophone;
            status.device = "日本\u{1b}[31m".to_owned();
            status.gap_s = 2.0;
            Answer::Recorder(status)
        }
        11 => Answer::Backups(backups()),
        12 => Answer::Archiving(Archiving {
            work: Archive::BackUp,
            folder: "日本\u{1b}[31m".to_owned(),
            done_bytes: u64::MAX,
            of_bytes: 3,
        }),
        13 => Answer::Archived(Archived::BackedUp {
            folder: "/x".to_owned(),
            recordings: 1,
            holds: 2,
            damage: vec!["a segment".to_owned()],
        }),
        _ => Answer::Transcribing {
            position: 0,
            of: 0,
            percent: 255,
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_keys_at_any_size_breaks_it(steps in prop::collection::vec(any_step(), 1..60), start in 0u8..3) {
        let mut driven = match start {
            0 => Driven::locked(80, 24),
            1 => Driven::open(80, 24),
            _ => {
                let mut driven = Driven::new(80, 24);
                driven.answer(Answer::Vault(Vault::Missing { place: "x".to_owned() }));
                driven
            }
        };
        let mut terminal = Terminal::new(Wire::new(Size::new(80, 24))).unwrap();
        for step in steps {
            match step {
                Step::Key(key) => driven.press(&[key]),
                Step::Size(width, height) => {
                    terminal.backend_mut().resize(Size::new(width, height));
                    driven.happen(Msg::Resized(Size::new(width, height)));
                }
                Step::Answer(number) => {
                    let answer = answer(number, &driven);
                    driven.answer(answer);
                }
                Step::Due(number) => driven.happen(Msg::Due([Timer::Idle, Timer::Meter, Timer::Rest][usize::from(number)])),
            }
            terminal.draw(|frame| view(&driven.model, frame)).unwrap();
            drop(terminal.backend_mut().take_frame());
        }
    }
}
