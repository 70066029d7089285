//! A backup as one stream, for a pipe to another machine.
//!
//! What was written can't be taken back: what is destroyed meanwhile may be in it in
//! part. Its manifest does not name it, and has its tombstone.

use std::io::Write;

use super::fill::{Destroyed, Filling, Limit};
use super::note::{Ending, Note};
use super::plan::Holding;
use super::tarball::{self, SegmentWriter};
use super::{About, Added, Order, Outcome, STREAM, Watch, new_id, supply, tell_of_missing, weight};
use crate::backup::error::{Error, Result};
use crate::backup::written::Digits;
use crate::vault::{self, OpenVault};

/// Writes everything as one segment to a stream.
///
/// # Errors
/// As [`to_folder`](super::to_folder); what was written then is no whole segment.
pub fn to_stream(
    vault: &OpenVault,
    out: &mut dyn Write,
    order: Order<'_>,
    watch: &dyn Watch,
) -> Result<Outcome> {
    let now = order.now;
    let recipients = order.with_own(vault)?;
    let stock = vault.stock()?;
    tell_of_missing(&stock, watch);
    let nothing = Holding::default();
    let (tasks, _) = nothing.lacks(&stock, stock.generation);
    let note = Note {
        id: Digits([0; 16]),
        path: STREAM,
        generation: stock.generation,
        slots: Vec::new(),
    };
    note.before(vault, watch, now().unix_ms)?;
    let total: u64 = tasks.iter().map(weight).sum();
    let mut done = 0;
    let mut advance = |bytes: u64| {
        done += bytes;
        watch.done(done.min(total), total);
    };
    let which = "the stream";
    let mut writer = SegmentWriter::begin(which, out, tarball::each(&recipients))?;
    let mut filling = Filling::new(
        &mut writer,
        &tasks,
        &nothing,
        Destroyed::LeaveUnnamed,
        Limit::None,
        &mut advance,
    )?;
    supply::supply(vault, &tasks, |piece| match watch.cancelled() {
        true => Err(Error::Cancelled),
        false => filling.take(piece),
    })?;
    let mut filled = filling.end();
    let standing = loop {
        match vault.standing(&filled.written) {
            Err(vault::Error::Outdated { id, .. }) => filled.forget(id),
            standing => break standing?,
        }
    };
    std::mem::take(&mut filled.damage)
        .into_iter()
        .for_each(|error| watch.damaged(error));
    let destroyed = tasks.len() - filled.entries.len();
    if destroyed > 0 {
        watch.note(&format!(
            "{destroyed} of {} recordings are not in the stream: they were destroyed meanwhile, or can't be read",
            tasks.len()
        ));
    }
    let (at, recordings) = (now(), filled.entries.len());
    let about = About {
        vault: stock.vault,
        id: new_id()?,
        segment: 1,
        before: None,
        at,
    };
    let written = writer.finish(at, |files| {
        about
            .manifest(files, filled, &standing, Vec::new())
            .sign(&standing.signing)
    })?;
    note.behind(vault, now().unix_ms, None, Ending::Written)?;
    Ok(Outcome {
        path: STREAM.to_owned(),
        added: vec![Added {
            segment: 1,
            bytes: written.bytes,
        }],
        recordings,
        holds: recordings,
    })
}
