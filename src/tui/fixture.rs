//! Recordings and models for the tests of the interface.

#![allow(
    clippy::expect_used,
    reason = "a fixture that can't be made fails the test"
)]

use std::time::Duration;

use jiff::civil::{Date, date};
use ratatui::layout::Size;

use super::engine::{
    Answer, BackupEntry, BackupShape, Backups, Hit, HitMoment, Logged, LoggedEntry, Phase,
    RecorderStatus, Request, Vault,
};
use super::input::Key;
use super::keymap::Keymap;
use super::model::{Model, Settings};
use super::msg::{Effect, Msg};
use super::theme::Theme;
use super::update::{begin, update};
use crate::recording::{Card, Ending, Moment, Recording, RecordingId, VersionInfo, sample};
use crate::transcript::{Segment, Transcript, Word};
use crate::vault::{Deed, Stage};

pub(in crate::tui) const TODAY: Date = date(2026, 11, 22);

pub(in crate::tui) fn id(number: u32) -> RecordingId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    RecordingId::from_bytes(bytes)
}

/// A recording made at `day` `time` (`"09:12"`), in a zone that never changes.
pub(in crate::tui) fn recording(
    number: u32,
    day: Date,
    time: &str,
    title: &str,
    seconds: u64,
) -> Recording {
    let at = Moment::from_zoned(
        &format!("{day}T{time}:00+01:00[+01:00]")
            .parse::<jiff::Zoned>()
            .expect("a time"),
    );
    Recording {
        id: id(number),
        card: Card {
            title: title.to_owned(),
            device: Some("USB mic".to_owned()),
            samples: seconds * 48_000,
            ..sample::card(at)
        },
        versions: vec![VersionInfo {
            number: 1,
            model: "tiny.en".to_owned(),
            language: "en".to_owned(),
            made_at: at,
        }],
        audio_bytes: seconds * 3_500,
        ..sample::recording(at)
    }
}

/// The six recordings of the drawing.
pub(in crate::tui) fn six() -> Vec<Recording> {
    let (yesterday, thursday) = (date(2026, 11, 21), date(2026, 11, 20));
    let mut all = vec![
        recording(1, TODAY, "09:12", "Standup with Ana", 192),
        recording(2, TODAY, "08:40", "Idea: garden sensor that texts me", 41),
        recording(3, yesterday, "17:03", "Interview, Bellini", 3130),
        recording(4, yesterday, "11:20", "", 9),
        recording(5, yesterday, "09:58", "", 104),
        recording(6, thursday, "10:00", "日本語のメモ e\u{301}\u{7}", 4000),
    ];
    all[0].card.tags = vec!["work".to_owned(), "ana".to_owned()];
    all[3].versions.clear();
    all[3].card.signal.silent_fraction = 1.0;
    all[4].versions.clear();
    all[4].card.ending = Ending::Interrupted;
    all
}

pub(in crate::tui) fn transcript() -> Transcript {
    let said = [
        (
            0,
            6_500,
            "Good morning. Yesterday I finished the migration, and the tests are green.",
        ),
        (
            7_000,
            15_000,
            "Today I look at the broken heater in the lab, and then I call the landlord.",
        ),
        (16_000, 18_000, "Nothing blocks me."),
    ];
    let segments = said.map(|(start_ms, end_ms, text)| {
        let words: Vec<&str> = text.split(' ').collect();
        let each = (end_ms - start_ms) / words.len() as u32;
        let word = |(place, word): (usize, &&str)| Word {
            start_ms: start_ms + place as u32 * each,
            end_ms: start_ms + (place as u32 + 1) * each,
            text: (*word).to_owned(),
            confidence: 0.9,
        };
        Segment {
            start_ms,
            end_ms,
            text: text.to_owned(),
            words: words.iter().enumerate().map(word).collect(),
        }
    });
    Transcript {
        model: "tiny.en".to_owned(),
        settings: String::new(),
        language: "en".to_owned(),
        made_at: Moment {
            unix_ms: 0,
            offset_s: 0,
        },
        segments: segments.into(),
    }
}

pub(in crate::tui) fn hit() -> Hit {
    let text =
        "Today I look at the broken heater in the lab, and then I call the landlord.".to_owned();
    let place = |word: &str| {
        let from = text.find(word).expect("the word");
        [from, from + word.len()]
    };
    let marks = vec![place("heat"), place("landlord")];
    Hit {
        id: id(1),
        moments: vec![HitMoment {
            start_s: 9.5,
            text,
            marks,
        }],
    }
}

