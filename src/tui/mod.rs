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
//! how it looks, [`app`] the loop with the terminal around it.

pub mod app;
pub mod clipboard;
pub mod engine;
pub mod input;
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
pub mod wire;

#[cfg(test)]
mod fixture;
