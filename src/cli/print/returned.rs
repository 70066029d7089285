//! What commands answer that read a backup.

use std::io;

use serde_json::{Value, json};

use super::Out;
use super::json::document;
use crate::backup::layout::segment_name;
use crate::backup::verify::{Damage, Verified};
use crate::backup::write::Repacked;
use crate::command::restore::{Compared, Done};
use crate::error::plain;
use crate::recording::RecordingId;

/// A line for each damage, and one that says what was looked at.
pub(in crate::cli) fn backup_verified(out: Out<'_>, verified: &Verified) -> io::Result<()> {
    damages(out, &verified.damage)?;
    if let Some(signer) = verified.signer {
        writeln!(out, "signed by {}", signer.fingerprint())?;
    }
    writeln!(
        out,
        "checked {} recordings, {} files, {} bytes",
        verified.recordings, verified.files, verified.bytes
    )
}

fn damages(out: Out<'_>, damage: &[Damage]) -> io::Result<()> {
    for one in damage {
        let id = one
            .id
            .map_or_else(String::new, |id| format!("  {}", id.short()));
        let (word, place) = (one.kind.word(), &one.place);
        let line = format!("{word:<11}  {place}{id}  {}", one.what);
        writeln!(out, "{}", plain(&line))?;
    }
    Ok(())
}

fn damages_json(damage: &[Damage]) -> Vec<Value> {
    let one = |one: &Damage| {
        json!({
            "kind": one.kind.word(),
            "what": one.what,
            "where": one.place,
            "id": one.id.map(|id| id.to_string()),
            "mended": false,
        })
    };
    damage.iter().map(one).collect()
}

pub(in crate::cli) fn backup_verified_json(out: Out<'_>, verified: &Verified) -> io::Result<()> {
    document(
        out,
        &json!({
            "checked": {
                "recordings": verified.recordings,
                "records": verified.files,
                "bytes": verified.bytes,
            },
            "signer": verified.signer.map(|signer| signer.fingerprint()),
            "damage": damages_json(&verified.damage),
            "notes": verified.notes,
        }),
    )
}

/// A line for each that came back and each damage, and one that counts.
pub(in crate::cli) fn restored(out: Out<'_>, done: &Done) -> io::Result<()> {
    let outcome = &done.outcome;
    damages(out, &outcome.damage)?;
    for id in &outcome.kept {
        writeln!(
            out,
            "{id} is in the vault, although the backup says that it was destroyed"
        )?;
    }
    if let Some(id) = outcome.resurrected {
        writeln!(out, "{id} is the new id of the one that was wanted")?;
    }
    if let Some((_, signer)) = outcome.origin {
        writeln!(out, "signed by {}", signer.fingerprint())?;
    }
    if let Some(made) = &done.made {
        let made = made.display().to_string();
        writeln!(out, "made a new vault in {}", plain(&made))?;
    }
    if let Some(found) = &done.rehearsed {
        for (id, what) in &found.differences {
            writeln!(out, "differs      {}  {}", id.short(), plain(what))?;
        }
        return writeln!(
            out,
            "{} could be restored, {} destroyed; {}",
            several(outcome.restored.len() as u64, "recording", "recordings"),
            several(outcome.destroyed, "was", "were"),
            compared(found.compared)
        );
    }
    for id in &outcome.mended {
        writeln!(out, "{}  what was lost of it is back", id.short())?;
    }
    let mended = match outcome.mended.len() {
        0 => String::new(),
        many => format!(", mended {many} that the vault had lost a part of"),
    };
    writeln!(
        out,
        "restored {}{mended}; {} there, {}",
        several(outcome.restored.len() as u64, "recording", "recordings"),
        several(outcome.there, "was", "were"),
        match outcome.destroyed {
            1 => "1 was destroyed and stays so".to_owned(),
            many => format!("{many} were destroyed and stay so"),
        }
    )
}

/// What a rehearsal found in the vault of what could be restored.
fn compared(found: Option<Compared>) -> String {
    let Some(found) = found else {
        return "nothing was compared, since there is no vault here".to_owned();
    };
    format!(
        "{} as in the vault, {} changed since, {} in the backup only, {} in the vault only",
        several(found.same, "is", "are"),
        several(found.changed_since, "was", "were"),
        several(found.only_in_backup, "is", "are"),
        found.only_in_vault
    )
}

/// A number, and the word that goes with it.
fn several(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

pub(in crate::cli) fn restored_json(out: Out<'_>, done: &Done) -> io::Result<()> {
    let outcome = &done.outcome;
    let ids =
        |ids: &[RecordingId]| -> Vec<String> { ids.iter().map(RecordingId::to_string).collect() };
    let test = done.rehearsed.as_ref().map(|found| {
        let differs = found.differences.iter();
        let differs: Vec<Value> = differs
            .map(|(id, what)| json!({ "id": id.to_string(), "what": what }))
            .collect();
        let compared = found.compared;
        json!({
            "compared": compared.is_some(),
            "same": compared.map(|found| found.same),
            "changed_since": compared.map(|found| found.changed_since),
            "only_in_backup": compared.map(|found| found.only_in_backup),
            "only_in_vault": compared.map(|found| found.only_in_vault),
            "differences": differs,
        })
    });
    document(
        out,
        &json!({
            "restored": ids(&outcome.restored),
            "mended": ids(&outcome.mended),
            "resurrected": outcome.resurrected.map(|id| id.to_string()),
            "there": outcome.there,
            "destroyed": outcome.destroyed,
            "kept": ids(&outcome.kept),
            "vault": done.made.as_ref().map(|made| made.display().to_string()),
            "signer": outcome.origin.map(|(_, signer)| signer.fingerprint()),
            "test": test,
            "damage": damages_json(&outcome.damage),
            "notes": outcome.notes,
        }),
    )
}

pub(in crate::cli) fn repacked(out: Out<'_>, done: &Repacked) -> io::Result<()> {
    for number in &done.dropped {
        writeln!(out, "removed {}", segment_name(*number))?;
    }
    for number in &done.written {
        writeln!(out, "wrote {}", segment_name(*number))?;
    }
    match done.dropped.is_empty() && done.written.is_empty() {
        true => writeln!(out, "nothing in it was shredded since"),
        false => writeln!(
            out,
            "{} bytes went, {} were written; {} recordings were copied",
            done.dropped_bytes, done.written_bytes, done.recordings
        ),
    }
}

pub(in crate::cli) fn repacked_json(out: Out<'_>, done: &Repacked) -> io::Result<()> {
    document(
        out,
        &json!({
            "dropped": done.dropped,
            "written": done.written,
            "dropped_bytes": done.dropped_bytes,
            "written_bytes": done.written_bytes,
            "copied": done.recordings,
        }),
    )
}