/// A log of so many entries, the newest first; the first two are of recordings that are
/// there, or were.
pub(in crate::tui) fn logged(entries: u32) -> Logged {
    let entry = |number: u32| {
        let (deed, stage, ids, detail) = match number % 4 {
            0 => (Deed::Play, Stage::Begun, vec![id(1)], "from 0:09"),
            1 => (
                Deed::Shred,
                Stage::Done,
                vec![id(77)],
                "sound, words and card",
            ),
            2 => (
                Deed::Export,
                Stage::Begun,
                vec![id(2), id(3)],
                "txt to a file",
            ),
            _ => (Deed::Passwd, Stage::Done, Vec::new(), ""),
        };
        LoggedEntry {
            number,
            at: Moment {
                unix_ms: 1_763_800_000_000 + i64::from(number) * 600_000,
                offset_s: 3600,
            },
            deed,
            stage,
            ids,
            detail: detail.to_owned(),
        }
    };
    Logged {
        entries: (1..=entries).rev().map(entry).collect(),
        lapses: Vec::new(),
        unanchored: 2,
    }
}

/// Four backups: one that lacks something and holds what was destroyed, one on a path
/// that is long and wide, a stream, and one that was cut short.
pub(in crate::tui) fn backups() -> Backups {
    let entry = |minute: i64, path: &str, shape, holds, destroyed| BackupEntry {
        path: path.to_owned(),
        shape,
        at: Moment {
            unix_ms: 1_763_800_000_000 + minute * 60_000,
            offset_s: 3600,
        },
        holds,
        lacks: 6 - holds,
        destroyed,
    };
    let wide = "/media/日本語のディスク/what goes on and on/and on/voxvault";
    Backups {
        entries: vec![
            entry(
                9000,
                "/media/disk/voxvault",
                BackupShape::Folder(1204),
                3,
                2,
            ),
            entry(7000, wide, BackupShape::Folder(1), 6, 1),
            entry(100, "/srv/a", BackupShape::Unfinished, 0, 0),
            entry(0, "-", BackupShape::Stream, 0, 0),
        ],
        recordings: 6,
        in_none: 2,
    }
}

pub(in crate::tui) fn recorder_status(elapsed_s: f64, peak_dbfs: f32) -> RecorderStatus {
    RecorderStatus {
        elapsed_s,
        peak_dbfs,
        gap_s: 0.0,
        silent_s: 0.0,
        device: "USB mic".to_owned(),
        phase: Phase::Recording,
        space_left_s: Some(61 * 3600),
        markers: 0,
    }
}

/// A model driven like the real one: what it asked for is kept.
pub(in crate::tui) struct Driven {
    pub(in crate::tui) model: Model,
    pub(in crate::tui) effects: Vec<Effect>,
}

impl Driven {
    /// Before anything is known.
    pub(in crate::tui) fn new(width: u16, height: u16) -> Self {
        let settings = Settings {
            keymap: Keymap::default(),
            theme: Theme::for_environment(None, None),
            lock_after: Some(Duration::from_secs(600)),
            host: None,
        };
        Self {
            model: Model::new(settings, Size::new(width, height)),
            effects: begin(),
        }
    }

    /// The locked screen.
    pub(in crate::tui) fn locked(width: u16, height: u16) -> Self {
        let mut driven = Self::new(width, height);
        driven.answer(Answer::Vault(Vault::Locked {
            waiting: 2,
            notices: Vec::new(),
        }));
        driven
    }

    /// The library with its six recordings, the first one shown.
    pub(in crate::tui) fn open(width: u16, height: u16) -> Self {
        Self::holding(six(), width, height)
    }

    /// The library with these recordings, the first one shown.
    pub(in crate::tui) fn holding(recordings: Vec<Recording>, width: u16, height: u16) -> Self {
        let mut driven = Self::locked(width, height);
        driven.answer(Answer::Unlocked {
            notices: Vec::new(),
        });
        driven.answer(Answer::Listed {
            recordings: recordings.into(),
            today: TODAY,
        });
        driven.serve();
        driven
    }

    pub(in crate::tui) fn happen(&mut self, msg: Msg) {
        self.effects.extend(update(&mut self.model, msg));
    }

    pub(in crate::tui) fn answer(&mut self, answer: Answer) {
        self.happen(Msg::Answer(answer));
    }

    pub(in crate::tui) fn press(&mut self, keys: &[Key]) {
        for key in keys {
            self.happen(Msg::Key(*key));
        }
    }

    pub(in crate::tui) fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            self.happen(Msg::Key(Key::Char(letter)));
        }
    }

    /// What was asked of the engine since the last call.
    pub(in crate::tui) fn asked(&mut self) -> Vec<Request> {
        let asked = std::mem::take(&mut self.effects).into_iter();
        asked
            .filter_map(|effect| {
                if let Effect::Ask(request) = effect {
                    Some(request)
                } else {
                    None
                }
            })
            .collect()
    }

    /// Answers what the right pane asked for.
    pub(in crate::tui) fn serve(&mut self) {
        for request in self.asked() {
            match request {
                Request::Read(id) => self.answer(Answer::Read {
                    id,
                    transcript: Some(transcript()),
                }),
                Request::Waveform(id) => {
                    let levels = (0..90u32)
                        .map(|at| u8::try_from(at * at * 7 % 251).unwrap_or(0))
                        .collect();
                    self.answer(Answer::Waveform { id, levels });
                }
                _ => {}
            }
        }
    }
}
