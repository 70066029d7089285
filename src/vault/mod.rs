//! The vault directory: keys, inbox and store, and what may be done with them.

pub mod bag;
pub mod disk;
pub mod error;
pub mod frame;
mod inbox;
mod intake;
pub mod lock;
mod record;
mod recorder;
mod rows;
pub mod scan;
mod store;

pub use error::{Error, Result};
