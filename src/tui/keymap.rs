//! Which key does what: one table, and nothing else knows.
//!
//! Footer, help, palette and manual are made from it, and the configuration
//! overrides it by the names in it. Keys that edit text or answer a dialog are
//! not here: they mean the same everywhere.

use std::collections::BTreeMap;

use super::input::{Key, NotAKey};

/// Something a key can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table says in words what each one does")]
pub enum Action {
    Record,
    Unlock,
    Search,
    Open,
    PlayPause,
    StopPlaying,
    SeekBack,
    SeekOn,
    MarkRow,
    UnmarkAll,
    Edit,
    Export,
    Redact,
    Shred,
    Copy,
    Transcribe,
    NextHit,
    PreviousHit,
    Up,
    Down,
    First,
    Last,
    PageUp,
    PageDown,
    Left,
    Right,
    OtherPane,
    Pause,
    Marker,
    Title,
    StopRecording,
    Equipment,
    Retention,
    Log,
    Backups,
    BackUpTo,
    BackUpAgain,
    VerifyBackup,
    StopBackup,
    Palette,
    Help,
    Lock,
    Back,
    Redraw,
    Suspend,
    Quit,
}

/// Where the person is, as far as keys are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The locked screen.
    Locked,
    /// The list of recordings.
    Library,
    /// The hits of a search.
    Hits,
    /// The transcript.
    Text,
    /// The recorder.
    Recorder,
    /// Microphones and models.
    Equipment,
    /// Retention rules and what goes by them.
    Retention,
    /// What was done with the recordings.
    Log,
    /// The backups and what they hold.
    Backups,
}

use Place::{Backups, Equipment, Hits, Library, Locked, Log, Recorder, Retention, Text};

const EVERYWHERE: &[Place] = &[
    Locked, Library, Hits, Text, Recorder, Equipment, Retention, Log, Backups,
];
const OPEN: &[Place] = &[
    Library, Hits, Text, Recorder, Equipment, Retention, Log, Backups,
];
const BROWSING: &[Place] = &[Library, Hits, Text];
const LISTS: &[Place] = &[Library, Hits];
const MOVING: &[Place] = &[Library, Hits, Text, Equipment, Retention, Log, Backups];

