//! What happens to the interface, and what it wants done about it.

use std::time::Duration;

use ratatui::layout::Size;
use zeroize::Zeroizing;

use super::engine::{Answer, Request};
use super::input::Key;

/// Something happened.
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted in one piece.
    Paste(Zeroizing<String>),
    /// The terminal has another size.
    Resized(Size),
    /// A timer ran out.
    Due(Timer),
    /// The engine has something to say.
    Answer(Answer),
    /// A signal asks for the end.
    End,
}

/// Timers; each is there once at most, and only while it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Nobody pressed a key for long.
    Idle,
    /// Clock and level of a recording.
    Meter,
    /// The cursor rests: the right pane follows it.
    Rest,
}

/// Something to be done outside the model.
pub enum Effect {
    /// By the engine.
    Ask(Request),
    /// Wake me after this time, and not at what was set before.
    After(Timer, Duration),
    /// Don't wake me for this.
    Never(Timer),
    /// Hand this to the terminal's clipboard.
    Clip(Zeroizing<String>),
    /// Draw everything anew.
    Redraw,
    /// Stop until continued by the shell.
    Suspend,
    /// End the interface.
    Quit,
}
