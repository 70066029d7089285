//! What commands answer, as text for people and as JSON for programs.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::audio::DeviceInfo;
use crate::command::devices::Level;
use crate::command::list::Listed;
use crate::command::record::Taken;
use crate::command::text::TextFormat;
use crate::command::{demo, export, init, search, show, transcribe};
use crate::error::{Failure, plain};
use crate::listing::{KeptUntil, RecordingView};
use crate::recording::{Moment, Recording, State};
use crate::speech::Model;
use crate::time;
use crate::transcript::diff::{self, Change};
use crate::vault::Receipt;

type Out<'a> = &'a mut dyn Write;

fn document(out: Out<'_>, value: &Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn view(recording: &Recording) -> Value {
    json!(RecordingView::new(recording, KeptUntil::default()))
}

/// A line for each recording.
pub(super) fn list(out: Out<'_>, listed: &[Listed]) -> io::Result<()> {
    listed
        .iter()
        .try_for_each(|one| line(out, &one.recording, one.state))
}

pub(super) fn list_json(out: Out<'_>, listed: &[Listed]) -> io::Result<()> {
    let view = |one: &Listed| {
        json!(RecordingView {
            state: one.state,
            ..RecordingView::new(&one.recording, KeptUntil::default())
        })
    };
    let recordings: Vec<Value> = listed.iter().map(view).collect();
    document(out, &json!({ "recordings": recordings }))
}

/// A line for each recording, none of which is being made.
pub(super) fn recordings(out: Out<'_>, recordings: &[Recording]) -> io::Result<()> {
    recordings
        .iter()
        .try_for_each(|recording| line(out, recording, recording.state()))
}

pub(super) fn recordings_json(out: Out<'_>, recordings: &[Recording]) -> io::Result<()> {
    let recordings: Vec<Value> = recordings.iter().map(view).collect();
    document(out, &json!({ "recordings": recordings }))
}

/// Id, date, length, state, title, tags.
fn line(out: Out<'_>, recording: &Recording, state: State) -> io::Result<()> {
    let card = &recording.card;
    let at = card
        .recorded_at
        .to_zoned()
        .strftime("%Y-%m-%d %H:%M")
        .to_string();
    let length = time::clock(card.duration());
    let state = state.to_string();
    write!(
        out,
        "{}  {at}  {length:>8}  {state:<11}  {}",
        recording.id.short(),
        plain(&card.title)
    )?;
    for tag in &card.tags {
        write!(out, " #{}", plain(tag))?;
    }
    writeln!(out)
}

pub(super) fn recording_json(out: Out<'_>, recording: &Recording) -> io::Result<()> {
    document(out, &view(recording))
}

pub(super) fn taken_json(
    out: Out<'_>,
    taken: &[Taken],
    refused: &[(PathBuf, Failure)],
) -> io::Result<()> {
    let recordings: Vec<Value> = taken
        .iter()
        .map(|one| {
            json!({
                "id": one.id.to_string(),
                "file": one.file,
                "duration_s": time::seconds(one.duration),
                "state": one.state,
            })
        })
        .collect();
    let refused = refusals(refused);
    document(
        out,
        &json!({ "recordings": recordings, "refused": refused }),
    )
}

fn refusals(refused: &[(PathBuf, Failure)]) -> Vec<Value> {
    refused
        .iter()
        .map(|(file, failure)| json!({ "file": file.to_string_lossy(), "why": failure.why }))
        .collect()
}

pub(super) fn made(out: Out<'_>, outcome: &transcribe::Outcome) -> io::Result<()> {
    outcome
        .made
        .iter()
        .try_for_each(|made| writeln!(out, "{} version {}", made.id, made.version))
}

