//! A vault that is made to try a restore in, and destroyed afterwards.
//!
//! It lies in the directory for temporary files; nothing in it opens once this
//! process is gone, for nobody knows its passphrase. What came back is read once more
//! to its last byte, and compared with the vault itself, where there is one.

use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::getuid;

use crate::audio::{PACKET_BYTES, StoredShape};
use crate::backup::restore::Outcome;
use crate::command::{Progress, Unit};
use crate::crypto::{Passphrase, WorkFactor, fill_random};
use crate::error::Failure;
use crate::recording::{Recording, RecordingId};
use crate::vault::site::Site;
use crate::vault::{self, InitOptions, OpenVault, Placement};

/// What a rehearsal found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rehearsed {
    /// How what came back compares with the vault; `None` where there is none.
    pub compared: Option<Compared>,
    /// What is not as it should be.
    pub differences: Vec<(RecordingId, String)>,
}

/// How many recordings of a backup are in a vault as well, by their ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// Recordings that are the same in the vault and in the backup.
    pub same: u64,
    /// Recordings that the vault has changed since: their card, a transcript that was
    /// added, a part that was destroyed.
    pub changed_since: u64,
    /// Recordings that are not in the vault any more.
    pub only_in_backup: u64,
    /// Recordings of the vault that are not in the backup.
    pub only_in_vault: u64,
}

/// The vault of a rehearsal. It is destroyed when this is dropped.
pub(super) struct Vault {
    pub(super) vault: OpenVault,
    dir: PathBuf,
    /// Says that somebody is at it.
    _lock: Option<File>,
}

/// What the directories are called, with random digits behind it.
const NAME: &str = "voxvault-rehearsal-";

impl Vault {
    /// Makes it.
    ///
    /// # Errors
    /// When no file can be made for it.
    pub(super) fn make() -> Result<Self, Failure> {
        clear_away(&std::env::temp_dir());
        let mut random = [0; 48];
        fill_random(&mut random)?;
        let (name, secret) = random.split_at(16);
        let dir = std::env::temp_dir().join(format!("{NAME}{}", digits(name)));
        let options = InitOptions {
            placement: Placement::Anywhere,
            // The passphrase is random, so there is nothing to stretch.
            work: WorkFactor::NONE,
        };
        let passphrase = Passphrase::new(digits(secret));
        let made = vault::Vault::init_at(Site::new(&dir, None), &passphrase, options);
        let vault = made.map_err(|error| {
            // Its name is random, so what there is of it was made just now, and holds
            // nothing yet.
            let _ = std::fs::remove_dir_all(&dir);
            Failure::from(error).hint("TMPDIR names another directory for temporary files")
        })?;
        let lock = locked(&dir);
        Ok(Self {
            vault,
            dir,
            _lock: lock,
        })
    }

    /// Reads all that came back, and compares it with the vault, if there is one: that which
    /// wrote the backup, or another, which may have been restored from it.
    ///
    /// # Errors
    /// When one of them can't be read.
    pub(super) fn compare(
        &self,
        outcome: &Outcome,
        real: Option<&OpenVault>,
        progress: &dyn Progress,
    ) -> Result<Rehearsed, Failure> {
        let mut found = Rehearsed::default();
        for flaw in self.vault.verify(&|_, _| ())?.flaws {
            let id = flaw.id.unwrap_or(RecordingId::from_bytes([0; 16]));
            found.differences.push((id, flaw.what));
        }
        let Some(real) = real else {
            return Ok(found);
        };
        let own = real.vault_id()?;
        let is_own = outcome.origin.is_some_and(|(vault, _)| vault == own);
        let mut compared = Compared::default();
        let back = self.vault.recordings()?;
        progress.begin("comparing", Some(back.len() as u64), Unit::Items);
        for (done, here) in back.iter().enumerate() {
            match real.recording(here.id) {
                Err(vault::Error::NoRecording { .. }) => compared.only_in_backup += 1,
                // Damage in the vault is `verify`'s to tell.
                Err(_) => compared.changed_since += 1,
                Ok(there) => match self.differs(here, &there, real, is_own)? {
                    Difference::None => compared.same += 1,
                    Difference::Later => compared.changed_since += 1,
                    Difference::Wrong(what) => found.differences.push((here.id, what)),
                },
            }
            progress.advance(done as u64 + 1);
            if progress.cancelled() {
                return Err(crate::backup::Error::Cancelled.into());
            }
        }
        progress.end();
        let ids: Vec<RecordingId> = back.iter().map(|one| one.id).collect();
        let all = real.recordings()?;
        let missing = all.iter().filter(|one| !ids.contains(&one.id));
        compared.only_in_vault = missing.count() as u64;
        found.compared = Some(compared);
        Ok(found)
    }

