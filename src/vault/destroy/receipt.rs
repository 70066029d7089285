//! What was destroyed for good, and what is out of reach: the one form in which
//! shredding, redaction and scrubbing answer.

use super::{reach, strangers};
use crate::error::{Exit, Failure};
use crate::recording::RecordingId;
use crate::vault::error::Error;
use crate::vault::keys::rotation::{Leftover, Rotated};
use crate::vault::session::Held;

/// What was destroyed, and what is out of reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The recordings that were shredded; none for a redaction or a scrub.
    pub shredded: Vec<Shredded>,
    /// What was erased, a line each.
    pub erased: Vec<String>,
    /// What could not be erased.
    pub not_erased: Vec<NotErased>,
    /// Backups made while the vault still held it.
    pub backups_still_holding: Vec<Backup>,
    /// Why it is not final, if it is not: an older generation of the keys could
    /// not be overwritten, and with the passphrase it still opens what is to be
    /// gone.
    pub not_final: Option<String>,
}

impl Receipt {
    /// What is not erased where a file of the inbox stays.
    pub(super) const INBOX_FILE: &str = "a sealed inbox file, without a key";

    /// What is not erased where root slots lie of which it can't be told whose they are.
    pub(super) const UNTOLD_ROOT: &str = "root slots of a vault";

    /// The file that may still open the vault, and may be another's.
    #[must_use]
    pub fn untold_root(&self) -> Option<&str> {
        let mut not_erased = self.not_erased.iter();
        let file = not_erased.find(|one| one.what == Self::UNTOLD_ROOT)?;
        Some(&file.where_)
    }

    /// The failure to end with, if what was done is not final, or a file of what was
    /// destroyed is still there.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let Some(why) = self.not_final.as_ref() else {
            return self.file_left();
        };
        let what = match self.shredded.is_empty() {
            true => "the redaction is not final",
            false => "the shred is not final",
        };
        Some(Failure::new(Exit::Failed, what, why.clone()).hint(
            "once the disk takes writes again, `voxvault passwd` overwrites it all once more",
        ))
    }

    fn file_left(&self) -> Option<Failure> {
        let mut not_erased = self.not_erased.iter();
        let file = not_erased.find(|one| one.what == Self::INBOX_FILE)?;
        let what = "a file of it is still there";
        Some(
            Failure::new(Exit::Failed, what, file.why.clone())
                .about(&file.where_)
                .hint("no key opens it any more; the next command tries to take it away again"),
        )
    }

    /// Bytes of sealed sound that the shredded recordings had, as far as that is known.
    #[must_use]
    pub fn audio_bytes(&self) -> u64 {
        self.shredded.iter().filter_map(|one| one.audio_bytes).sum()
    }

    /// A receipt that says where `what` is out of reach of everything that
    /// destroys.
    pub(super) fn begin(held: &Held<'_>, what: &str) -> Self {
        let backups = held.bag().settings.backups.iter();
        let kept = held.store().kept().unwrap_or_default();
        let kept = kept.iter().map(|path| NotErased {
            what: "sealed bytes, without a key".into(),
            where_: path.display().to_string(),
            why: "a repair kept it as it was".into(),
        });
        Self {
            shredded: Vec::new(),
            erased: Vec::new(),
            not_erased: reach::of(held.dir(), what)
                .into_iter()
                .chain(kept)
                .collect(),
            backups_still_holding: backups
                .map(|backup| Backup {
                    path: backup.path.clone(),
                    made_at_ms: backup.made_at_ms,
                })
                .collect(),
            not_final: None,
        }
    }

    /// The same, naming only the backups that were made with this generation or later:
    /// those before it can't hold what was destroyed.
    pub(super) fn held_since(mut self, held: &Held<'_>, since: u64) -> Self {
        let known = &held.bag().settings.backups;
        let holds = |backup: &Backup| {
            known.iter().any(|known| {
                (&known.path, known.made_at_ms) == (&backup.path, backup.made_at_ms)
                    && known.may_hold(since)
            })
        };
        self.backups_still_holding.retain(holds);
        self
    }

    /// The same for a rotation that destroyed these keys, and what it could not
    /// overwrite. Copies of them that lie beside are overwritten now.
    pub(super) fn of_keys(held: &Held<'_>, keys: &str, mut rotated: Rotated) -> Self {
        let strangers = strangers::overwrite(held, &mut rotated);
        let leftovers = &rotated.leftovers;
        let mut receipt = Self::begin(held, "older generations of the keys");
        if leftovers.is_empty() {
            receipt.erased.push(format!(
                "{keys}: overwritten in root.a, root.b and the headers of both bags"
            ));
        }
        let left = leftovers.iter().map(|Leftover { why }| NotErased {
            what: format!("{keys}, in the generation before"),
            where_: match why {
                Error::NotFinal { path, .. } => path.display().to_string(),
                _ => held.dir().display().to_string(),
            },
            why: why.to_string(),
        });
        // Both steps may have failed at the same file, for the same reason.
        let mut once: Vec<NotErased> = Vec::new();
        for one in left {
            if !once.contains(&one) {
                once.push(one);
            }
        }
        // What matters most comes first.
        receipt.not_erased.splice(0..0, once);
        receipt.erased.extend(strangers.erased);
        receipt.not_erased.extend(strangers.left);
        Self {
            not_final: leftovers.first().map(|leftover| leftover.why.to_string()),
            ..receipt
        }
    }
}

/// A recording that was shredded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shredded {
    /// The recording.
    pub id: RecordingId,
    /// Bytes of sealed sound that it had; `None` where neither its card nor its rows can be
    /// read, so that nobody knows.
    pub audio_bytes: Option<u64>,
    /// Transcripts that were destroyed; `None` where that is not known either.
    pub transcripts: Option<u32>,
}

/// Something that is out of reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotErased {
    /// What.
    pub what: String,
    /// Where it may be.
    pub where_: String,
    /// Why it could not be erased.
    pub why: String,
}

/// A backup that holds what was destroyed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Where it was written.
    pub path: String,
    /// When, milliseconds since 1970-01-01T00:00:00Z.
    pub made_at_ms: i64,
}
