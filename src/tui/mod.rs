//! The terminal interface.
//!
//! Shaped as model, messages, update and view: [`update`](update::update) takes
//! what happened and changes the [model](model::Model), [`view`](view::view)
//! makes a picture of it, and the [loop](app) does the rest. What the interface
//! needs done goes through the [port](engine) to the rest of the program; it
//! knows nothing of how recordings are kept, sealed, heard or transcribed.
//!
//! Read in this order: [`engine`] is what can be asked, [`model`] what is
//! known, [`keymap`] what keys do, [`update`] what follows from it, [`view`]
//! how it looks, [`app`] the loop with the terminal around it. [`editor`] is a
//! screen by itself, which a command opens for as long as a text is corrected.

use std::sync::Arc;

use crate::command::{Colour, Context};
use crate::error::{Exit, Failure};

pub mod app;
pub mod clipboard;
pub mod editor;
pub mod engine;
pub mod input;
pub mod keyboard;
pub mod keymap;
pub mod layout;
pub mod model;
pub mod msg;
pub mod secret;
pub mod signals;
pub mod stderr;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;
mod waiting;
pub mod wire;

#[cfg(test)]
mod fixture;

/// Runs the interface on this process's terminal until the person ends it, the
/// terminal goes away, or a signal asks for the end. What is being recorded
/// then is stopped and kept.
///
/// # Errors
/// [`Exit::Usage`] when there is no terminal or the settings name keys that
/// can't be; [`Exit::Failed`] when the system refuses threads or signals.
pub fn run(context: Arc<Context>) -> Result<(), Failure> {
    let settings = settings(&context)?;
    // With an identity it is open by now: what that asks is asked before.
    let given = match context.already_open() {
        Some(_) => None,
        None => context.given_passphrase()?,
    };
    app::run(settings, |mailbox| {
        engine::Real::start(&context, given, mailbox)
    })
    .map_err(|error| Failure::new(Exit::Failed, "can't open the interface", error.to_string()))
}

fn settings(context: &Context) -> Result<model::Settings, Failure> {
    let unusable = |why: String| {
        Failure::new(Exit::Usage, "can't use the settings", why)
            .about(context.paths.config_file.display())
    };
    let variable = |name: &str| std::env::var(name).ok();
    let no_color = match context.colour {
        Colour::Auto => variable("NO_COLOR"),
        Colour::Always => None,
        Colour::Never => Some("1".to_owned()),
    };
    Ok(model::Settings {
        keymap: keymap::Keymap::configured(&context.config.keys)
            .map_err(|error| unusable(error.to_string()))?,
        theme: theme::Theme::for_environment(no_color.as_deref(), variable("COLORTERM").as_deref()),
        lock_after: context.config.lock_after().map_err(unusable)?,
        host: std::env::var_os("SSH_CONNECTION").map(|_| {
            rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned()
        }),
    })
}
