//! Transcripts that came with a recording: an import brings what somebody else's
//! program heard in it.
//!
//! In the inbox they stand behind the sound, sealed with the recording's own key. A
//! merge makes them its first versions. Where the vault holds the sound already, they
//! become versions of what holds it, unless it has them.

use super::frames::{Frames, Next};
use super::intake::FIRST_EPOCH;
use super::merge::{Waiting, reopen};
use super::sequential::Sequential;
use crate::recording::RecordingId;
use crate::transcript::Transcript;
use crate::vault::error::{Error, Result};
use crate::vault::inbox;
use crate::vault::open::{add_words, rewrite_card};
use crate::vault::sealed::frame::Kind;
use crate::vault::sealed::record;
use crate::vault::session::Held;
use crate::vault::store::opened;

/// Gives the recording that holds the same sound what it has not of the transcripts that
/// came with its double; answers with how many those are.
pub(super) fn carry_over(held: &Held<'_>, double: &Waiting, of: RecordingId) -> Result<u32> {
    let mut carried = 0;
    if double.transcripts == 0 {
        return Ok(carried);
    }
    for transcript in those_of(held, double)? {
        let Ok((at, clip)) = held.clip(of) else {
            break;
        };
        let Some(key) = &clip.words else {
            break;
        };
        if at.epoch > FIRST_EPOCH {
            // What was redacted would come back with the words of before.
            break;
        }
        let known = held.store().read(held.lock(), |rows| {
            rows.begin()?.words_from(at, 0, usize::MAX)
        })?;
        let is_known = known.iter().any(|(number, row)| {
            opened::open_words(at, *number, clip, row)
                .is_ok_and(|known| says_the_same(&known, &transcript))
        });
        if is_known {
            continue;
        }
        held.store().write(held.lock(), |rows| {
            rewrite_card(held, rows, of, &mut |record| {
                let number = add_words(rows, at, key, record.numbered, &transcript)?;
                record.name(transcript.info(number));
                Ok(())
            })
        })?;
        carried += 1;
    }
    Ok(carried)
}

fn those_of(held: &Held<'_>, one: &Waiting) -> Result<Vec<Transcript>> {
    let path = inbox::path(held.dir(), one.id);
    let trouble = || Error::io("read", &path);
    let mut frames = Frames::new(Sequential::new(reopen(held, one)?));
    let mut found = Vec::new();
    loop {
        match frames.next().map_err(trouble())? {
            Next::Frame(frame, at)
                if frame.facts.kind == Kind::Words && !one.passed_over.contains(&at) =>
            {
                found.push(record::open_text(&one.keys.words, &frame)?);
            }
            Next::Frame(..) => {}
            Next::Damaged(_) => {
                if !frames.resume().map_err(trouble())? {
                    break;
                }
            }
            Next::End | Next::Torn(_) => break,
        }
    }
    Ok(found)
}

/// When it was taken in does not count.
fn says_the_same(a: &Transcript, b: &Transcript) -> bool {
    a.model == b.model && a.language == b.language && a.segments == b.segments
}
