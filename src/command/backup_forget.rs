//! Lets the vault forget a backup that is no more, so that receipts do not name it
//! for ever.
//!
//! Nothing of the backup is touched. One that is still there goes on holding what is
//! shredded, and no receipt will say so: whoever calls asks first, and says it.

use std::path::{self, Path, PathBuf};
use std::sync::Arc;

use super::Context;
use super::backup::is_there;
use crate::backup::Digits;
use crate::backup::write::STREAM;
use crate::error::{Exit, Failure};
use crate::vault::bag::KnownBackup;
use crate::vault::{Deed, OpenVault};

/// The fewest digits by which a backup is named.
const FEWEST_DIGITS: usize = 4;

/// A backup that is about to be forgotten.
pub struct Plan {
    vault: Arc<OpenVault>,
    /// What the vault knows of it.
    pub known: KnownBackup,
    /// Whether there are segments in its place, of it or of another one.
    pub still_there: bool,
}

/// Finds the backup: by its place as `backup list` tells it, `-` for all streams, or
/// by the digits of its id.
///
/// # Errors
/// When the vault can't be unlocked, knows no such backup, or knows more than one.
pub fn plan(context: &Context, name: &Path) -> Result<Plan, Failure> {
    let vault = context.unlocked()?;
    vault.vault().may_write()?;
    let (places, digits) = (places(name), digits(name));
    // As it is noted, where it is no text too.
    let is_at = |one: &KnownBackup, place: &PathBuf| place.display().to_string() == one.path;
    let is_meant = |one: &KnownBackup| {
        places.iter().any(|place| is_at(one, place))
            || digits
                .as_ref()
                .is_some_and(|digits| id(one).starts_with(digits))
    };
    let mut known = vault.settings()?.backups;
    known.retain(is_meant);
    let refused =
        |exit, why: &str| Failure::new(exit, "can't forget the backup", why).about(name.display());
    if known.len() > 1 {
        let ids: Vec<String> = known.iter().map(id).collect();
        let hint = format!("name one by its id: {}", ids.join(", "));
        return Err(refused(Exit::Usage, "several were made there").hint(hint));
    }
    let known = known.pop().ok_or_else(|| {
        refused(Exit::NotFound, "the vault knows of none of that name")
            .hint("`voxvault backup list` tells those that it knows")
    })?;
    let mut meant = places.iter().filter(|place| is_at(&known, place));
    Ok(Plan {
        still_there: is_there(known.path.as_ref()) || meant.any(|place| is_there(place)),
        known,
        vault,
    })
}

impl Plan {
    /// Forgets it; the entry in the log is durable before.
    ///
    /// # Errors
    /// When the vault can't be written.
    pub fn run(&self) -> Result<(), Failure> {
        let detail = format!("forgotten: {}", self.known.path);
        self.vault.log(Deed::Backup, &[], &detail)?;
        let id = self.known.id;
        self.vault
            .change_settings(&mut |settings| settings.backups.retain(|one| one.id != id))?;
        Ok(())
    }
}

/// Its id in digits.
#[must_use]
pub fn id(known: &KnownBackup) -> String {
    Digits(known.id).to_string()
}

/// How the place may be written down: a folder that is gone has no other name than
/// the one it is called by.
fn places(name: &Path) -> Vec<PathBuf> {
    if name == Path::new(STREAM) {
        return vec![name.to_owned()];
    }
    let given = Some(name.to_owned());
    let all = [given, path::absolute(name).ok(), name.canonicalize().ok()];
    all.into_iter().flatten().collect()
}

fn digits(name: &Path) -> Option<String> {
    let digits = name.to_str()?.to_ascii_lowercase();
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (digits.len() >= FEWEST_DIGITS && are_digits).then_some(digits)
}
