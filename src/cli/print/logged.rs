//! The log, as text and as JSON.

use std::io;

use serde_json::{Value, json};

use super::{Out, json::document};
use crate::error::plain;
use crate::recording::RecordingId;
use crate::vault::{Entry, Lapse, Log, Stage};

/// Ids that stand in a line; of more there is the number.
const IDS_IN_A_LINE: usize = 4;

/// A line for each entry, oldest first.
pub(in crate::cli) fn log(out: Out<'_>, entries: &[Entry]) -> io::Result<()> {
    entries.iter().try_for_each(|entry| line(out, entry))
}

fn line(out: Out<'_>, entry: &Entry) -> io::Result<()> {
    let at = entry.at.to_zoned().strftime("%Y-%m-%d %H:%M:%S %:z");
    let stage = match entry.stage {
        Stage::Begun => "begun",
        Stage::Done => "",
    };
    let ids = ids_in_words(&entry.ids);
    let line = format!(
        "{:>6}  {at}  {:<7} {stage:<5}  {ids}  {}",
        entry.number,
        entry.deed.name(),
        plain(&entry.detail)
    );
    writeln!(out, "{}", line.trim_end())
}

fn ids_in_words(ids: &[RecordingId]) -> String {
    let named = ids.iter().take(IDS_IN_A_LINE).map(RecordingId::short);
    let named = named.collect::<Vec<_>>().join(" ");
    match ids.len().saturating_sub(IDS_IN_A_LINE) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// An entry that names several recordings stands there once for each of them.
pub(in crate::cli) fn log_json(out: Out<'_>, entries: &[Entry], log: &Log) -> io::Result<()> {
    let entries: Vec<Value> = entries.iter().flat_map(objects).collect();
    document(
        out,
        &json!({
            "entries": entries,
            "unanchored": log.unanchored,
            "damage": damage(&log.lapses),
        }),
    )
}

fn objects(entry: &Entry) -> Vec<Value> {
    let object = |id: Option<&RecordingId>| {
        json!({
            "number": entry.number,
            "at": entry.at.to_string(),
            "what": entry.deed.name(),
            "stage": entry.stage.name(),
            "id": id.map(ToString::to_string),
            "detail": entry.detail,
        })
    };
    match entry.ids.as_slice() {
        [] => vec![object(None)],
        ids => ids.iter().map(|id| object(Some(id))).collect(),
    }
}

fn damage(lapses: &[Lapse]) -> Vec<Value> {
    let object = |lapse: &Lapse| {
        json!({
            "what": lapse.to_string(),
            "where": "log",
            "first": lapse.first,
            "last": lapse.last,
            "id": null,
            "mended": false,
        })
    };
    lapses.iter().map(object).collect()
}

/// A line for each thing that is wrong, and one that says what was looked at.
pub(in crate::cli) fn log_verified(out: Out<'_>, log: &Log) -> io::Result<()> {
    for lapse in &log.lapses {
        writeln!(out, "damaged  {lapse}")?;
    }
    for lapse in &log.noted {
        writeln!(out, "noted    {lapse}")?;
    }
    let entries = log.entries.len();
    let unanchored = log.unanchored;
    writeln!(
        out,
        "checked {entries} entries, of which {unanchored} are unanchored: written since the keys were last rotated, nobody would miss them"
    )
}

pub(in crate::cli) fn log_verified_json(out: Out<'_>, log: &Log) -> io::Result<()> {
    document(
        out,
        &json!({
            "checked": { "entries": log.entries.len(), "unanchored": log.unanchored },
            "damage": damage(&log.lapses),
            "noted": damage(&log.noted),
        }),
    )
}
