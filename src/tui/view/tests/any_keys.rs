//! Any keys, answers and sizes, in any order: nothing breaks.

use proptest::prelude::*;
use ratatui::layout::Size;

use super::*;
use crate::tui::engine::{Archive, Archived, Archiving, Phase, PlayerStatus, Vault};
use crate::tui::fixture::{TODAY, id, recorder_status, six, transcript};
use crate::tui::input::Key;
use crate::tui::wire::Wire;

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
            recordings: six().into(),
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
            transcript: Some(transcript()),
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
