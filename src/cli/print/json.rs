//! What commands answer as one JSON document. The fields are a contract: they
//! may gain, not change.

use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::Out;
use crate::audio::DeviceInfo;
use crate::command::devices::Level;
use crate::command::doctor::Check;
use crate::command::import::Outcome;
use crate::command::key;
use crate::command::list::Listed;
use crate::command::record::Taken;
use crate::command::shred::Doomed;
use crate::command::{demo, export, init, play, search, show, transcribe};
use crate::error::Failure;
use crate::listing::RecordingView;
use crate::recording::Recording;
use crate::speech::Model;
use crate::time;
use crate::transcript::diff::{self, Change};
use crate::vault::Verified;

pub(super) fn document(out: Out<'_>, value: &Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn view(recording: &Recording) -> Value {
    json!(RecordingView::new(recording))
}

pub(in crate::cli) fn list_json(out: Out<'_>, listed: &[Listed]) -> io::Result<()> {
    let view = |one: &Listed| {
        json!(RecordingView {
            state: one.state,
            ..RecordingView::new(&one.recording)
        })
    };
    let recordings: Vec<Value> = listed.iter().map(view).collect();
    document(out, &json!({ "recordings": recordings }))
}

/// What would be destroyed, in the shape of `list`; of what can't be read there is
/// only the id and why.
pub(in crate::cli) fn doomed_json(out: Out<'_>, doomed: &[Doomed]) -> io::Result<()> {
    let one = |doomed: &Doomed| match &doomed.recording {
        Ok(recording) => view(recording),
        Err(why) => json!({ "id": doomed.id.to_string(), "damaged": why }),
    };
    let recordings: Vec<Value> = doomed.iter().map(one).collect();
    document(out, &json!({ "recordings": recordings }))
}

pub(in crate::cli) fn recording_json(out: Out<'_>, recording: &Recording) -> io::Result<()> {
    document(out, &view(recording))
}

/// What a recording became.
pub(in crate::cli) fn taken_json(out: Out<'_>, taken: &[Taken]) -> io::Result<()> {
    took_in(out, taken, &Outcome::default())
}

/// What became of files.
pub(in crate::cli) fn imported_json(out: Out<'_>, outcome: &Outcome) -> io::Result<()> {
    took_in(out, &outcome.taken, outcome)
}

fn took_in(out: Out<'_>, taken: &[Taken], outcome: &Outcome) -> io::Result<()> {
    let recordings = taken.iter().map(|one| {
        json!({
            "id": one.id.to_string(),
            "file": one.file,
            "duration_s": time::seconds(one.duration),
            "state": one.state,
            "transcripts": one.transcripts,
        })
    });
    let held = outcome.held.iter();
    let held = held.map(|one| json!({ "file": one.file, "id": one.id.to_string() }));
    let left_out = outcome
        .left_out
        .iter()
        .map(|(list, places)| json!({ "file": list.display().to_string(), "records": places }));
    document(
        out,
        &json!({
            "recordings": recordings.collect::<Vec<_>>(),
            "held": held.collect::<Vec<_>>(),
            "refused": refusals(&outcome.refused),
            "left_out": left_out.collect::<Vec<_>>(),
        }),
    )
}

fn refusals(refused: &[(PathBuf, Failure)]) -> Vec<Value> {
    refused
        .iter()
        .map(|(file, failure)| json!({ "file": file.to_string_lossy(), "why": failure.why }))
        .collect()
}

pub(in crate::cli) fn made_json(out: Out<'_>, outcome: &transcribe::Outcome) -> io::Result<()> {
    let made: Vec<Value> = outcome
        .made
        .iter()
        .map(|made| json!({ "id": made.id.to_string(), "version": made.version }))
        .collect();
    let refused: Vec<Value> = outcome
        .refused
        .iter()
        .map(|(id, failure)| json!({ "id": id.to_string(), "why": failure.why }))
        .collect();
    document(out, &json!({ "transcribed": made, "refused": refused }))
}

pub(in crate::cli) fn search_json(
    out: Out<'_>,
    query: &str,
    outcome: &search::Outcome,
) -> io::Result<()> {
    let hits: Vec<Value> = outcome
        .hits
        .hits
        .iter()
        .map(|hit| {
            let card = outcome
                .recordings
                .get(&hit.id)
                .map(|recording| &recording.card);
            json!({
                "id": hit.id.to_string(),
                "title": card.map(|card| &card.title),
                "recorded_at": card.map(|card| card.recorded_at.to_string()),
                "score": hit.score,
                "moments": hit.moments,
            })
        })
        .collect();
    let took_ms = (outcome.took.as_secs_f64() * 1e6).round() / 1e3;
    let total = outcome.hits.total;
    document(
        out,
        &json!({ "query": query, "took_ms": took_ms, "total": total, "hits": hits }),
    )
}

