//! From what a person types to the recordings that are meant: an id, a unique
//! prefix of one, `last`, or filters.

use jiff::Zoned;

use crate::error::{Exit, Failure};
use crate::recording::{Recording, RecordingId};
use crate::search::{Filter, FilterError, last_added};

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

    /// The recordings that are meant. Never empty.
    ///
    /// # Errors
    /// [`Exit::NotFound`] when nothing is, [`Exit::Usage`] when a prefix is
    /// ambiguous.
    pub fn resolve(&self, all: &[Recording], now: &Zoned) -> Result<Vec<RecordingId>, Failure> {
        match self {
            Self::Named(names) => {
                let among: Vec<_> = all.iter().map(|recording| recording.id).collect();
                by_names(names, all, &among)
            }
            Self::Filtered(filter) => {
                let ids: Vec<RecordingId> = filter
                    .select(all, now)
                    .iter()
                    .map(|recording| recording.id)
                    .collect();
                if ids.is_empty() {
                    let why = "no recording matches the filter";
                    return Err(Failure::new(Exit::NotFound, "found nothing", why)
                        .hint("`voxvault list` shows what there is"));
                }
                Ok(ids)
            }
        }
    }
}

/// The recordings of these names, each once: ids and prefixes are looked for among
/// the ids, `last` among the recordings.
///
/// # Errors
/// As [`Selection::resolve`].
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

/// The one recording of this name.
///
/// # Errors
/// As [`Selection::resolve`].
pub fn by_name(name: &str, all: &[Recording]) -> Result<RecordingId, Failure> {
    by_name_among(name, all, all.iter().map(|recording| recording.id))
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