    /// How a recording differs from the one of that id in the vault. Where that did not write
    /// the backup, both may have gone on by themselves: transcripts that were made since have
    /// the same numbers then, and sound that was redacted as often the same epoch.
    fn differs(
        &self,
        here: &Recording,
        there: &Recording,
        real: &OpenVault,
        is_own: bool,
    ) -> Result<Difference, Failure> {
        if here.epoch != there.epoch {
            return Ok(Difference::Later);
        }
        let mut is_same = here.card == there.card
            && here.versions == there.versions
            && here.sound_left() == there.sound_left();
        for version in &here.versions {
            let number = version.number;
            let kept = there.versions.iter().any(|one| one.number == number);
            let Some(there) = kept
                .then(|| real.transcript(here.id, number).ok())
                .flatten()
            else {
                continue;
            };
            if self.vault.transcript(here.id, number)? == there {
                continue;
            }
            is_same = false;
            if is_own {
                let what = format!("transcript {number} is another one than in the vault");
                return Ok(Difference::Wrong(what));
            }
        }
        if here.audio_bytes > 0 && there.audio_bytes > 0 && !self.sounds_like(here, real)? {
            if !is_own && here.epoch > 0 {
                return Ok(Difference::Later);
            }
            let what = "its sound is another one than in the vault";
            return Ok(Difference::Wrong(what.to_owned()));
        }
        Ok(match is_same {
            true => Difference::None,
            false => Difference::Later,
        })
    }

    /// Compares the packets that carry the recording; what fills up the last segment is
    /// not backed up.
    fn sounds_like(&self, here: &Recording, real: &OpenVault) -> Result<bool, Failure> {
        let shape = StoredShape {
            samples: here.card.samples,
            pre_skip: here.card.pre_skip,
        };
        let mut left = shape.packets().saturating_mul(PACKET_BYTES as u64);
        let (mut ours, mut theirs) = (self.vault.sound(here.id)?, real.sound(here.id)?);
        while left > 0 {
            // What the vault has lost since, it tells itself.
            let (ours, Ok(theirs)) = (ours.next_segment()?, theirs.next_segment()) else {
                return Ok(true);
            };
            let (Some(ours), Some(theirs)) = (ours, theirs) else {
                return Ok(true);
            };
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            let (one, two) = (&ours.packets, &theirs.packets);
            let (one, two) = (&one[..one.len().min(most)], &two[..two.len().min(most)]);
            // A segment that one of them noted as lost has no byte.
            if !one.is_empty() && !two.is_empty() && one != two {
                return Ok(false);
            }
            left = left.saturating_sub(crate::audio::SEGMENT_BYTES as u64);
        }
        Ok(true)
    }
}

enum Difference {
    None,
    Later,
    Wrong(String),
}

impl Drop for Vault {
    fn drop(&mut self) {
        destroy(&self.dir);
    }
}

fn destroy(dir: &Path) {
    // What can't be destroyed opens with no passphrase that anybody knows.
    let _ = vault::wipe(&Site::new(dir, None), &mut |_, _| ());
    let _ = std::fs::remove_dir_all(dir);
}

/// Destroys what rehearsals left that were killed: directories of ours that nobody has
/// locked. One that was made a moment ago may not be locked yet.
fn clear_away(temporary: &Path) {
    let Ok(listed) = std::fs::read_dir(temporary) else {
        return;
    };
    for entry in listed.flatten() {
        let name = entry.file_name();
        let is_named = name.to_str().and_then(|name| name.strip_prefix(NAME));
        let is_named = is_named.is_some_and(|digits| digits.len() == 32);
        let is_old = |found: &std::fs::Metadata| {
            let age = found.modified().ok().and_then(|then| then.elapsed().ok());
            age.is_some_and(|age| age > A_MOMENT)
        };
        let found = entry.metadata().ok().filter(std::fs::Metadata::is_dir);
        let is_ours = |found: &std::fs::Metadata| found.uid() == getuid().as_raw();
        if !is_named || !found.is_some_and(|found| is_ours(&found) && is_old(&found)) {
            continue;
        }
        if let Some(_lock) = locked(&entry.path()) {
            destroy(&entry.path());
        }
    }
}

/// A directory that nobody else has locked, as long as this is held.
fn locked(dir: &Path) -> Option<File> {
    let opened = File::open(dir).ok()?;
    let taken = flock(&opened, FlockOperation::NonBlockingLockExclusive);
    taken.is_ok().then_some(opened)
}

/// Longer than making a vault takes.
const A_MOMENT: Duration = Duration::from_secs(60);

fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_a_killed_rehearsal_left_is_destroyed_and_nothing_else() {
        let temporary = tempfile::tempdir().unwrap();
        let make = |name: &str, age: Duration| {
            let dir = temporary.path().join(name);
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join("store.redb"), "sealed").unwrap();
            let then = SystemTime::now() - age;
            File::open(&dir).unwrap().set_modified(then).unwrap();
            dir
        };
        let named = |digit: &str| format!("{NAME}{}", digit.repeat(32));
        let left = make(&named("1"), 2 * A_MOMENT);
        let fresh = make(&named("2"), Duration::ZERO);
        let running = make(&named("3"), 2 * A_MOMENT);
        let other = make("voxvault-rehearsal-notes", 2 * A_MOMENT);
        let _lock = locked(&running).unwrap();
        clear_away(temporary.path());
        assert!(!left.exists());
        for stays in [fresh, running, other] {
            assert!(stays.join("store.redb").exists(), "{stays:?}");
        }
    }
}
