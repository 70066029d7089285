//! Which keys open a backup, and whose it has to be.
//!
//! With `--from-identity` it is whatever that file holds, and the backup may be
//! anybody's. Otherwise it is the vault's own keys. Where there is no vault, the backup
//! is not its own, or that file opens no segment, it is what the copies of the ways in
//! give away that lie beside the segments. So a machine that is lost costs nothing, and
//! a recovery key opens every backup.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Context;
use crate::backup::layout::MOST_SLOT_BYTES;
use crate::backup::verify::{Known, Opener, Own};
use crate::backup::{self, Found, Keys, Source, Trust};
use crate::crypto::{Asker, BackupIdentity, CryptoError, Identities, Key, Passphrase, SlotSecrets};
use crate::error::{Exit, Failure};
use crate::vault::OpenVault;

/// A file of keys is never longer.
const MOST_FILE_BYTES: u64 = 64 * 1024;
/// How an identity file begins that is under a passphrase.
const SEALED_FILE: &[u8] = b"age-encryption.org/v1\n-> scrypt ";

/// What opens a backup.
pub(super) enum Openers {
    /// Keys of a vault.
    Vault(Vec<BackupIdentity>),
    /// Keys that somebody gave.
    Given(Identities),
}

/// What opens a backup, and whose it has to be.
pub(super) struct Access {
    pub(super) openers: Openers,
    pub(super) trust: Trust,
    /// The copy of a way in that gave them away, if one did.
    pub(super) slot: Option<String>,
}

impl Access {
    /// The keys of a vault, for its own backups.
    ///
    /// # Errors
    /// When the vault can't be read.
    pub(super) fn of_vault(vault: &OpenVault) -> Result<Self, Failure> {
        let keys = vault.backup_keys()?;
        Ok(Self {
            openers: Openers::Vault(keys.identities),
            trust: Trust::Vault {
                vault: keys.vault,
                signer: keys.signer,
            },
            slot: None,
        })
    }

