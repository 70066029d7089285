//! All that the interface knows: what the screen shows is made from this alone.
//!
//! Changed only by [`update`](super::update::update). It holds what its owner
//! said and wrote, so it has no `Debug`, and [`Model::forget`] drops all of it
//! when the vault is locked; the allocator wipes what is dropped.

use std::time::Duration;

use ratatui::layout::Size;
use unicode_width::UnicodeWidthStr;

use super::engine::{
    Access, Archive, Archiving, Equipment, Phase, PlayerStatus, RecorderStatus, Retention,
};
use super::keymap::{Keymap, Place};
use super::layout::{self, Areas, Form};
use super::theme::Theme;
use crate::error::Failure;
use crate::recording::RecordingId;
use backups::Backups;
use history::History;
use library::Library;
use reading::Reading;

pub mod backups;
mod door;
pub mod history;
pub mod library;
pub mod line;
mod overlay;
mod palette;
pub mod reading;
mod search;

pub use door::{FirstStart, Repeat, Vault};
pub use overlay::{Answered, EditForm, ExportForm, Overlay};
pub use search::{Search, Typing};

/// What is fixed when the interface starts.
pub struct Settings {
    /// The keys.
    pub keymap: Keymap,
    /// The colours.
    pub theme: Theme,
    /// After how long without a key the vault locks itself; `None` for never.
    pub lock_after: Option<Duration>,
    /// This machine's name, when the person came over the network: the
    /// microphone is not where they sit.
    pub host: Option<String>,
}

/// The state of the interface.
pub struct Model {
    /// What doesn't change.
    pub settings: Settings,
    /// The terminal, columns and rows.
    pub size: Size,
    /// Whether there is a vault, and whether it is open.
    pub vault: Vault,
    /// Whether it can be written.
    pub access: Access,
    /// What fills the screen, once it is open.
    pub screen: Screen,
    /// What is asked or shown over it.
    pub overlay: Option<Overlay>,
    /// The pane that the keys move in.
    pub focus: Pane,
    /// The list.
    pub library: Library,
    /// The search, while there is one.
    pub search: Option<Search>,
    /// Counts searches.
    pub serial: u64,
    /// The right pane.
    pub reading: Option<Reading>,
    /// The recorder.
    pub recorder: Recorder,
    /// The microphone chosen for it; the default one without.
    pub device: Option<String>,
    /// What is played.
    pub player: Option<PlayerStatus>,
    /// What the transcriber does.
    pub transcribing: Option<Transcribing>,
    /// Microphones and models.
    pub equipment: Equipment,
    /// The cursor among them.
    pub equipment_row: usize,
    /// The retention rules and what goes by them, once that is known.
    pub retention: Option<Retention>,
    /// The first line of it in sight.
    pub retention_top: usize,
    /// What was done with the recordings.
    pub history: History,
    /// The backups.
    pub backups: Backups,
    /// The work on a backup, while it goes on.
    pub archiving: Option<Archiving>,
    /// The message line.
    pub note: Option<Note>,
    /// Locking was announced: a key prevents it.
    pub lock_announced: bool,
}

/// What fills the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// Recordings and text; while locked, the door.
    Main,
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

/// One of the two panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// Recordings or hits.
    List,
    /// The transcript.
    Text,
}

/// The recorder, as far as the screen knows.
pub enum Recorder {
    /// Nothing is recorded.
    Idle,
    /// The microphone is being opened.
    Starting,
    /// It records.
    Running {
        /// How it stands.
        status: RecorderStatus,
        /// The name given to it.
        title: String,
        /// What its owner wants; the recorder follows a moment later.
        wish: Wish,
    },
    /// The last of it is being sealed.
    Stopping,
}

/// Whether the recorder should take sound in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// It should.
    Record,
    /// It should wait.
    Hold,
}

/// What the transcriber does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transcribing {
    /// Which one, from 1.
    pub position: usize,
    /// Of how many.
    pub of: usize,
    /// 0 to 100.
    pub percent: u8,
}

/// A line for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it says.
    pub text: String,
    /// Whether something went wrong.
    pub weight: Weight,
}

/// Whether something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// No.
    Light,
    /// Yes.
    Heavy,
}

impl Model {
    /// At the start, before anything is known.
    #[must_use]
    pub fn new(settings: Settings, size: Size) -> Self {
        Self {
            settings,
            size,
            vault: Vault::Unknown,
            access: Access::default(),
            screen: Screen::Main,
            overlay: None,
            focus: Pane::List,
            library: Library::default(),
            search: None,
            serial: 0,
            reading: None,
            recorder: Recorder::Idle,
            device: None,
            player: None,
            transcribing: None,
            equipment: Equipment::default(),
            equipment_row: 0,
            retention: None,
            retention_top: 0,
            history: History::default(),
            backups: Backups::default(),
            archiving: None,
            note: None,
            lock_announced: false,
        }
    }

