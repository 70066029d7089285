//! From what a person types to the recordings that are meant: an id, a unique
//! prefix of one, `last`, or filters.

use jiff::Zoned;

use super::{Progress, tell_of_damage};
use crate::error::{Exit, Failure};
use crate::recording::{Recording, RecordingId};
use crate::search::{Filter, FilterError, last_added};
use crate::vault::{Damage, Listing, REPAIR_HINT};

/// The word for the recording that was added last.
pub const LAST: &str = "last";

/// What the words of a command line name.
#[derive(Debug, Clone, PartialEq)]
pub enum Selection {
    /// Recordings by id, prefix or `last`, in the order in which they were named.
    Named(Vec<String>),
    /// All recordings that every filter lets through.
    Filtered(Filter),
}

impl Selection {
    /// Reads the words: all ids or all filters, never free words.
    ///
    /// # Errors
    /// [`Exit::Usage`] for free words, for a mixture, and for nothing at all.
    pub fn parse(words: &[String]) -> Result<Self, Failure> {
        let unusable =
            |why: String| Failure::new(Exit::Usage, "can't tell which recordings are meant", why);
        let Some(first) = words.first() else {
            return Err(unusable("none was named".to_owned())
                .hint("name an id, `last`, or a filter such as tag:work"));
        };
        if words.iter().all(|word| looks_like_id(word)) {
            return Ok(Self::Named(words.to_vec()));
        }
        match Filter::parse(words) {
            Ok(filter) => Ok(Self::Filtered(filter)),
            Err(why) if words.len() > 1 && words.iter().any(|word| looks_like_id(word)) => {
                Err(unusable(match why {
                    FilterError::Word(word) if looks_like_id(&word) => {
                        format!("“{word}” is an id; ids and filters can't be mixed")
                    }
                    why => format!("{why}; ids and filters can't be mixed"),
                }))
            }
            Err(why) => {
                let why = why.to_string();
                Err(unusable(if words.len() == 1 {
                    why
                } else {
                    format!("{why} (near {first})")
                })
                .hint("name an id, `last`, or filters such as tag:work after:2026-01-31"))
            }
        }
    }

    /// Whether they are meant by which one was added last: that takes all of them to tell.
    #[must_use]
    pub fn asks_for_last(&self) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|name| name == LAST),
            Self::Filtered(filter) => filter.asks_for_last(),
        }
    }

    /// The recordings that are meant, of which one or more can be read; tells of all that
    /// can't be.
    ///
    /// # Errors
    /// As [`to_read`] and [`filtered`].
    pub(super) fn to_read(
        &self,
        listing: &Listing,
        now: &Zoned,
        progress: &dyn Progress,
    ) -> Result<Vec<RecordingId>, Failure> {
        match self {
            Self::Named(names) => to_read(names, listing, progress),
            Self::Filtered(filter) => {
                tell_of_damage(&listing.damaged, progress);
                filtered(filter, &listing.recordings, now)
            }
        }
    }
}

/// The recordings that a filter lets through. Never empty.
///
/// # Errors
/// [`Exit::NotFound`] when it lets none through.
pub(super) fn filtered(
    filter: &Filter,
    all: &[Recording],
    now: &Zoned,
) -> Result<Vec<RecordingId>, Failure> {
    let found = filter.select(all, now);
    let ids: Vec<RecordingId> = found.iter().map(|recording| recording.id).collect();
    if ids.is_empty() {
        let why = "no recording matches the filter";
        return Err(Failure::new(Exit::NotFound, "found nothing", why)
            .hint("`voxvault list` shows what there is"));
    }
    Ok(ids)
}

