//! The inbox: every file read through, the running ones as far as they are.

use std::io;
use std::path::PathBuf;

use super::{Flaw, Verified};
use crate::recording::RecordingId;
use crate::vault::error::Result;
use crate::vault::ground::disk::{Access, Hold};
use crate::vault::inbox::content::{self, Content};
use crate::vault::inbox::intake::FIRST_EPOCH;
use crate::vault::inbox::sectors::Reading;
use crate::vault::inbox::{self, Claim};
use crate::vault::session::Held;

pub(super) fn look(held: &Held<'_>, found: &mut Verified) -> Result<()> {
    let names = inbox::names(held.disk(), held.dir())?;
    let inbox = held.dir().join(inbox::DIR);
    for name in names.strangers {
        let path = inbox.join(name);
        found
            .notes
            .push(format!("{}: not a file of the vault", path.display()));
    }
    for name in names.gone {
        let path = inbox.join(name);
        found.notes.push(format!(
            "{}: nothing of it is to be kept; {}",
            path.display(),
            removal(held, std::slice::from_ref(&path))
        ));
    }
    for id in &names.unended {
        if names.recordings.binary_search(id).is_err() {
            let mark = inbox::mark(held.dir(), *id);
            found.notes.push(format!(
                "{}: the mark of a recording that is not there; {}",
                mark.display(),
                removal(held, std::slice::from_ref(&mark))
            ));
        }
    }
    for id in &names.recordings {
        of_file(held, *id, found);
    }
    for (id, clip) in held.bag().clips.iter() {
        if clip.extent.is_none() && names.recordings.binary_search(id).is_err() {
            // What a discarded or a doubled recording leaves until the next rotation.
            let id = id.short();
            found
                .notes
                .push(format!("keys of {id}, of which there is nothing any more"));
        }
    }
    Ok(())
}

/// What becomes of files that are to go: whether the next merge can take them away, as far
/// as that shows without trying.
pub(super) fn removal(held: &Held<'_>, paths: &[PathBuf]) -> String {
    let may_write = |path: &PathBuf| match held.disk().open(path, Access::Write) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        opened => opened.map(drop),
    };
    let inbox = held.dir().join(inbox::DIR);
    let may = held.disk().may_write(&inbox);
    match may.and_then(|()| paths.iter().try_for_each(may_write)) {
        Ok(()) => "the next merge removes it".to_owned(),
        Err(error) => format!("the next merge can't remove it: {error}"),
    }
}

fn of_file(held: &Held<'_>, id: RecordingId, found: &mut Verified) {
    let path = inbox::path(held.dir(), id);
    let place = path.display().to_string();
    let is_running = match inbox::claim(held.disk(), held.dir(), id, Hold::Shared) {
        Ok(Claim::Absent) => return,
        Ok(claim) => matches!(claim, Claim::Running),
        Err(error) => {
            found.flaws.push(Flaw::new(place, error.to_string()).of(id));
            return;
        }
    };
    if held.bag().is_tombstoned(id, FIRST_EPOCH) {
        // A redaction buries what was before it, and the recording lives.
        let what = match held.bag().clips.get(&id) {
            Some(_) => "it is in the store already",
            None => "a recording that was shredded",
        };
        found.notes.push(format!(
            "{place}: {what}; {}",
            removal(held, &[path.clone(), inbox::mark(held.dir(), id)])
        ));
        return;
    }
    match content::read_through(held, id, Reading::Whole) {
        Ok(Content::Some(_, survey, _)) => {
            found.recordings += 1;
            found.records += 1 + u64::from(survey.found) + u64::from(survey.card.is_some());
            if let Some(what) = survey.damage {
                found.flaws.push(Flaw::new(place, what).of(id));
            }
        }
        Ok(Content::Empty | Content::Unended) if is_running => found.recordings += 1,
        Ok(Content::Empty) => found
            .notes
            .push(format!("{place}: it was begun, and nothing of it is there")),
        Ok(Content::Unended) => found.notes.push(format!(
            "{place}: an import that was cut off before its end; the next merge drops it: \
             the file it came from is still there"
        )),
        Ok(Content::Refused(refusal)) => {
            found.flaws.push(Flaw::new(place, refusal.why).of(id));
        }
        Err(error) => found.flaws.push(Flaw::new(place, error.to_string()).of(id)),
    }
}
