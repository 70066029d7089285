//! Being sure which recording was added last, for who destroys or changes it: one that can't
//! be read, or did not come in yet, may be it.

use super::resolve::{self, LAST};
use super::{Progress, outside, waits};
use crate::error::{Exit, Failure};
use crate::recording::RecordingId;
use crate::vault::{Listing, MergeReport, OpenVault};

/// That what is meant can't be told from the cards.
pub(super) fn in_doubt(why: impl Into<String>) -> Failure {
    Failure::new(Exit::Damaged, "can't tell which recordings are meant", why)
        .hint("name recordings by their ids, or repair first: voxvault verify --repair")
}

/// Whether the last of these is the last of all.
///
/// # Errors
/// [`Exit::Damaged`] where a card or a file of the inbox can't be read.
pub(super) fn is_sure(listing: &Listing, merged: &MergeReport) -> Result<(), Failure> {
    if let Some(one) = listing.damaged.first() {
        let id = one.id.short();
        let why = format!("the card of {id} can't be read: {}", one.why);
        return Err(in_doubt(why));
    }
    if let Some(one) = merged.refused.first() {
        let why = format!("{} in the inbox can't be read: {}", one.file, one.why);
        return Err(in_doubt(why));
    }
    Ok(())
}

/// The one recording of this name, which is to be changed. Tells of those that can't be
/// read.
///
/// # Errors
/// As [`resolve::by_names`], where its card can't be read, where it is being made or waits in
/// the inbox, and for `last` where that may be another one. `what` can't be done then.
pub(super) fn to_change(
    vault: &OpenVault,
    name: &str,
    merged: &MergeReport,
    what: &str,
    progress: &dyn Progress,
) -> Result<RecordingId, Failure> {
    outside::refuse_running(vault, &[name.to_owned()], what)?;
    let listing = vault.listing()?;
    if name == LAST {
        if let Some(flaw) = vault.store_flaw()? {
            return Err(in_doubt(flaw.to_string()));
        }
        is_sure(&listing, merged)?;
        if let Some(stopped) = merged.stopped.as_ref().filter(|_| merged.waiting > 0) {
            let why = format!("{} in the inbox", waits(merged.waiting));
            let what = "can't tell which recording is meant";
            return Err(
                Failure::new(stopped.exit, what, why).hint(match stopped.exit {
                    Exit::NoSpace => {
                        "make room so that it can come in, or name the recording by its id"
                    }
                    _ => "name the recording by its id",
                }),
            );
        }
    }
    // Of one that can't be read, that is what is wrong with it, and not its name.
    let named = resolve::by_name_among(name, &listing.recordings, vault.ids()?.into_iter());
    let id = resolve::readable(named, &listing, progress)?;
    outside::refuse_waiting(vault, |waiting| waiting == id, merged, what)?;
    Ok(id)
}