/// The recordings of these names, each once: ids and prefixes are looked for among
/// the ids, `last` among the recordings.
///
/// # Errors
/// [`Exit::NotFound`] when there is none of a name, [`Exit::Usage`] when a prefix is
/// ambiguous.
pub fn by_names(
    names: &[String],
    all: &[Recording],
    among: &[RecordingId],
) -> Result<Vec<RecordingId>, Failure> {
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        let id = by_name_among(name, all, among.iter().copied())?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// `last`, or hexadecimal digits that can be an id or the start of one.
fn looks_like_id(word: &str) -> bool {
    word == LAST || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The recordings of these names, each once, of which one or more can be read; tells of
/// all that can't be.
///
/// # Errors
/// As [`by_names`], and [`Exit::Damaged`] where the card of none that is named can be read.
pub(super) fn to_read(
    names: &[String],
    listing: &Listing,
    progress: &dyn Progress,
) -> Result<Vec<RecordingId>, Failure> {
    if let [name] = names {
        return Ok(vec![one_to_read(name, listing, progress)?]);
    }
    tell_of_damage(&listing.damaged, progress);
    let ids = by_names(names, &listing.recordings, &ids(listing))?;
    let is_damaged = |id: &RecordingId| listing.damaged.iter().any(|one| one.id == *id);
    match ids.iter().all(is_damaged) {
        false => Ok(ids),
        true => {
            let why = "none of those that are named has a card that can be read";
            Err(Failure::new(Exit::Damaged, "the recordings are damaged", why).hint(REPAIR_HINT))
        }
    }
}

/// The one recording of this name, as [`to_read`].
pub(super) fn one_to_read(
    name: &str,
    listing: &Listing,
    progress: &dyn Progress,
) -> Result<RecordingId, Failure> {
    let named = by_name_among(name, &listing.recordings, ids(listing).into_iter());
    readable(named, listing, progress)
}

/// What was named, if its card can be read; tells of the others that can't be.
///
/// # Errors
/// [`Exit::Damaged`] where it can't be, with the hint how to repair it.
pub(super) fn readable(
    named: Result<RecordingId, Failure>,
    listing: &Listing,
    progress: &dyn Progress,
) -> Result<RecordingId, Failure> {
    let is_meant = |one: &&Damage| named.as_ref().is_ok_and(|id| *id == one.id);
    let (meant, others): (Vec<_>, Vec<_>) = listing.damaged.iter().partition(is_meant);
    tell_of_damage(others, progress);
    let Some(one) = meant.first() else {
        return named;
    };
    let why = format!("its card can't be read: {}", one.why);
    let failure = Failure::new(Exit::Damaged, "the recording is damaged", why);
    Err(failure.about(one.id.short()).hint(REPAIR_HINT))
}

/// The ids of all that can be named, whether or not their cards can be read.
fn ids(listing: &Listing) -> Vec<RecordingId> {
    let whole = listing.recordings.iter().map(|recording| recording.id);
    let damaged = listing.damaged.iter().map(|one| one.id);
    whole.chain(damaged).collect()
}

/// The one recording of this name, as [`by_names`].
pub(super) fn by_name_among(
    name: &str,
    all: &[Recording],
    ids: impl Iterator<Item = RecordingId>,
) -> Result<RecordingId, Failure> {
    let missing = |why: &str| {
        Failure::new(Exit::NotFound, "no such recording", why)
            .about(name)
            .hint("`voxvault list` shows the ids")
    };
    if name == LAST {
        return last_added(all).ok_or_else(|| missing("the vault is empty"));
    }
    let unusable = |why: String| Failure::new(Exit::Usage, "can't use the id", why).about(name);
    if !looks_like_id(name) {
        return Err(
            unusable("an id is made of the digits 0-9 and a-f".to_owned())
                .hint("`voxvault list` shows the ids; `last` is the one added last"),
        );
    }
    if name.len() < RecordingId::MIN_PREFIX {
        return Err(unusable("it is too short".to_owned())
            .hint(format!("give at least {} digits", RecordingId::MIN_PREFIX)));
    }
    let prefix = name.to_ascii_lowercase();
    let mut found: Vec<RecordingId> = ids
        .filter(|id| id.to_string().starts_with(&prefix))
        .collect();
    found.dedup();
    match found.as_slice() {
        [] => Err(missing("no id begins so")),
        [id] => Ok(*id),
        several => {
            let ids: Vec<String> = several.iter().take(4).map(|id| id.short()).collect();
            Err(unusable(format!(
                "{} ids begin so: {} …",
                several.len(),
                ids.join(", ")
            ))
            .hint("give more digits"))
        }
    }
}