impl Action {
    /// How long its word stays in a footer that has too little room: what counts most
    /// goes last. What goes on is always stopped by a key that stands there.
    #[must_use]
    pub fn weight(self) -> u8 {
        match self {
            Self::StopRecording | Self::StopBackup => 2,
            Self::Help => 1,
            _ => 0,
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub struct Entry {
    /// What is done.
    pub action: Action,
    /// Its name in the configuration.
    pub name: &'static str,
    /// The keys that do it unless configured otherwise, as text.
    pub keys: &'static [&'static str],
    /// Where it can be done.
    pub places: &'static [Place],
    /// Its word in the footer; without one it isn't there.
    pub footer: Option<&'static str>,
    /// What it does, for help and palette.
    pub does: &'static str,
}

const fn entry(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    places: &'static [Place],
    footer: Option<&'static str>,
    does: &'static str,
) -> Entry {
    Entry {
        action,
        name,
        keys,
        places,
        footer,
        does,
    }
}

/// The table, in the order of footer and help.
pub static TABLE: &[Entry] = &[
    entry(
        Action::Record,
        "record",
        &["r"],
        &[
            Locked, Library, Hits, Text, Equipment, Retention, Log, Backups,
        ],
        Some("record"),
        "record the microphone, or go to the running recording",
    ),
    entry(
        Action::Unlock,
        "unlock",
        &["enter", "u"],
        &[Locked],
        Some("unlock"),
        "unlock the vault with the passphrase",
    ),
    entry(
        Action::Pause,
        "pause",
        &["space"],
        &[Recorder],
        Some("pause"),
        "hold the recording, or go on with it",
    ),
    entry(
        Action::Marker,
        "marker",
        &["m"],
        &[Recorder],
        Some("marker"),
        "mark this moment of the recording",
    ),
    entry(
        Action::Title,
        "title",
        &["t"],
        &[Recorder],
        Some("title"),
        "name the recording",
    ),
    entry(
        Action::StopRecording,
        "stop-recording",
        &["enter"],
        &[Recorder],
        Some("stop and keep"),
        "stop the recording and keep it",
    ),
    entry(
        Action::Search,
        "search",
        &["/"],
        BROWSING,
        Some("search"),
        "search as you type",
    ),
    entry(
        Action::Open,
        "open",
        &["enter"],
        &[Library, Hits, Text],
        Some("play"),
        "play the recording, the hit's moment, or from this sentence",
    ),
    entry(
        Action::Open,
        "choose",
        &["enter"],
        &[Equipment],
        Some("use this one"),
        "use this microphone or model",
    ),
    entry(
        Action::BackUpAgain,
        "back-up-again",
        &["enter", "b"],
        &[Backups],
        Some("back up again"),
        "back up into this folder again; asks first",
    ),
    entry(
        Action::BackUpTo,
        "new-folder",
        &["F"],
        &[Backups],
        Some("new folder"),
        "back up to a folder…",
    ),
    entry(
        Action::VerifyBackup,
        "verify-backup",
        &["v"],
        &[Backups],
        Some("verify"),
        "read every byte of this backup and say whether it is sound",
    ),
    entry(
        Action::StopBackup,
        "stop-backup",
        &["s"],
        &[Backups],
        Some("stop"),
        "stop the backup or its check; what is whole stays",
    ),
    entry(
        Action::PlayPause,
        "play-pause",
        &["p"],
        BROWSING,
        None,
        "hold what is played, or go on",
    ),
    entry(
        Action::StopPlaying,
        "stop-playing",
        &["s"],
        BROWSING,
        None,
        "stop playing",
    ),
    entry(
        Action::SeekBack,
        "seek-back",
        &[",", "["],
        BROWSING,
        None,
        "five seconds back",
    ),
    entry(
        Action::SeekOn,
        "seek-on",
        &[".", "]"],
        BROWSING,
        None,
        "five seconds on",
    ),
    entry(
        Action::MarkRow,
        "mark",
        &["space"],
        LISTS,
        None,
        "mark the recording, for export or shred of several",
    ),
    entry(
        Action::UnmarkAll,
        "unmark-all",
        &["U"],
        BROWSING,
        None,
        "take all marks away",
    ),
    entry(
        Action::Edit,
        "edit",
        &["e"],
        BROWSING,
        Some("edit"),
        "title, tags and note",
    ),
    entry(
        Action::Export,
        "export",
        &["x"],
        BROWSING,
        Some("export"),
        "write a copy in the clear",
    ),
    entry(
        Action::Shred,
        "shred",
        &["D"],
        BROWSING,
        Some("shred"),
        "destroy for good; asks first",
    ),
    entry(
        Action::Redact,
        "redact",
        &["R"],
        &[Text],
        None,
        "silence this sentence and destroy its words; asks first",
    ),
    entry(
        Action::Copy,
        "copy",
        &["y"],
        BROWSING,
        None,
        "copy the transcript to the terminal's clipboard (OSC 52)",
    ),
    entry(
        Action::Transcribe,
        "transcribe",
        &["T"],
        BROWSING,
        None,
        "make another transcript; the old one stays",
    ),
    entry(
        Action::NextHit,
        "next-hit",
        &["n"],
        &[Hits, Text],
        None,
        "next moment found",
    ),
    entry(
        Action::PreviousHit,
        "previous-hit",
        &["N"],
        &[Hits, Text],
        None,
        "previous moment found",
    ),
    entry(Action::Up, "up", &["up", "k"], MOVING, None, "up"),
    entry(Action::Down, "down", &["down", "j"], MOVING, None, "down"),
    entry(
        Action::First,
        "first",
        &["g", "home"],
        MOVING,
        None,
        "to the first",
    ),
    entry(
        Action::Last,
        "last",
        &["G", "end"],
        MOVING,
        None,
        "to the last",
    ),
    entry(
        Action::PageUp,
        "page-up",
        &["pgup", "ctrl-b"],
        MOVING,
        None,
        "a screenful up",
    ),
    entry(
        Action::PageDown,
        "page-down",
        &["pgdn", "ctrl-f"],
        MOVING,
        None,
        "a screenful down",
    ),
    entry(
        Action::Left,
        "left",
        &["left", "h"],
        BROWSING,
        None,
        "to the list",
    ),
    entry(
        Action::Right,
        "right",
        &["right", "l"],
        BROWSING,
        None,
        "to the transcript",
    ),
    entry(
        Action::OtherPane,
        "other-pane",
        &["tab", "backtab"],
        BROWSING,
        None,
        "between list and transcript",
    ),
    entry(
        Action::Equipment,
        "equipment",
        &["M"],
        BROWSING,
        None,
        "microphones and speech models",
    ),
    entry(
        Action::Retention,
        "retention",
        &["K"],
        BROWSING,
        None,
        "how long recordings are kept, and what goes next",
    ),
    entry(
        Action::Log,
        "log",
        &["H"],
        BROWSING,
        None,
        "what was played, exported and destroyed",
    ),
    entry(
        Action::Backups,
        "backups",
        &["B"],
        BROWSING,
        None,
        "backups, and which recordings are in none",
    ),
    entry(
        Action::BackUpTo,
        "back-up-to",
        &["F"],
        BROWSING,
        None,
        "back up to a folder…",
    ),
    entry(
        Action::Lock,
        "lock",
        &["L"],
        OPEN,
        None,
        "lock the vault; a recording goes on",
    ),
    entry(
        Action::Palette,
        "commands",
        &[":"],
        EVERYWHERE,
        Some("commands"),
        "find and run any of these",
    ),
    entry(
        Action::Help,
        "help",
        &["?"],
        EVERYWHERE,
        Some("help"),
        "the keys",
    ),
    entry(
        Action::Back,
        "back",
        &["esc"],
        EVERYWHERE,
        None,
        "one level back",
    ),
    entry(
        Action::Redraw,
        "redraw",
        &["ctrl-l"],
        EVERYWHERE,
        None,
        "draw the screen anew",
    ),
    entry(
        Action::Suspend,
        "suspend",
        &["ctrl-z"],
        EVERYWHERE,
        None,
        "back to the shell for now (fg returns)",
    ),
    entry(
        Action::Quit,
        "quit",
        &["q", "ctrl-c"],
        EVERYWHERE,
        Some("quit"),
        "end; asks while something is recorded or backed up",
    ),
];

/// The table with what the configuration changed.
#[derive(Debug)]
pub struct Keymap {
    keys: Vec<Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Self {
        let read = |entry: &Entry| {
            entry
                .keys
                .iter()
                .filter_map(|key| key.parse().ok())
                .collect()
        };
        Self {
            keys: TABLE.iter().map(read).collect(),
        }
    }
}

/// Why a configured key can't be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum KeymapError {
    #[error("there is no action called \"{0}\"")]
    NoSuchAction(String),
    #[error("{action}: {source}")]
    NoSuchKey { action: String, source: NotAKey },
    #[error("{key} would do both {one} and {other} in the same place")]
    Taken {
        key: String,
        one: &'static str,
        other: &'static str,
    },
}

impl Keymap {
    /// The table with these actions on other keys: action's name, its keys.
    ///
    /// # Errors
    /// When a name or key is unknown, or one key would do two things.
    pub fn configured(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, KeymapError> {
        let mut keymap = Self::default();
        for (name, keys) in overrides {
            let index = TABLE.iter().position(|entry| entry.name == name);
            let slot = index.and_then(|index| keymap.keys.get_mut(index));
            let slot = slot.ok_or_else(|| KeymapError::NoSuchAction(name.clone()))?;
            let read = |key: &String| {
                key.parse().map_err(|source| KeymapError::NoSuchKey {
                    action: name.clone(),
                    source,
                })
            };
            *slot = keys.iter().map(read).collect::<Result<_, _>>()?;
        }
        keymap.refuse_doubles()?;
        Ok(keymap)
    }

    fn refuse_doubles(&self) -> Result<(), KeymapError> {
        for (index, (entry, keys)) in self.lines().enumerate() {
            for (other, others) in self.lines().skip(index + 1) {
                let meet = entry
                    .places
                    .iter()
                    .any(|place| other.places.contains(place));
                let shared = keys.iter().find(|key| others.contains(key));
                if let (true, Some(key)) = (meet, shared) {
                    return Err(KeymapError::Taken {
                        key: key.to_string(),
                        one: entry.name,
                        other: other.name,
                    });
                }
            }
        }
        Ok(())
    }

    /// The lines of the table with their keys.
    pub fn lines(&self) -> impl Iterator<Item = (&'static Entry, &[Key])> {
        TABLE.iter().zip(self.keys.iter().map(Vec::as_slice))
    }

    /// The lines that hold in this place.
    pub fn lines_at(&self, place: Place) -> impl Iterator<Item = (&'static Entry, &[Key])> {
        self.lines()
            .filter(move |(entry, _)| entry.places.contains(&place))
    }

    /// What a key does here.
    #[must_use]
    pub fn action(&self, place: Place, key: Key) -> Option<Action> {
        self.lines_at(place)
            .find(|(_, keys)| keys.contains(&key))
            .map(|(entry, _)| entry.action)
    }

    /// The key to name when telling somebody how to do this.
    #[must_use]
    pub fn key_for(&self, action: Action) -> String {
        let key = self
            .lines()
            .find(|(entry, _)| entry.action == action)
            .and_then(|(_, keys)| keys.first());
        key.map(Key::to_string).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn every_key_in_the_table_is_one_and_none_does_two_things() {
        for entry in TABLE {
            for key in entry.keys {
                assert!(key.parse::<Key>().is_ok(), "{}: {key}", entry.name);
            }
        }
        assert_eq!(Keymap::default().refuse_doubles(), Ok(()));
    }

    #[test]
    fn the_configuration_moves_an_action_to_another_key() {
        let overrides = BTreeMap::from([("shred".to_owned(), vec!["X".to_owned()])]);
        let keymap = Keymap::configured(&overrides).unwrap();
        assert_eq!(keymap.action(Library, Key::Char('X')), Some(Action::Shred));
        assert_eq!(keymap.action(Library, Key::Char('D')), None);
    }

    #[test]
    fn a_configured_key_that_is_taken_is_refused_by_name() {
        let overrides = BTreeMap::from([("shred".to_owned(), vec!["e".to_owned()])]);
        let error = Keymap::configured(&overrides).unwrap_err();
        assert_eq!(
            error.to_string(),
            "e would do both edit and shred in the same place"
        );
    }
}
