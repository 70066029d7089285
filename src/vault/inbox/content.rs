//! Reads a file of the inbox through, and tells what damage did from what a power cut did.
//!
//! What was acknowledged is kept and named whatever happened to it. Only what nobody was
//! promised is dropped: a recording that had no sound yet, and an import that had not
//! come to its end. Nothing here changes a file.

use super::frames::Frames;
use super::holes;
use super::intake::{self, FIRST_FRAME_BYTES, First};
use super::merge::open;
use super::report::Refusal;
use super::sectors::{Gone, Reading, past_bad};
use super::sequential::Sequential;
use super::survey::{AT_ONCE_BYTES, Survey, survey};
use crate::crypto::ClipKeys;
use crate::recording::RecordingId;
use crate::vault::error::{Error, Result};
use crate::vault::ground::disk::DiskFile;
use crate::vault::inbox;
use crate::vault::keys::bag::{Clip, Extent};
use crate::vault::session::Held;

/// What a file of the inbox holds.
pub(in crate::vault) enum Content {
    /// A recording, or what damage left of one, and what could not be read of it.
    Some(ClipKeys, Box<Survey>, Gone),
    /// Its recorder died before it had recorded anything.
    Empty,
    /// An import that was cut off before its end.
    Unended,
    /// It can't be read, or nothing opens it.
    Refused(Refusal),
}

/// Reads a file of the inbox that no row of the store was made of, from first to last.
pub(in crate::vault) fn read_through(
    held: &Held<'_>,
    id: RecordingId,
    reading: Reading,
) -> Result<Content> {
    let path = inbox::path(held.dir(), id);
    let trouble = |source| Error::io("read", &path)(source);
    // Looked at first: what ends meanwhile has its card before the mark goes.
    let end = end_of(held, id)?;
    let gone = Gone::default();
    let (keys, mut frames, first) = match begin_past(held, id, end, reading, &gone) {
        Begun::With(keys, frames, first) => (keys, frames, first),
        Begun::Empty => return Ok(Content::Empty),
        Begun::Refused(why) => return Ok(Content::Refused(why)),
    };
    let mut survey = match survey(&mut frames, id, &keys, trouble) {
        Ok(survey) => survey,
        Err(error) => return Ok(Content::Refused(Refusal::of(&error))),
    };
    let had_first = first.is_none();
    if let Some(why) = first {
        survey.damage = Some(format!(
            "its first record is damaged: {why}; the vault has its keys"
        ));
    }
    let counted = held.bag().clips.get(&id).and_then(|clip| clip.extent);
    let extent = Extent {
        segments: survey.segments.into(),
        hash: survey.hash,
    };
    if let Some(counted) = counted.filter(|counted| *counted != extent) {
        // A crash fell between the rotation and the rows; the file changed since.
        let why = format!("it had {} segments when it was counted", counted.segments);
        survey.damage.get_or_insert(why);
    }
    // An import that was counted once had come to its end.
    let had_end = end == End::Reached || (counted.is_some() && survey.is_unfinished_copy());
    if had_end && !survey.finished {
        let why = "its end is lost, and perhaps some of what came before it";
        survey.damage.get_or_insert(why.to_owned());
    }
    if let Some(told) = gone.told() {
        survey.damage = Some(match survey.damage {
            Some(cost) => format!("{told}; {cost}"),
            None => told,
        });
    }
    // What is not to be read may be what was promised.
    let promised_nothing = counted.is_none()
        && gone.is_nothing()
        && !had_end
        && (survey.is_unfinished_copy() || {
            let bytes = open(held, id)?.len().map_err(trouble)?;
            survey.is_without_sound()
                && had_first
                && bytes - survey.whole_bytes.min(bytes) <= AT_ONCE_BYTES
        });
    if promised_nothing {
        // Where something is damaged, its end may be what was lost; unless the power
        // failed before anything of it had to be on the disk.
        let is_dropped = match survey.damage {
            None => true,
            Some(_) => holes::any(&*open(held, id)?).map_err(trouble)?,
        };
        match (is_dropped, survey.is_unfinished_copy()) {
            (true, true) => return Ok(Content::Unended),
            (true, false) => return Ok(Content::Empty),
            (false, _) => {}
        }
    }
    Ok(Content::Some(keys, Box::new(survey), gone))
}

/// Whether a recording of the inbox came to its end, whatever is left of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum End {
    /// Its mark is gone: it was acknowledged.
    Reached,
    /// Its mark is there: it runs, or its recorder died.
    Open,
}