    /// The keys in a file, for anybody's backups; but for those of this vault, which
    /// it has to have signed itself.
    ///
    /// # Errors
    /// When the file can't be read or holds no keys.
    pub(super) fn of_file(
        context: &Context,
        file: &Path,
        vault: Option<&OpenVault>,
        asker: &Arc<dyn Asker>,
    ) -> Result<Self, Failure> {
        let name = file.display().to_string();
        let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_FILE_BYTES as usize + 1));
        fs::File::open(file)
            .and_then(|opened| opened.take(MOST_FILE_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| unreadable(&name, &error))?;
        let identities = read(context, &bytes, &name, asker)?;
        let trust = match vault.map(OpenVault::backup_keys).transpose()? {
            Some(own) => Trust::OthersAnd {
                vault: own.vault,
                signer: own.signer,
            },
            None => Trust::Anybody,
        };
        Ok(Self {
            openers: Openers::Given(identities),
            trust,
            slot: None,
        })
    }

    /// The keys in a file, for the backup that lies there, or those that its ways in
    /// give to them: whoever has the key to one of these opens every segment.
    ///
    /// # Errors
    /// As [`of_file`](Self::of_file).
    pub(super) fn of_file_for(
        context: &Context,
        file: &Path,
        at: &Path,
        vault: Option<&OpenVault>,
        asker: &Arc<dyn Asker>,
    ) -> Result<Self, Failure> {
        let given = Self::of_file(context, file, vault, asker)?;
        let (false, Some(dir)) = (given.opens(at), slots_dir(at)) else {
            return Ok(given);
        };
        let Self {
            openers: Openers::Given(identities),
            trust,
            slot,
        } = given
        else {
            return Ok(given);
        };
        let key = Key::from(identities);
        let beside = Self::of_slots(dir, &key, vault)?;
        Ok(match (beside, key) {
            (Some(beside), _) => beside,
            (None, Key::Identities(identities)) => Self {
                openers: Openers::Given(identities),
                trust,
                slot,
            },
            (None, Key::Passphrase(_)) => return Err(no_slot(at)),
        })
    }

    /// Whether they open any of what lies there.
    pub(super) fn opens(&self, at: &Path) -> bool {
        let keys = self.keys();
        keys.is_ok_and(|keys| backup::opens(at, &keys, &self.trust))
    }

    /// The keys that the copies of the ways in beside a backup give to this key; `None`
    /// if it opens none of them. What says that it is of this vault has to be signed by
    /// it, whatever the copy says: whoever knows a recipient can make one.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub(super) fn of_slots(
        dir: &Path,
        key: &Key,
        vault: Option<&OpenVault>,
    ) -> Result<Option<Self>, Failure> {
        let own = vault.map(OpenVault::backup_keys).transpose()?;
        let failed = |error: std::io::Error| {
            Failure::new(Exit::Failed, "can't read the backup", error.to_string())
                .about(dir.display())
        };
        for entry in fs::read_dir(dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !matches!(Found::parse(&name), Found::Slot(_)) {
                continue;
            }
            let mut sealed = Vec::new();
            // A damaged copy must not stand in the way of another.
            let Ok(file) = backup::open(&name, &path) else {
                continue;
            };
            if file.take(MOST_SLOT_BYTES).read_to_end(&mut sealed).is_err() {
                continue;
            }
            if let Ok(secrets) = SlotSecrets::open_with(&sealed, key) {
                let mut identities = vec![secrets.backup];
                identities.extend(secrets.former);
                let own = own.filter(|own| own.vault == secrets.vault);
                return Ok(Some(Self {
                    openers: Openers::Vault(identities),
                    trust: Trust::Vault {
                        vault: secrets.vault,
                        signer: own.map_or(secrets.signer, |own| own.signer),
                    },
                    slot: Some(name.into_owned()),
                }));
            }
        }
        Ok(None)
    }

    /// How it is told that the work on the backup that lies there, or on a stream, could not
    /// be done: where none of these keys opens a file of it, which file, and what would.
    pub(super) fn explain(&self, at: Option<&Path>, error: backup::Error) -> Failure {
        let backup::Error::Locked { which } = error else {
            return error.into();
        };
        let why = match (&self.openers, &self.slot) {
            (Openers::Given(keys), _) => keys.hindrance().map_or_else(
                || "no key in the file that was given opens it".to_owned(),
                |why| why.to_string(),
            ),
            (Openers::Vault(_), Some(slot)) => format!("{slot} opens, and what it holds does not"),
            (Openers::Vault(_), None) => "no key of this vault opens it".to_owned(),
        };
        let file = match at {
            Some(dir) if dir.is_dir() => dir.join(which).display().to_string(),
            Some(file) => file.display().to_string(),
            None => which,
        };
        let failure = Failure::new(Exit::Locked, "can't open the backup", why);
        failure.about(file).hint(other_keys(at))
    }

    /// What is known of a backup, beside what lies in it.
    pub(super) fn known<'a>(&'a self, own: Option<&'a Own>) -> Known<'a> {
        Known {
            trust: &self.trust,
            own,
            opened: self.slot.as_deref(),
        }
    }

    /// For who reads segment after segment.
    ///
    /// # Errors
    /// When a plugin is missing.
    pub(super) fn keys(&self) -> Result<Keys<'_>, Failure> {
        Ok(match &self.openers {
            Openers::Vault(identities) => Keys::of_backups(identities),
            Openers::Given(identities) => Keys::given(identities)?,
        })
    }

    /// For who reads several at a time.
    pub(super) fn opener(&self) -> Opener<'_> {
        match &self.openers {
            Openers::Vault(identities) => Opener::Vault(identities),
            Openers::Given(identities) => Opener::Given(identities),
        }
    }
}

/// The identities in a file. One that is under a passphrase is tried with the one that was
/// given without asking, if there is one, before anybody is asked; where nobody can be, it
/// is told what is wrong with that one.
fn read(
    context: &Context,
    bytes: &[u8],
    name: &str,
    asker: &Arc<dyn Asker>,
) -> Result<Identities, Failure> {
    let mut in_vain = None;
    if bytes.starts_with(SEALED_FILE) {
        match context.passphrase_beside() {
            Ok(None) => {}
            Ok(Some(given)) => match read_with(&given, bytes, name, asker) {
                Err(wrong @ CryptoError::WrongPassphraseOf { .. }) => {
                    let hint = "--passphrase-file FILE gives the passphrase of its time";
                    in_vain = Some(unreadable(name, &wrong).hint(hint));
                }
                read => return read.map_err(|error| unreadable(name, &error)),
            },
            Err(failure) => in_vain = Some(failure),
        }
    }
    match (Identities::read(bytes, name, asker), in_vain) {
        (Err(CryptoError::Unasked { .. }), Some(failure)) => Err(failure),
        (read, _) => read.map_err(|error| unreadable(name, &error)),
    }
}

