//! Bad bytes: files that are no sound, lie about it or are cut off, and vaults
//! whose files were damaged. The right answer or a clear error, never a panic,
//! nothing half-imported, and the damage costs only what it lies in.

use crate::support::Finished;

mod sound;
mod vault;

/// Whether a run ended as CLI.md says that runs end, without a panic.
fn assert_civil(ended: &Finished, what: &str) {
    let code = ended
        .code()
        .unwrap_or_else(|| panic!("{what}: killed by a signal\n{ended}"));
    assert!((0..=9).contains(&code), "{what}\n{ended}");
    for word in ["panicked", "RUST_BACKTRACE", "unreachable", "overflow"] {
        assert!(!ended.stderr.contains(word), "{what}\n{ended}");
    }
    if code != 0 {
        let said = ended
            .stderr
            .lines()
            .any(|line| line.starts_with("voxvault: "));
        assert!(said, "{what}: nothing was said\n{ended}");
    }
}
