//! What commands answer: here as text for people, in [`json`] for programs.

mod backed_up;
mod destroyed;
mod json;
mod logged;
mod returned;
mod retention;

use std::io::{self, Write};

use crate::audio::DeviceInfo;
use crate::command::devices::Level;
use crate::command::doctor::Check;
use crate::command::key;
use crate::command::list::Listed;
use crate::command::shred::Doomed;
use crate::command::text::TextFormat;
use crate::command::{demo, search, show, transcribe, verify};
use crate::error::{plain, plain_lines};
use crate::recording::{Moment, Recording, SoundLeft, State, shown_tag};
use crate::speech::Model;
use crate::time;
use crate::transcript::diff::{self, Change};
use crate::vault::Verified;

pub(super) use backed_up::{
    about_to_forget, backed_up, backed_up_json, backup_forgotten, backup_forgotten_json, backups,
    backups_json, keys_exported_json,
};
pub(super) use destroyed::{
    receipt, receipt_json, redacted, redacted_json, redaction_plan, scrubbed, scrubbed_json, wiped,
};
pub(super) use json::{
    checks_json, demo_json, devices_json, diff_json, doomed_json, exported_json, imported_json,
    init_json, keys_json, level_json, list_json, made_json, models_json, played_json,
    recording_json, search_json, taken_json, verified_json,
};

pub(super) use logged::{log, log_json, log_verified, log_verified_json};
pub(super) use retention::{
    nothing_swept_json, outlook, outlook_json, rules, rules_json, swept, swept_json,
};

pub(super) use returned::{
    backup_verified, backup_verified_json, repacked, repacked_json, restored, restored_json,
};

type Out<'a> = &'a mut dyn Write;

/// A line for each recording.
pub(super) fn list(out: Out<'_>, listed: &[Listed]) -> io::Result<()> {
    listed
        .iter()
        .try_for_each(|one| line(out, &one.recording, one.state))
}

/// The line of one recording, which is not being made.
pub(super) fn recording(out: Out<'_>, recording: &Recording) -> io::Result<()> {
    line(out, recording, recording.state())
}

/// A line for each recording that would be destroyed.
pub(super) fn doomed(out: Out<'_>, doomed: &[Doomed]) -> io::Result<()> {
    doomed.iter().try_for_each(|one| match &one.recording {
        Ok(recording) => line(out, recording, recording.state()),
        Err(why) => writeln!(
            out,
            "{}  its card can't be read: {}",
            one.id.short(),
            plain(why)
        ),
    })
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
    let state = standing(recording, state);
    write!(
        out,
        "{}  {at}  {length:>8}  {state:<11}  {}",
        recording.id.short(),
        plain(&card.title)
    )?;
    for tag in &card.tags {
        write!(out, " #{}", plain(&shown_tag(tag)))?;
    }
    let missing = match recording.sound_left() {
        // All of it, which is said.
        SoundLeft::Lost => None,
        SoundLeft::Here | SoundLeft::Shredded => recording.missing_in_words(),
    };
    let lacks = recording.lacks().map(str::to_owned);
    let lacks: Vec<String> = lacks.into_iter().chain(missing).collect();
    match lacks.is_empty() {
        true => writeln!(out),
        false => writeln!(out, " ({})", lacks.join("; ")),
    }
}

/// Where it stands, in words that fit their column.
fn standing(recording: &Recording, state: State) -> String {
    match state {
        // Nothing failed: its sound was shredded or lost before anybody heard it.
        State::Failed if recording.card.failure.is_none() => "no text".to_owned(),
        state => state.to_string(),
    }
}

pub(super) fn made(out: Out<'_>, outcome: &transcribe::Outcome) -> io::Result<()> {
    outcome
        .made
        .iter()
        .try_for_each(|made| writeln!(out, "{} version {}", made.id, made.version))
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

/// Where text goes that others wrote: what is said in a recording, and its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Characters that do something to it, or to the order of others, are left out.
    Terminal,
    /// A file or a program, which gets the text as it is.
    Other,
}

