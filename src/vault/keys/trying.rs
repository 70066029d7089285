//! Tries a key on the slots.
//!
//! The slots are read without the lock, for a try of a passphrase takes a second and a
//! plugin may ask for a touch. Meanwhile another process may have put another master key
//! into force, and slots for it into the place of those that were read. So where none of
//! them fits they are read once more, under the lock, and what has come since is tried.
//! Where somebody else holds the lock for too long they are read without it: a key that
//! opens none of them is wrong whoever is at work, and of one that opens something nobody
//! can tell meanwhile.

use std::io;
use std::mem;

use super::keyslots::{self, Opened, SlotFile};
use crate::crypto::{CryptoError, Opener};
use crate::vault::error::{Error, Result};
use crate::vault::ground::lock::{LOCK_FILE, Lock};
use crate::vault::ground::site::Site;

/// How often the slots are read: as often as that the master key can be replaced by others
/// while one key is tried. Nobody does that so often in a row; beside one that does, a key
/// is tried for as long as somebody would wait.
const MOST_LOOKS: usize = 24;

const WITH_PASSPHRASE: &[u8] = b"age-encryption.org/v1\n-> scrypt ";

/// Whether what was in a slot is in force.
pub(in crate::vault) enum Fit<T> {
    /// It is.
    Taken(T),
    /// It is not, or not yet.
    Not(Opened),
}

/// Tries the key on every slot that is there, the ones in force first and before
/// them those that cost nothing, until `fits` takes one. Slots that are alike are
/// tried once: each try of a passphrase costs a second.
///
/// # Errors
/// [`Error::WrongPassphrase`] or [`Error::WrongIdentity`] if none is taken,
/// [`Error::Key`] if something hindered the key, [`Error::Io`] if this user may read no
/// slot, [`Error::Damaged`] if none can be read, [`Error::Busy`] if others replace the slots
/// faster than they can be tried, or hold the lock where without it nobody can tell.
pub(in crate::vault) fn open<T>(
    site: &Site,
    key: &dyn Opener,
    mut fits: impl FnMut(Opened) -> Result<Fit<T>>,
) -> Result<T> {
    let mut tries = Tries::default();
    let mut files = keyslots::files(site)?;
    for _ in 0..MOST_LOOKS {
        if let Some(taken) = tries.all(files, key, &mut fits)? {
            return Ok(taken);
        }
        if let Some(why) = tries.hindered.take() {
            return Err(Error::Key(why));
        }
        let (found, busy) = look(site)?;
        files = found;
        if let Some(taken) = tries.again(&files, &mut fits)? {
            return Ok(taken);
        }
        if !files.iter().any(|file| tries.is_new(file)) {
            return Err(match busy {
                Some(busy) if !tries.say_all_of(&files) => busy,
                _ => tries.in_vain(site, key),
            });
        }
    }
    Err(Error::Busy {
        path: site.path(LOCK_FILE),
    })
}

/// The slots as they are under the lock; without it, and that it is held, where somebody
/// else has it for too long.
fn look(site: &Site) -> Result<(Vec<SlotFile>, Option<Error>)> {
    let (_lock, busy) = match Lock::take(&*site.disk, &site.dir) {
        Err(busy @ Error::Busy { .. }) => (None, Some(busy)),
        taken => (Some(taken?), None),
    };
    Ok((keyslots::files(site)?, busy))
}

/// What came of the tries so far.
#[derive(Default)]
struct Tries {
    hashes: Vec<[u8; 32]>,
    /// What opened and was not in force: it may be by now.
    rejected: Vec<Opened>,
    /// Whether any of them is whole, as far as can be told.
    whole: bool,
    damaged: bool,
    /// A file that the system refused to open, and why.
    refused: Option<(String, io::Error)>,
    hindered: Option<CryptoError>,
}

impl Tries {
    fn is_new(&self, file: &SlotFile) -> bool {
        file.hash.is_some_and(|hash| !self.hashes.contains(&hash))
    }

    /// Whether a look at these without the lock tells as much as one under it: each slot was
    /// read and tried, and none opened that may have come into force.
    fn say_all_of(&self, files: &[SlotFile]) -> bool {
        let is_read = |one: &SlotFile| {
            let mut twins = files.iter().filter(|file| file.slot == one.slot);
            twins.any(|file| file.hash.is_some())
        };
        self.whole && self.rejected.is_empty() && files.iter().all(is_read)
    }

    /// Tries those that were not tried yet.
    fn all<T>(
        &mut self,
        mut files: Vec<SlotFile>,
        key: &dyn Opener,
        fits: &mut impl FnMut(Opened) -> Result<Fit<T>>,
    ) -> Result<Option<T>> {
        files.sort_by_cached_key(|file| {
            let bytes = file.bytes.as_deref();
            let costs = bytes.is_some_and(|bytes| bytes.starts_with(WITH_PASSPHRASE));
            (file.waits, costs)
        });
        self.damaged |= files.is_empty();
        for file in files {
            // A bad sector in one copy is what the other one is there for.
            let (Some(sealed), Some(hash)) = (&file.bytes, file.hash) else {
                self.damaged = true;
                let refused = file.refused.map(|error| (file.name, error));
                self.refused = self.refused.take().or(refused);
                continue;
            };
            if !self.is_new(&file) {
                continue;
            }
            self.hashes.push(hash);
            match key.open_slot(sealed) {
                Ok(secrets) => {
                    self.whole = true;
                    let opened = Opened {
                        name: file.slot,
                        waits: file.waits,
                        hash,
                        secrets,
                    };
                    match fits(opened)? {
                        Fit::Taken(taken) => return Ok(Some(taken)),
                        Fit::Not(opened) => self.rejected.push(opened),
                    }
                }
                Err(CryptoError::WrongKey | CryptoError::OtherKind) => self.whole = true,
                Err(CryptoError::Damaged(_) | CryptoError::TooMuchWork { .. }) => {
                    self.damaged = true;
                }
                Err(why) => self.hindered = Some(why),
            }
        }
        Ok(None)
    }

    /// Asks once more of what opened and lies there still, without opening it again.
    fn again<T>(
        &mut self,
        files: &[SlotFile],
        fits: &mut impl FnMut(Opened) -> Result<Fit<T>>,
    ) -> Result<Option<T>> {
        for opened in mem::take(&mut self.rejected) {
            let mut alike = files.iter().filter(|file| file.hash == Some(opened.hash));
            let Some(file) = alike.next() else {
                continue;
            };
            let opened = Opened {
                name: file.slot.clone(),
                waits: file.waits,
                ..opened
            };
            match fits(opened)? {
                Fit::Taken(taken) => return Ok(Some(taken)),
                Fit::Not(opened) => self.rejected.push(opened),
            }
        }
        Ok(None)
    }

    fn in_vain(self, site: &Site, key: &dyn Opener) -> Error {
        let (dir, keys) = (site.dir.clone(), site.path(keyslots::DIR));
        if self.damaged && !self.whole {
            return match self.refused {
                Some((name, error)) => Error::io("read", &keys.join(name))(error),
                None => Error::damaged(keys.display(), "no way in can be read"),
            };
        }
        match key.is_passphrase() {
            true => Error::WrongPassphrase { dir },
            false => Error::WrongIdentity { dir },
        }
    }
}