pub(in crate::cli) fn verified_json(out: Out<'_>, verified: &Verified) -> io::Result<()> {
    let damage: Vec<Value> = verified
        .flaws
        .iter()
        .map(|flaw| {
            json!({
                "what": flaw.what,
                "where": flaw.place,
                "id": flaw.id.map(|id| id.to_string()),
                "mended": flaw.mended,
            })
        })
        .collect();
    document(
        out,
        &json!({
            "checked": {
                "recordings": verified.recordings,
                "records": verified.records,
                "bytes": verified.bytes,
                "idle_bytes": verified.idle_bytes,
            },
            "damage": damage,
            "notes": verified.notes,
        }),
    )
}

pub(in crate::cli) fn level_json(out: Out<'_>, level: &Level) -> io::Result<()> {
    document(
        out,
        &json!({
            "device": level.device,
            "peak_dbfs": level.peak_dbfs,
            "rms_dbfs": level.rms_dbfs,
        }),
    )
}

pub(in crate::cli) fn checks_json(out: Out<'_>, checks: &[Check]) -> io::Result<()> {
    let checks: Vec<Value> = checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name,
                "ok": check.ok,
                "found": check.found,
                "hint": check.hint,
            })
        })
        .collect();
    document(out, &json!({ "checks": checks }))
}

pub(in crate::cli) fn devices_json(out: Out<'_>, devices: &[DeviceInfo]) -> io::Result<()> {
    let devices: Vec<Value> = devices
        .iter()
        .map(|device| {
            json!({
                "name": device.name,
                "default": device.default,
                "rates_hz": device.rates_hz,
                "channels": device.channels,
            })
        })
        .collect();
    document(out, &json!({ "devices": devices }))
}

pub(in crate::cli) fn models_json(out: Out<'_>, models: &[Model]) -> io::Result<()> {
    let models: Vec<Value> = models
        .iter()
        .map(|model| {
            json!({
                "name": model.name,
                "path": model.path.to_string_lossy(),
                "bytes": model.bytes,
                "sha256": model.sha256,
                "multilingual": model.multilingual,
                "in_use": model.in_use,
            })
        })
        .collect();
    document(out, &json!({ "models": models }))
}

pub(in crate::cli) fn keys_json(out: Out<'_>, keys: &[key::Listed]) -> io::Result<()> {
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| {
            json!({
                "name": key.name,
                "kind": key.kind,
                "made_at": key.made_at.map(|at| at.to_string()),
                "recipient": key.recipient,
            })
        })
        .collect();
    document(out, &json!({ "keys": keys }))
}

pub(in crate::cli) fn demo_json(out: Out<'_>, made: &demo::Outcome) -> io::Result<()> {
    document(
        out,
        &json!({
            "vault": made.vault.to_string_lossy(),
            "recordings": made.recordings,
            "transcribed": made.transcribed,
            "passphrase": made.passphrase,
        }),
    )
}

pub(in crate::cli) fn init_json(out: Out<'_>, made: &init::Outcome) -> io::Result<()> {
    document(out, &json!({ "vault": made.vault.to_string_lossy() }))
}

pub(in crate::cli) fn exported_json(out: Out<'_>, outcome: &export::Outcome) -> io::Result<()> {
    let written: Vec<Value> = outcome
        .written
        .iter()
        .map(|path| json!({ "path": path.to_string_lossy() }))
        .collect();
    document(
        out,
        &json!({ "exported": written, "refused": refusals(&outcome.refused) }),
    )
}

pub(in crate::cli) fn played_json(out: Out<'_>, played: &play::Outcome) -> io::Result<()> {
    let ended = match played.end {
        play::End::Whole => "whole",
        play::End::Stopped => "stopped",
    };
    document(
        out,
        &json!({ "played": {
            "id": played.id.to_string(),
            "from_s": played.from.as_secs_f64(),
            "to_s": played.to.as_secs_f64(),
            "speed": played.speed.factor(),
            "ended": ended,
        } }),
    )
}

pub(in crate::cli) fn diff_json(
    out: Out<'_>,
    from: &show::Shown,
    to: &show::Shown,
) -> io::Result<()> {
    let changes = match (&from.transcript, &to.transcript) {
        (Some(old), Some(new)) => diff::words(old, new),
        _ => Vec::new(),
    };
    let changes: Vec<Value> = changes
        .iter()
        .map(|change| match change {
            Change::Same(text) => json!({ "same": text }),
            Change::Removed(text) => json!({ "removed": text }),
            Change::Added(text) => json!({ "added": text }),
        })
        .collect();
    let id = from.recording.id.to_string();
    document(
        out,
        &json!({ "id": id, "from": from.number, "to": to.number, "changes": changes }),
    )
}