/// The identities in a file that is under this passphrase.
fn read_with(
    given: &Passphrase,
    bytes: &[u8],
    name: &str,
    asker: &Arc<dyn Asker>,
) -> Result<Identities, CryptoError> {
    for form in given.forms() {
        let answer = Zeroizing::new(form.to_owned());
        let asker = Arc::clone(asker);
        let given: Arc<dyn Asker> = Arc::new(Given { answer, asker });
        match Identities::read(bytes, name, &given) {
            Err(CryptoError::WrongPassphraseOf { .. }) => {}
            read => return read,
        }
    }
    Err(CryptoError::WrongPassphraseOf {
        of: name.to_owned(),
    })
}

fn unreadable(name: &str, why: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Locked, "can't read the identity", why.to_string()).about(name)
}

/// Answers a question for a passphrase with one that was given; what else there is to ask,
/// somebody else is asked.
struct Given {
    answer: Zeroizing<String>,
    asker: Arc<dyn Asker>,
}

impl Asker for Given {
    fn tell(&self, message: &str) {
        self.asker.tell(message);
    }

    fn ask(&self, what: &str) -> Option<String> {
        self.asker.ask(what)
    }

    fn ask_secret(&self, _: &str) -> Option<Zeroizing<String>> {
        Some(self.answer.clone())
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        self.asker.confirm(message, yes, no)
    }
}

/// The keys for a backup that lies somewhere: from a file if one was named, else the
/// vault's, else those of the ways in beside it.
///
/// # Errors
/// When there are none.
pub(super) fn find(
    context: &Context,
    at: &Path,
    from_identity: Option<&Path>,
    asker: &Arc<dyn Asker>,
) -> Result<Access, Failure> {
    // What is not there needs no key.
    Source::find(at)?;
    if let Some(file) = from_identity {
        let open = match crate::vault::Vault::exists(&context.paths.vault) {
            true => context.unlocked_quietly()?,
            false => None,
        };
        return Access::of_file_for(context, file, at, open.as_deref(), asker);
    }
    if crate::vault::Vault::exists(&context.paths.vault) {
        return Access::of_vault(&*context.unlocked()?);
    }
    let key = context.key()?;
    let found = match slots_dir(at) {
        Some(dir) => Access::of_slots(dir, &key, None)?,
        None => None,
    };
    found.ok_or_else(|| no_slot(at))
}

/// Where copies of the ways in lie: in the folder, or beside the file.
pub(super) fn slots_dir(at: &Path) -> Option<&Path> {
    match at.is_dir() {
        true => Some(at),
        false => at.parent().map(|dir| match dir.as_os_str().is_empty() {
            true => Path::new("."),
            false => dir,
        }),
    }
}

/// That nothing which was given opens one of the ways in beside a backup.
pub(super) fn no_slot(at: &Path) -> Failure {
    let why = match a_slot(at) {
        Some(_) => "what was given opens none of the ways in that lie there",
        None => "no copy of a way in lies there that could be opened",
    };
    let failure = Failure::new(Exit::Locked, "can't open the backup", why);
    failure.about(at.display()).hint(match a_slot(at) {
        Some(_) => "give the passphrase of its time, or another key with --from-identity FILE",
        None => KEY_FILE,
    })
}

/// What else opens a backup of which no copy of a way in is at hand.
pub(super) const KEY_FILE: &str =
    "--from-identity FILE gives the key: what `voxvault key export` wrote is one";

/// What else may open a backup.
fn other_keys(at: Option<&Path>) -> String {
    match at.and_then(a_slot) {
        Some(slot) => format!(
            "--from-identity {} asks for the passphrase of its time; an identity or a recovery \
             key can stand there as well",
            slot.display()
        ),
        None => KEY_FILE.to_owned(),
    }
}

/// A copy of a way in beside a backup; the one under a passphrase, if there is one.
fn a_slot(at: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(slots_dir(at)?).ok()?;
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    let is_slot = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        matches!(Found::parse(&name), Found::Slot(_))
    };
    let is_other = |path: &PathBuf| path.file_stem() != Some("passphrase".as_ref());
    paths
        .filter(is_slot)
        .min_by_key(|path| (is_other(path), path.clone()))
}