/// Looks for the mark of a recording.
pub(in crate::vault) fn end_of(held: &Held<'_>, id: RecordingId) -> Result<End> {
    let mark = inbox::mark(held.dir(), id);
    match held.disk().exists(&mark) {
        Ok(true) => Ok(End::Open),
        Ok(false) => Ok(End::Reached),
        Err(error) => Err(Error::io("look at", &mark)(error)),
    }
}

/// How a file of the inbox begins.
pub(in crate::vault) enum Begun {
    /// With keys, in it or in the bag; why it does not in the file, where only the
    /// bag has them. The frames go on behind them.
    With(ClipKeys, Frames<Sequential>, Option<String>),
    /// It ends before its first frame does.
    Empty,
    /// It can't be read, or nothing opens it.
    Refused(Refusal),
}

/// Opens a file of the inbox and finds the keys to it.
pub(in crate::vault) fn begin(held: &Held<'_>, id: RecordingId, end: End) -> Begun {
    begin_past(held, id, end, Reading::Whole, &Gone::default())
}

/// The same, read so; what could not be read is noted.
fn begin_past(held: &Held<'_>, id: RecordingId, end: End, reading: Reading, gone: &Gone) -> Begun {
    let file = match (open(held, id), reading) {
        (Ok(file), Reading::Whole) => file,
        (Ok(file), Reading::PastBadSectors) => past_bad(file, gone.clone()),
        (Err(error), _) => return Begun::Refused(Refusal::of(&error)),
    };
    let path = inbox::path(held.dir(), id);
    let trouble = |source| Error::io("read", &path)(source);
    let mut frames = Frames::new(Sequential::new(file));
    let first = intake::first(&mut frames, id, trouble);
    match (held.bag().clips.get(&id).and_then(keys_of), first) {
        (Some(keys), Ok(First::Sealed(_))) => Begun::With(keys, frames, None),
        (Some(keys), first @ (Ok(First::Torn) | Err(Error::Damaged { .. }))) => {
            // The bag has its keys: all that follows still opens.
            let why = match first {
                Err(Error::Damaged { why, .. }) => why,
                _ => "it is cut off".to_owned(),
            };
            match frames.rewind() {
                Ok(()) => Begun::With(keys, frames, Some(why)),
                Err(error) => Begun::Refused(Refusal::of(&trouble(error))),
            }
        }
        (None, Ok(First::Torn) | Err(Error::Damaged { .. })) if !gone.is_nothing() => {
            Begun::Refused(Refusal::for_good(id, gone))
        }
        (None, Ok(First::Torn)) if end == End::Reached => {
            Begun::Refused("it is cut off within its first record".into())
        }
        (None, Ok(First::Torn)) if is_first_write(held, id) => Begun::Empty,
        (None, Ok(First::Torn)) => Begun::Refused(
            "all of it is zeros from its first record on, which was on the disk before the \
             rest of it was written"
                .into(),
        ),
        (None, Ok(First::Sealed(sealed))) => {
            match intake::open_keys(id, &sealed, &held.bag().inbox) {
                Ok(keys) => Begun::With(keys, frames, None),
                Err(_) => Begun::Refused(
                    "its keys don't open with this vault's: foreign, forged or damaged".into(),
                ),
            }
        }
        (None, Err(Error::Damaged { why, .. })) => {
            // Cut short in its very first write, or damaged later?
            let alone = matches!(frames.resume(), Ok(false));
            let has_hole = |file: Box<dyn DiskFile>| holes::any(&*file).unwrap_or(false);
            let is_torn = end == End::Open && alone && is_first_write(held, id);
            match is_torn && open(held, id).is_ok_and(has_hole) {
                true => Begun::Empty,
                false => Begun::Refused(why.into()),
            }
        }
        (_, Err(error)) => Begun::Refused(Refusal::of(&error)),
    }
}

/// Whether nothing was written behind the first frame, which is durable before that.
fn is_first_write(held: &Held<'_>, id: RecordingId) -> bool {
    let bytes = open(held, id).and_then(|file| {
        let path = inbox::path(held.dir(), id);
        file.len().map_err(Error::io("read", &path))
    });
    bytes.is_ok_and(|bytes| bytes <= FIRST_FRAME_BYTES)
}

fn keys_of(clip: &Clip) -> Option<ClipKeys> {
    Some(ClipKeys {
        sound: clip.sound.as_ref()?.duplicate(),
        words: clip.words.as_ref()?.duplicate(),
        card: clip.card.duplicate(),
    })
}
