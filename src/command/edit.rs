//! Changes what is known about a recording: title, tags, note, pin.

use super::{Context, resolve};
use crate::error::{Exit, Failure};
use crate::recording::{Card, Recording};

/// What to do with a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagChange {
    /// Put it on.
    Add(String),
    /// Take it off.
    Remove(String),
}

impl TagChange {
    /// `work` and `+work` add, `-work` takes off; a leading `#` is dropped.
    ///
    /// # Errors
    /// [`Exit::Usage`] for a tag that is empty or holds white space.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let (removes, tag) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let tag = tag.strip_prefix('#').unwrap_or(tag);
        check_tag(tag)?;
        Ok(if removes {
            Self::Remove(tag.to_owned())
        } else {
            Self::Add(tag.to_owned())
        })
    }
}

/// Whether a tag can be written in a query.
///
/// # Errors
/// [`Exit::Usage`] when it is empty, too long, or holds white space.
pub fn check_tag(tag: &str) -> Result<(), Failure> {
    let fits = !tag.is_empty() && tag.chars().count() <= 64;
    if fits && !tag.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    let why = "a tag is one word of at most 64 characters";
    Err(Failure::new(Exit::Usage, "can't use the tag", why).about(tag))
}

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
}

/// Changes the card and answers with the recording as it is now.
///
/// # Errors
/// When nothing is to be changed, the vault can't be unlocked, or there is no
/// such recording.
pub fn run(
    context: &Context,
    args: &Args,
    progress: &dyn super::Progress,
) -> Result<Recording, Failure> {
    if args.title.is_none() && args.tags.is_empty() && args.note.is_none() && args.pinned.is_none()
    {
        let why = "nothing to change was given";
        return Err(Failure::new(Exit::Usage, "can't edit", why)
            .hint("give --title, --tag, --note, --pin or --unpin"));
    }
    let vault = context.unlocked()?;
    super::merge_quietly(&vault, progress)?;
    let id = resolve::by_name(&args.id, &super::recordings(&vault, progress)?)?;
    vault.update_card(id, &mut |card| apply(card, args))?;
    Ok(vault.recording(id)?)
}

fn apply(card: &mut Card, args: &Args) {
    if let Some(title) = &args.title {
        card.title.clone_from(title);
    }
    if let Some(note) = &args.note {
        card.note.clone_from(note);
    }
    if let Some(pinned) = args.pinned {
        card.pinned = pinned;
    }
    for change in &args.tags {
        match change {
            TagChange::Add(tag) if !card.tags.contains(tag) => card.tags.push(tag.clone()),
            TagChange::Add(_) => {}
            TagChange::Remove(tag) => card.tags.retain(|known| known != tag),
        }
    }
}