pub(super) fn show(
    out: Out<'_>,
    outcome: &show::Outcome,
    form: TextFormat,
    reader: Reader,
) -> io::Result<()> {
    let told = |text: String| match reader {
        Reader::Terminal => plain_lines(&text),
        Reader::Other => text,
    };
    match outcome {
        show::Outcome::One(shown) => {
            let text = match &shown.transcript {
                Some(transcript) => form.render(&shown.recording, transcript)?,
                None => return recording_json(out, &shown.recording),
            };
            let text = match form {
                // For programs, wherever it goes.
                TextFormat::Json => text,
                _ => told(text),
            };
            out.write_all(text.as_bytes())
        }
        show::Outcome::Two(from, to) => {
            let (Some(old), Some(new)) = (&from.transcript, &to.transcript) else {
                return Ok(());
            };
            for change in diff::words(old, new) {
                let line = match change {
                    Change::Same(text) => format!("  {text}"),
                    Change::Removed(text) => format!("- {text}"),
                    Change::Added(text) => format!("+ {text}"),
                };
                writeln!(out, "{}", told(line))?;
            }
            Ok(())
        }
    }
}

/// A line for each damage, and one that says what was looked at.
pub(super) fn verified(out: Out<'_>, verified: &Verified) -> io::Result<()> {
    for flaw in &verified.flaws {
        writeln!(out, "{}", plain(&verify::line(flaw)))?;
    }
    let Verified {
        recordings,
        records,
        bytes,
        idle_bytes,
        ..
    } = verified;
    writeln!(
        out,
        "checked {recordings} recordings, {records} records, {bytes} bytes, of which {idle_bytes} hold nothing"
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

/// A line for each way in: its name, its kind, when it was added.
pub(super) fn keys(out: Out<'_>, keys: &[key::Listed]) -> io::Result<()> {
    let width = |column: fn(&key::Listed) -> usize| keys.iter().map(column).max().unwrap_or(0);
    let (name, kind) = (width(|one| one.name.len()), width(|one| one.kind.len()));
    for key in keys {
        let made_at = key
            .made_at
            .map(|at| at.to_zoned().strftime("%Y-%m-%d %H:%M").to_string());
        let line = format!(
            "{:name$}  {:kind$}  {}",
            plain(&key.name),
            key.kind,
            made_at.unwrap_or_default()
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A line for each thing looked at, and under what is wrong what to do.
pub(super) fn checks(out: Out<'_>, checks: &[Check]) -> io::Result<()> {
    for check in checks {
        let mark = if check.ok { "ok  " } else { "!!  " };
        writeln!(out, "{mark}{:<12}  {}", check.name, plain(&check.found))?;
        if let Some(hint) = &check.hint {
            writeln!(out, "      {:<10}  hint: {}", "", plain(hint))?;
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::recording::{Gap, sample};

    fn listed(change: impl FnOnce(&mut Recording)) -> String {
        let mut recording = sample::recording(Moment {
            unix_ms: 0,
            offset_s: 0,
        });
        recording.card.title = "Call".to_owned();
        change(&mut recording);
        let mut out = Vec::new();
        list(&mut out, &[recording.into()]).unwrap();
        String::from_utf8(out).unwrap().trim_end().to_owned()
    }

    #[test]
    fn a_line_says_what_is_missing_of_a_recording_and_what_was_shredded() {
        let gap = |seconds: u64| Gap {
            at_sample: 0,
            samples: seconds * 48_000,
        };
        let whole = listed(|_| ());
        assert!(whole.ends_with("pending      Call"), "{whole}");
        let gappy = listed(|one| one.card.gaps = vec![gap(2), gap(3)]);
        assert!(
            gappy.ends_with("Call (5.0 s of its sound are missing)"),
            "{gappy}"
        );
        let shred = |one: &mut Recording| {
            one.audio_bytes = 0;
            one.sound_shredded = true;
        };
        let silenced = listed(shred);
        assert!(
            silenced.ends_with("no text      Call (sound shredded)"),
            "{silenced}"
        );
        let failed = listed(|one| one.card.failure = Some("no memory".to_owned()));
        assert!(failed.ends_with("failed       Call"), "{failed}");
        let lost = listed(|one| {
            one.audio_bytes = 0;
            one.card.gaps = vec![gap(1)];
        });
        assert!(lost.ends_with("no text      Call (sound lost)"), "{lost}");
        let both = listed(|one| {
            shred(one);
            one.card.gaps = vec![gap(1)];
        });
        // What was shredded is not missing.
        assert!(both.ends_with("Call (sound shredded)"), "{both}");
    }
}
