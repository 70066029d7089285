//! What is destroyed for good: recordings or a part of them, by name or by the rules.

use std::sync::atomic::Ordering;

use super::OpenVault;
use crate::recording::{Moment, RecordingId};
use crate::retention::Trust;
use crate::vault::destroy::forget;
use crate::vault::destroy::receipt::Receipt;
use crate::vault::destroy::redact::{self, Redacted, Redaction};
use crate::vault::destroy::shred::{self, ShredScope};
use crate::vault::destroy::sweep::{self, Outlook, Sweep};
use crate::vault::error::Result;

impl OpenVault {
    /// Makes the card as it is now the only revision of it that any key opens:
    /// titles, tags and notes it had before are gone for good. One rotation; who
    /// transcribes the recording meanwhile is not disturbed.
    ///
    /// # Errors
    /// [`Error::NotFinal`](crate::vault::Error::NotFinal) if it is in force and the key before could not be
    /// overwritten; asking again finishes it.
    pub fn forget_revisions(&self, id: RecordingId) -> Result<()> {
        self.session
            .with(|held| forget::forget(held, id)?.finally().map(drop))
    }

    /// Whether these can be shredded now.
    ///
    /// # Errors
    /// [`Error::Running`](crate::vault::Error::Running) if one of them is being recorded, [`Error::NoRecording`](crate::vault::Error::NoRecording)
    /// if one is not there.
    pub fn check_shred(&self, ids: &[RecordingId]) -> Result<()> {
        self.session.with(|held| shred::check(held, ids))
    }

    /// Destroys recordings for good, or only their sound; one rotation for all
    /// of them. `progress` hears of steps done and steps in all. See
    /// [`Receipt::failure`].
    ///
    /// # Errors
    /// [`Error::Running`](crate::vault::Error::Running) if one of them is being recorded; then nothing is
    /// destroyed.
    pub fn shred(
        &self,
        ids: &[RecordingId],
        scope: ShredScope,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Receipt> {
        self.session
            .with(|held| shred::shred(held, ids, scope, progress))
    }

    /// Whether the retention rules are still to be applied since it was unlocked; asked
    /// again, no.
    pub fn begin_sweeping(&self) -> bool {
        !self.rules_applied.swap(true, Ordering::Relaxed)
    }

    /// What the retention rules say of everything, at this moment.
    pub fn outlook(&self, now: Moment) -> Result<Outlook> {
        self.session.with(|held| Ok(sweep::look(held, now)))
    }

    /// Destroys what the retention rules say is over at this moment, but for those that
    /// are spared; one rotation for all of it. `progress` hears of steps done and steps
    /// in all.
    ///
    /// # Errors
    /// When the keys can't be rotated; then nothing is destroyed. What could not be
    /// overwritten is in the receipt.
    pub fn sweep(
        &self,
        now: Moment,
        trust: Trust,
        spared: &[RecordingId],
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Sweep> {
        self.session
            .with(|held| sweep::sweep(held, now, trust, spared, progress))
    }

    /// Takes a span out of a recording for good: it gets new keys and the next
    /// epoch, and what was sealed under the old ones is as dead as what was
    /// shredded. `progress` hears of segments done and segments in all. See
    /// [`Receipt::failure`].
    ///
    /// # Errors
    /// [`Error::Running`](crate::vault::Error::Running) if it is being recorded, [`Error::Damaged`](crate::vault::Error::Damaged) if its card
    /// can't be read; then it stays as it is.
    pub fn redact(
        &self,
        id: RecordingId,
        redaction: &dyn Redaction,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Redacted> {
        self.session
            .with(|held| redact::redact(held, id, redaction, progress))
    }
}
