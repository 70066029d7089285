//! What the tests share: throw-away homes, the program run in them, a terminal
//! and a microphone that only exist here, and tools this machine may lack.

pub(crate) mod files;
pub(crate) mod forensic;
mod home;
pub(crate) mod library;
mod microphone;
pub(crate) mod needles;
pub(crate) mod prepared;
mod program;
pub(crate) mod sound;
pub(crate) mod spy;
pub(crate) mod strace;
pub(crate) mod tally;
mod terminal;
mod tools;
pub(crate) mod zip;

pub(crate) use home::Home;
pub(crate) use microphone::{Microphone, synthesise};
pub(crate) use program::{Finished, Running, Voxvault};
pub(crate) use terminal::{Key, Terminal};
pub(crate) use tools::{
    can_require, models_dir, require_model, require_shared_speech, require_tool,
};

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// The passphrase of every vault that a test makes.
pub(crate) const PASSPHRASE: &str = "heater landlord migration";

/// The program under test.
pub(crate) fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_voxvault"))
}

/// One of the example recordings, by its file name without extension.
pub(crate) fn clip(name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/clips")
        .join(name)
        .with_extension("opus");
    assert!(file.exists(), "there is no clip named {name}");
    file
}

/// Asks again until there is an answer, or panics: `what` did not happen.
pub(crate) fn eventually<T>(
    what: &str,
    patience: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
