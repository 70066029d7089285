//! Which key does what: one [`TABLE`], and nothing else knows.
//!
//! Footer, help, palette and manual are made from it, and the configuration
//! overrides it by the names in it. Keys that edit text or answer a dialog are
//! not here: they mean the same everywhere.

use std::collections::BTreeMap;

use super::input::{Key, NotAKey};

mod table;

pub use table::TABLE;

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
        let does = |key| keymap.action(Place::Library, Key::Char(key));
        assert_eq!(does('X'), Some(Action::Shred));
        assert_eq!(does('D'), None);
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