pub(super) fn made_json(out: Out<'_>, outcome: &transcribe::Outcome) -> io::Result<()> {
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

/// A line for each hit, and under it its moments.
pub(super) fn search(out: Out<'_>, outcome: &search::Outcome) -> io::Result<()> {
    for hit in &outcome.hits.hits {
        let Some(recording) = outcome.recordings.get(&hit.id) else {
            continue;
        };
        let at = recording
            .card
            .recorded_at
            .to_zoned()
            .strftime("%Y-%m-%d %H:%M")
            .to_string();
        writeln!(
            out,
            "{}  {at}  {}",
            hit.id.short(),
            plain(&recording.card.title)
        )?;
        for moment in hit.moments.iter().take(3) {
            let start = std::time::Duration::from_secs_f64(moment.start_s.max(0.0));
            writeln!(out, "  {:>8}  {}", time::clock(start), plain(&moment.text))?;
        }
    }
    Ok(())
}

pub(super) fn search_json(out: Out<'_>, query: &str, outcome: &search::Outcome) -> io::Result<()> {
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

pub(super) fn show(out: Out<'_>, outcome: &show::Outcome, form: TextFormat) -> io::Result<()> {
    match outcome {
        show::Outcome::One(shown) => {
            let text = match &shown.transcript {
                Some(transcript) => form.render(&shown.recording, transcript)?,
                None => return recording_json(out, &shown.recording),
            };
            out.write_all(text.as_bytes())
        }
        show::Outcome::Two(from, to) => {
            let (Some(old), Some(new)) = (&from.transcript, &to.transcript) else {
                return Ok(());
            };
            for change in diff::words(old, new) {
                match change {
                    Change::Same(text) => writeln!(out, "  {text}")?,
                    Change::Removed(text) => writeln!(out, "- {text}")?,
                    Change::Added(text) => writeln!(out, "+ {text}")?,
                }
            }
            Ok(())
        }
    }
}

/// What was destroyed, what is out of reach, in words.
pub(super) fn receipt(out: Out<'_>, receipt: &Receipt, doomed: &[Recording]) -> io::Result<()> {
    for one in &receipt.shredded {
        let title = doomed.iter().find(|recording| recording.id == one.id);
        let title = title.map_or("", |recording| recording.card.title.as_str());
        let s = if one.transcripts == 1 { "" } else { "s" };
        let transcripts = one.transcripts;
        writeln!(
            out,
            "shredded {}  {}  ({} bytes of sound, {transcripts} transcript{s}); its keys are destroyed",
            one.id.short(),
            plain(title),
            one.audio_bytes,
        )?;
    }
    for erased in &receipt.erased {
        writeln!(out, "erased: {}", plain(erased))?;
    }
    for left in &receipt.not_erased {
        writeln!(
            out,
            "out of reach: {} ({}): {}",
            plain(&left.what),
            plain(&left.where_),
            plain(&left.why)
        )?;
    }
    for backup in &receipt.backups_still_holding {
        writeln!(
            out,
            "still holds it: {} made {}",
            plain(&backup.path),
            moment(backup.made_at_ms)
        )?;
    }
    Ok(())
}

pub(super) fn receipt_json(out: Out<'_>, receipt: &Receipt) -> io::Result<()> {
    let shredded: Vec<Value> = receipt
        .shredded
        .iter()
        .map(|one| {
            json!({
                "id": one.id.to_string(),
                "audio_bytes": one.audio_bytes,
                "transcripts": one.transcripts,
                "key_destroyed": true,
            })
        })
        .collect();
    let not_erased: Vec<Value> = receipt
        .not_erased
        .iter()
        .map(|left| json!({ "what": left.what, "where": left.where_, "why": left.why }))
        .collect();
    let backups: Vec<Value> = receipt
        .backups_still_holding
        .iter()
        .map(|backup| json!({ "path": backup.path, "made_at": moment(backup.made_at_ms) }))
        .collect();
    document(
        out,
        &json!({
            "shredded": shredded,
            "erased": receipt.erased,
            "not_erased": not_erased,
            "backups_still_holding": backups,
        }),
    )
}

fn moment(unix_ms: i64) -> String {
    Moment {
        unix_ms,
        offset_s: 0,
    }
    .to_string()
}

pub(super) fn devices(out: Out<'_>, devices: &[DeviceInfo]) -> io::Result<()> {
    for device in devices {
        let mark = if device.default { "*" } else { " " };
        let rates: Vec<String> = device.rates_hz.iter().map(u32::to_string).collect();
        let channels = match (device.channels.first(), device.channels.last()) {
            (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
            (Some(only), _) => only.to_string(),
            _ => "no".to_owned(),
        };
        writeln!(
            out,
            "{mark} {}  {} Hz, {} channels",
            plain(&device.name),
            rates.join("/"),
            channels,
        )?;
    }
    Ok(())
}

pub(super) fn level(out: Out<'_>, level: &Level) -> io::Result<()> {
    writeln!(
        out,
        "{}  peak {:.1} dBFS, rms {:.1} dBFS",
        plain(&level.device),
        level.peak_dbfs,
        level.rms_dbfs
    )
}

pub(super) fn level_json(out: Out<'_>, level: &Level) -> io::Result<()> {
    document(
        out,
        &json!({
            "device": level.device,
            "peak_dbfs": level.peak_dbfs,
            "rms_dbfs": level.rms_dbfs,
        }),
    )
}

pub(super) fn devices_json(out: Out<'_>, devices: &[DeviceInfo]) -> io::Result<()> {
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

pub(super) fn models(out: Out<'_>, models: &[Model]) -> io::Result<()> {
    for model in models {
        let mark = if model.in_use { "*" } else { " " };
        let languages = if model.multilingual {
            "multilingual"
        } else {
            "English"
        };
        writeln!(
            out,
            "{mark} {}  {} bytes, {languages}",
            plain(&model.name),
            model.bytes
        )?;
    }
    Ok(())
}

pub(super) fn models_json(out: Out<'_>, models: &[Model]) -> io::Result<()> {
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

/// A path as a shell takes it for one word.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

pub(super) fn demo(out: Out<'_>, made: &demo::Outcome) -> io::Result<()> {
    let vault = made.vault.display();
    writeln!(
        out,
        "{vault}: {} recordings, {} transcribed",
        made.recordings, made.transcribed
    )?;
    if let Some(passphrase) = made.passphrase {
        writeln!(out, "its passphrase is: {passphrase}")?;
    }
    writeln!(
        out,
        "open it with: voxvault --vault {}",
        quoted(&vault.to_string())
    )
}

pub(super) fn demo_json(out: Out<'_>, made: &demo::Outcome) -> io::Result<()> {
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

pub(super) fn init_json(out: Out<'_>, made: &init::Outcome) -> io::Result<()> {
    document(out, &json!({ "vault": made.vault.to_string_lossy() }))
}

pub(super) fn exported_json(out: Out<'_>, outcome: &export::Outcome) -> io::Result<()> {
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

pub(super) fn diff_json(out: Out<'_>, from: &show::Shown, to: &show::Shown) -> io::Result<()> {
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
