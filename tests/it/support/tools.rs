//! What this machine has, and what a test does without it.

use std::env;
use std::path::{Path, PathBuf};

/// The speech models of this machine, where the program looks for them.
pub(crate) fn models_dir() -> PathBuf {
    let data = || match env::var_os("XDG_DATA_HOME") {
        Some(data) => PathBuf::from(data),
        None => PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".local/share"),
    };
    match env::var_os("VOXVAULT_MODELS") {
        Some(models) => PathBuf::from(models),
        None => data().join("voxvault/models"),
    }
}

/// Whether `tool` can be run here. Where it can't, the test says `skipped: …`
/// and should return; with `VOXVAULT_NO_SKIP=1` it fails instead.
pub(crate) fn require_tool(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let there = env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    can_require(there, &format!("{tool} is not installed"))
}

/// Whether a speech model is there; see [`require_tool`].
pub(crate) fn require_model() -> bool {
    let models = models_dir();
    let there = models.read_dir().is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.path().extension().is_some_and(|end| end == "bin"))
        })
    });
    can_require(
        there,
        &format!("no speech model in {} (make model)", models.display()),
    )
}

/// The folder of real speech that lies beside some checkouts; see its use in
/// the tests. It is no part of the project, so its absence never fails.
pub(crate) fn require_shared_speech() -> Option<PathBuf> {
    let speech = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/speech");
    if !speech.is_dir() {
        eprintln!("skipped: no shared speech");
        return None;
    }
    Some(speech)
}

/// `there`; where that is false says so, or fails if nothing may be skipped.
pub(crate) fn can_require(there: bool, why_not: &str) -> bool {
    if !there {
        eprintln!("skipped: {why_not}");
        let strict = env::var_os("VOXVAULT_NO_SKIP").is_some_and(|value| value == "1");
        assert!(!strict, "{why_not}, and VOXVAULT_NO_SKIP=1 allows no skip");
    }
    there
}