    /// Whether the vault is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.vault, Vault::Open)
    }

    /// Whether something is being recorded, or about to be.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        !matches!(self.recorder, Recorder::Idle)
    }

    /// Whether a backup is being written.
    #[must_use]
    pub fn is_backing_up(&self) -> bool {
        let work = self.archiving.as_ref().map(|archiving| archiving.work);
        work == Some(Archive::BackUp)
    }

    /// The recorder's state while it runs.
    #[must_use]
    pub fn recorder_status(&self) -> Option<&RecorderStatus> {
        match &self.recorder {
            Recorder::Running { status, .. } => Some(status),
            Recorder::Idle | Recorder::Starting | Recorder::Stopping => None,
        }
    }

    /// Whether the recorder is held, so that clock and level stand still.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(&self.recorder, Recorder::Running { status, wish: Wish::Hold, .. } if status.phase == Phase::Paused)
    }

    /// Where the person is, as far as keys are concerned.
    #[must_use]
    pub fn place(&self) -> Place {
        match (self.screen, self.is_open()) {
            (Screen::Recorder, _) => Place::Recorder,
            (_, false) => Place::Locked,
            (Screen::Equipment, true) => Place::Equipment,
            (Screen::Retention, true) => Place::Retention,
            (Screen::Log, true) => Place::Log,
            (Screen::Backups, true) => Place::Backups,
            (Screen::Main, true) if self.focus == Pane::Text => Place::Text,
            (Screen::Main, true) if self.search.is_some() => Place::Hits,
            (Screen::Main, true) => Place::Library,
        }
    }

    /// The recording the person points at, in the list or among the hits.
    #[must_use]
    pub fn pointed(&self) -> Option<RecordingId> {
        match &self.search {
            Some(search) => search.hits.get(search.scroll.cursor).map(|hit| hit.id),
            None => self.library.current().map(|recording| recording.id),
        }
    }

    /// What an action is done to: the marked recordings, else the one pointed at.
    #[must_use]
    pub fn chosen(&self) -> Vec<RecordingId> {
        if self.library.marked.is_empty() {
            self.pointed().into_iter().collect()
        } else {
            // In the order of the list, so that a dialog names them in it.
            let marked = |at: &usize| {
                self.library
                    .at(*at)
                    .is_some_and(|it| self.library.marked.contains(&it.id))
            };
            (0..self.library.len())
                .filter(marked)
                .filter_map(|at| self.library.at(at))
                .map(|it| it.id)
                .collect()
        }
    }

    /// Where everything stands on the screen.
    #[must_use]
    pub fn areas(&self) -> Areas {
        layout::areas(
            self.size,
            self.form(),
            self.is_recording() && self.screen != Screen::Recorder,
        )
    }

    /// How much fits on the screen.
    #[must_use]
    pub fn form(&self) -> Form {
        layout::form(self.size)
    }

    /// Says something light.
    pub fn say(&mut self, text: impl Into<String>) {
        self.note = Some(Note {
            text: text.into(),
            weight: Weight::Light,
        });
    }

    /// Says that something could not be done: as much of it as fits, and the
    /// reason before the place and the hint.
    pub fn complain(&mut self, failure: &Failure) {
        let room = usize::from(self.size.width.saturating_sub(4));
        let hint = failure
            .hint
            .as_ref()
            .map(|hint| format!(" · {hint}"))
            .unwrap_or_default();
        let brief = Failure {
            which: None,
            ..failure.clone()
        };
        let forms = [
            format!("{failure}{hint}"),
            format!("{brief}{hint}"),
            failure.to_string(),
            brief.to_string(),
        ];
        let fits = forms.iter().find(|form| form.width() <= room);
        let text = fits.cloned().unwrap_or_else(|| failure.why.clone());
        self.note = Some(Note {
            text,
            weight: Weight::Heavy,
        });
    }

    /// Drops all that only an open vault may show. A recording goes on.
    pub fn forget(&mut self) {
        self.library = Library::default();
        self.search = None;
        self.reading = None;
        self.player = None;
        self.transcribing = None;
        self.overlay = None;
        self.note = None;
        self.focus = Pane::List;
        self.lock_announced = false;
        self.retention = None;
        self.history = History::default();
        self.backups = Backups::default();
        self.archiving = None;
        if matches!(
            self.screen,
            Screen::Equipment | Screen::Retention | Screen::Log | Screen::Backups
        ) {
            self.screen = Screen::Main;
        }
        if let Recorder::Running { title, .. } = &mut self.recorder {
            title.clear();
        }
    }
}
