//! What came of a backup, and which backups there are.

use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::json::document;
use super::{Out, moment};
use crate::backup::layout::segment_name;
use crate::backup::write::{Outcome, STREAM};
use crate::command::backup_forget::{Plan, id};
use crate::error::plain;
use crate::vault::bag::KnownBackup;

/// What was added, in words.
pub(in crate::cli) fn backed_up(out: Out<'_>, outcome: &Outcome) -> io::Result<()> {
    for added in &outcome.added {
        let name = segment_name(added.segment);
        writeln!(out, "{name}  {} bytes", added.bytes)?;
    }
    let path = plain(&outcome.path);
    let s = |count: usize| if count == 1 { "" } else { "s" };
    let (new, holds) = (outcome.recordings, outcome.holds);
    match outcome.added.len() {
        0 => writeln!(
            out,
            "nothing new: {path} holds {holds} recording{}",
            s(holds)
        ),
        _ => writeln!(
            out,
            "{new} recording{} new or changed; {path} holds {holds}",
            s(new)
        ),
    }
}

/// The same for programs.
pub(in crate::cli) fn backed_up_json(out: Out<'_>, outcome: &Outcome) -> io::Result<()> {
    let added = outcome.added.iter().map(|added| {
        json!({
            "file": segment_name(added.segment),
            "bytes": added.bytes,
        })
    });
    document(
        out,
        &json!({
            "path": outcome.path,
            "added": added.collect::<Vec<_>>(),
            "bytes": outcome.added.iter().map(|added| added.bytes).sum::<u64>(),
            "recordings": outcome.recordings,
            "holds": outcome.holds,
        }),
    )
}

/// A line for each backup that the vault knows.
pub(in crate::cli) fn backups(out: Out<'_>, known: &[KnownBackup]) -> io::Result<()> {
    known.iter().try_for_each(|backup| {
        let standing = match (standing(backup), backup.end) {
            (_, Some(end)) if end.segments == 1 => "1 segment".to_owned(),
            (_, Some(end)) => format!("{} segments", end.segments),
            (STREAMED, None) => "a stream".to_owned(),
            (standing, None) => standing.to_owned(),
        };
        let path = plain(&backup.path);
        writeln!(out, "{}  {path}  {standing}", moment(backup.made_at_ms))
    })
}

/// A stream, which went elsewhere.
const STREAMED: &str = "stream";

/// What the vault knows of a backup, in a word or two.
fn standing(backup: &KnownBackup) -> &'static str {
    match backup.end {
        _ if backup.path == STREAM => STREAMED,
        Some(_) => "finished",
        None if backup.is_source_only() => "restored from",
        None => "not finished",
    }
}

/// The same for programs.
pub(in crate::cli) fn backups_json(out: Out<'_>, known: &[KnownBackup]) -> io::Result<()> {
    let listed: Vec<Value> = known
        .iter()
        .map(|backup| {
            json!({
                "path": backup.path,
                "id": id(backup),
                "made_at": moment(backup.made_at_ms),
                "state": standing(backup),
                "segments": backup.end.map(|end| end.segments),
                "generation": backup.generation,
            })
        })
        .collect();
    document(out, &json!({ "backups": listed }))
}

/// What it means to forget a backup, before it is asked.
pub(in crate::cli) fn about_to_forget(out: Out<'_>, plan: &Plan) -> io::Result<()> {
    let made = moment(plan.known.made_at_ms);
    writeln!(out, "{}, made {made}", plain(&plan.known.path))?;
    let what = match (plan.still_there, plan.known.path == STREAM) {
        (true, _) => "There are segments in that folder: they will still hold what is shredded.",
        (false, true) => "Wherever the streams are, they will still hold what is shredded.",
        (false, false) => "Where it was moved to, it will still hold what is shredded.",
    };
    writeln!(out, "{what}")?;
    writeln!(out, "Receipts will name it no more.")
}

/// The backup that was forgotten.
pub(in crate::cli) fn backup_forgotten(out: Out<'_>, plan: &Plan) -> io::Result<()> {
    let path = plain(&plan.known.path);
    writeln!(out, "forgotten: {path}; its files are as they were")
}

/// The same for programs.
pub(in crate::cli) fn backup_forgotten_json(out: Out<'_>, plan: &Plan) -> io::Result<()> {
    document(
        out,
        &json!({
            "path": plan.known.path,
            "id": id(&plan.known),
            "still_there": plan.still_there,
        }),
    )
}

/// The files that copies of the ways in were written to.
pub(in crate::cli) fn keys_exported_json(out: Out<'_>, written: &[PathBuf]) -> io::Result<()> {
    let files: Vec<Value> = written
        .iter()
        .map(|path| json!(path.display().to_string()))
        .collect();
    document(out, &json!({ "files": files }))
}
