//! Changes what is known about a recording: title, tags, note, pin; and what was
//! said, as a transcript version more.

use super::tag::TagChange;
use super::{Context, last};
use crate::error::{Exit, Failure};
use crate::recording::{Card, Recording, is_same_tag, shown_tag};
use crate::transcript::Transcript;

/// What to change; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct Args {
    /// An id, a prefix of one, or `last`.
    pub id: String,
    /// The new title.
    pub title: Option<String>,
    /// Tags to put on or take off, in order.
    pub tags: Vec<TagChange>,
    /// The new note.
    pub note: Option<String>,
    /// Whether retention rules leave it alone.
    pub pinned: Option<bool>,
    /// What becomes of titles, tags and notes that it had before.
    pub revisions: Revisions,
}

/// What becomes of what the card said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Revisions {
    /// The vault's free pages may keep it, sealed, and the passphrase opens it.
    #[default]
    Leave,
    /// No key is left that opens it.
    Forget,
}

impl Args {
    /// Whether there is anything to be done.
    #[must_use]
    pub fn changes_anything(&self) -> bool {
        self.changes_the_card() || self.revisions == Revisions::Forget
    }

    fn changes_what_rules_go_by(&self) -> bool {
        self.pinned.is_some() || !self.tags.is_empty()
    }

    fn changes_the_card(&self) -> bool {
        self.title.is_some()
            || !self.tags.is_empty()
            || self.note.is_some()
            || self.pinned.is_some()
    }
}

/// Changes the card, forgets what it said before if that is asked for, and
/// answers with the recording as it is now. Where a pin or tags change, the retention
/// rules are applied behind that, and leave this one alone until the next time.
///
/// # Errors
/// When nothing is to be changed, the vault can't be unlocked, or there is no
/// such recording. When forgetting could not be made final, the message says
/// where; the change is in force then.
pub fn run(
    context: &Context,
    args: &Args,
    progress: &dyn super::Progress,
) -> Result<Recording, Failure> {
    if !args.changes_anything() {
        let why = "nothing to change was given";
        return Err(Failure::new(Exit::Usage, "can't edit", why)
            .hint("give --title, --tag, --note, --pin, --unpin, --text or --forget"));
    }
    let vault = context.unlocked()?;
    let report = match args.changes_what_rules_go_by() {
        true => super::merge_only(&vault, progress)?,
        false => super::merge_quietly(&vault, progress)?,
    };
    let id = last::to_change(&vault, &args.id, &report, "can't edit", progress)?;
    if args.changes_the_card() {
        let mut missing = Vec::new();
        vault.update_card(id, &mut |card| missing = apply(card, args))?;
        for tag in missing {
            let (id, tag) = (id.short(), shown_tag(&tag));
            progress.note(&format!("{id}: there was no tag {tag} to take off"));
        }
    }
    if args.changes_what_rules_go_by() {
        // Only now: a pin or a tag may be what is to save it. A pin or a tag that was
        // taken off destroys nothing in the same breath.
        let spared = [report.merged.as_slice(), &[id]].concat();
        super::retain::at_unlock(&vault, &spared, progress);
    }
    if args.revisions == Revisions::Forget {
        vault.forget_revisions(id)?;
        for backup in vault.settings()?.backups {
            progress.note(&format!(
                "the backup {} still holds what it said before",
                backup.path
            ));
        }
    }
    Ok(vault.recording(id)?)
}

/// A transcript that is about to be edited.
pub struct Draft {
    /// The recording it belongs to.
    pub recording: Recording,
    /// The version's number.
    pub number: u32,
    /// What it says.
    pub transcript: Transcript,
}

/// The newest transcript of the recording of this name.
///
/// # Errors
/// When the vault can't be unlocked, there is no such recording, or it has no
/// transcript yet.
pub fn draft(
    context: &Context,
    name: &str,
    progress: &dyn super::Progress,
) -> Result<Draft, Failure> {
    let vault = context.unlocked()?;
    let report = super::merge_quietly(&vault, progress)?;
    let id = last::to_change(&vault, name, &report, "can't edit", progress)?;
    let recording = vault.recording(id)?;
    let Some(newest) = recording.versions.last() else {
        let why = "it has no transcript yet";
        return Err(Failure::new(Exit::NotFound, "nothing to edit", why)
            .about(id.short())
            .hint("`voxvault transcribe` makes one"));
    };
    let number = newest.number;
    let transcript = vault.transcript(id, number)?;
    Ok(Draft {
        recording,
        number,
        transcript,
    })
}

/// Stores what a draft says now, one line for each of its segments, as a new
/// version; its number, or `None` if it says the same.
///
/// # Errors
/// When the vault can't be written, or the recording was shredded meanwhile.
pub fn keep(context: &Context, draft: &Draft, lines: &[String]) -> Result<Option<u32>, Failure> {
    let vault = context.unlocked()?;
    let edited = draft.transcript.edited(draft.number, lines, vault.now());
    let Some(edited) = edited else {
        return Ok(None);
    };
    let Recording { id, epoch, .. } = draft.recording;
    let number = vault.add_transcript(id, epoch, &edited)?;
    Ok(Some(number))
}

/// Changes the card; the tags that were to be taken off and were not there.
fn apply(card: &mut Card, args: &Args) -> Vec<String> {
    if let Some(title) = &args.title {
        card.title.clone_from(title);
    }
    if let Some(note) = &args.note {
        card.note.clone_from(note);
    }
    if let Some(pinned) = args.pinned {
        card.pinned = pinned;
    }
    let mut missing = Vec::new();
    for change in &args.tags {
        match change {
            TagChange::Add(tag) if !card.tags.contains(tag) => card.tags.push(tag.clone()),
            TagChange::Add(_) => {}
            TagChange::Remove(tag) => {
                let before = card.tags.len();
                card.tags.retain(|known| !is_same_tag(known, tag));
                if card.tags.len() == before {
                    missing.push(tag.clone());
                }
            }
        }
    }
    missing
}
