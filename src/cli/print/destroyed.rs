//! What was destroyed and what is out of reach: receipts.

use std::io;

use serde_json::{Value, json};

use super::json::document;
use super::{Out, moment};
use crate::command::redact::{Outcome, Plan};
use crate::command::shred::Doomed;
use crate::command::wipe::Target;
use crate::error::plain;
use crate::recording::SoundLeft;
use crate::time;
use crate::vault::{Receipt, Scrubbed};

/// What was shredded, what is out of reach, in words.
pub(in crate::cli) fn receipt(
    out: Out<'_>,
    receipt: &Receipt,
    doomed: &[Doomed],
) -> io::Result<()> {
    let is_final = receipt.not_final.is_none();
    for one in &receipt.shredded {
        let title = doomed.iter().find(|doomed| doomed.id == one.id);
        let title = title.map_or("", Doomed::title);
        writeln!(
            out,
            "{} {}  {}  ({}, {}); {}",
            if is_final { "shredded" } else { "NOT FINAL:" },
            one.id.short(),
            plain(title),
            sound(one.audio_bytes),
            transcripts(one.transcripts),
            if is_final {
                "its keys are destroyed"
            } else {
                "an older copy of its keys could not be overwritten"
            },
        )?;
    }
    reach(out, receipt)
}

fn sound(bytes: Option<u64>) -> String {
    match bytes {
        Some(bytes) => format!("{bytes} bytes of sound"),
        None => "sound of a size that can't be read".to_owned(),
    }
}

fn transcripts(many: Option<u32>) -> String {
    match many {
        Some(1) => "1 transcript".to_owned(),
        Some(many) => format!("{many} transcripts"),
        None => "all transcripts that it had".to_owned(),
    }
}

/// What became of a whole vault.
pub(in crate::cli) fn wiped(out: Out<'_>, target: &Target, receipt: &Receipt) -> io::Result<()> {
    let done = match receipt.not_final {
        None => "destroyed",
        Some(_) => "NOT ALL DESTROYED:",
    };
    writeln!(out, "{done} {}", plain(&target.dir.display().to_string()))?;
    reach(out, receipt)
}

/// What was erased and what was not, a line each.
pub(super) fn reach(out: Out<'_>, receipt: &Receipt) -> io::Result<()> {
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

/// What would be redacted, so that a person can be asked.
pub(in crate::cli) fn redaction_plan(out: Out<'_>, plan: &Plan) -> io::Result<()> {
    super::recording(out, &plan.recording)?;
    writeln!(out, "  from {}", span(plan))?;
    match plan.words.as_str() {
        "" => writeln!(out, "  its newest transcript says nothing there"),
        words => writeln!(out, "  words that go: {}", plain(words)),
    }
}

/// What was redacted, what stays, what is out of reach, in words.
pub(in crate::cli) fn redacted(out: Out<'_>, outcome: &Outcome, plan: &Plan) -> io::Result<()> {
    let done = &outcome.redacted;
    let s = if done.transcripts == 1 { "" } else { "s" };
    let sound = match plan.recording.sound_left() {
        SoundLeft::Shredded => "its sound was shredded before",
        SoundLeft::Lost => "its sound was lost before",
        SoundLeft::Here => "its sound is silent there",
    };
    writeln!(
        out,
        "redacted {}  {}  from {}: {sound}, and {} transcript{s} lost words",
        done.id.short(),
        plain(&plan.recording.card.title),
        span(plan),
        done.transcripts,
    )?;
    for line in outcome.to_check() {
        writeln!(out, "{line}")?;
    }
    if !plan.recording.versions.is_empty() {
        writeln!(
            out,
            "the times of words are estimates: read what is left with `voxvault show {}`",
            done.id.short()
        )?;
    }
    writeln!(out, "its title, tags and note were not touched")?;
    reach(out, &done.receipt)
}

/// `0:12.0 to 0:14.5`.
fn span(plan: &Plan) -> String {
    span_of(plan.seconds())
}

/// To a tenth of a second, or to a thousandth where that would say nothing.
fn span_of(seconds: std::ops::Range<f64>) -> String {
    let at = |position: f64, parts: f64, digits: usize| {
        let clock = time::clock(std::time::Duration::from_secs_f64(position));
        let part = (position * parts) as u64 % parts as u64;
        format!("{clock}.{part:0digits$}")
    };
    let both = |parts: f64, digits: usize| {
        (
            at(seconds.start, parts, digits),
            at(seconds.end, parts, digits),
        )
    };
    let (from, to) = match both(10.0, 1) {
        (from, to) if from == to => both(1000.0, 3),
        both => both,
    };
    format!("{from} to {to}")
}

/// What a scrub did, in words.
pub(in crate::cli) fn scrubbed(out: Out<'_>, done: &Scrubbed) -> io::Result<()> {
    writeln!(
        out,
        "the store had {} bytes and has {} now",
        done.before_bytes, done.after_bytes
    )?;
    reach(out, &done.receipt)
}

/// What was shredded, as JSON.
pub(in crate::cli) fn receipt_json(out: Out<'_>, receipt: &Receipt) -> io::Result<()> {
    let shredded: Vec<Value> = receipt
        .shredded
        .iter()
        .map(|one| {
            json!({
                "id": one.id.to_string(),
                "audio_bytes": one.audio_bytes,
                "transcripts": one.transcripts,
                "key_destroyed": receipt.not_final.is_none(),
            })
        })
        .collect();
    with_reach(out, "shredded", &json!(shredded), receipt)
}

/// What was redacted, as JSON.
pub(in crate::cli) fn redacted_json(
    out: Out<'_>,
    outcome: &Outcome,
    plan: &Plan,
) -> io::Result<()> {
    let done = &outcome.redacted;
    let beside: Vec<Value> = outcome
        .beside
        .iter()
        .map(|one| json!({ "transcript": one.transcript, "text": one.words, "times_doubted": one.is_doubted }))
        .collect();
    let seconds = plan.seconds();
    let redacted = json!({
        "id": done.id.to_string(),
        "from_s": seconds.start,
        "to_s": seconds.end,
        "transcripts": done.transcripts,
        "listened": !plan.outtake.heard.is_empty(),
        "beside": beside,
    });
    with_reach(out, "redacted", &redacted, &done.receipt)
}

/// What a scrub did, as JSON.
pub(in crate::cli) fn scrubbed_json(out: Out<'_>, done: &Scrubbed) -> io::Result<()> {
    let scrubbed = json!({
        "before_bytes": done.before_bytes,
        "after_bytes": done.after_bytes,
    });
    with_reach(out, "scrubbed", &scrubbed, &done.receipt)
}

fn with_reach(out: Out<'_>, name: &str, done: &Value, receipt: &Receipt) -> io::Result<()> {
    with_reach_and(out, &[(name, done.clone())], receipt)
}

/// The receipt behind these fields.
pub(super) fn with_reach_and(
    out: Out<'_>,
    done: &[(&str, Value)],
    receipt: &Receipt,
) -> io::Result<()> {
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
    let mut all = json!({
        "erased": receipt.erased,
        "not_erased": not_erased,
        "backups_still_holding": backups,
        "not_final": receipt.not_final,
    });
    if let Value::Object(fields) = &mut all {
        let done = done.iter().cloned();
        fields.extend(done.map(|(name, value)| (name.to_owned(), value)));
    }
    document(out, &all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_says_where_it_ends_also_where_it_is_shorter_than_a_tenth_of_a_second() {
        assert_eq!(span_of(12.0..14.5), "0:12.0 to 0:14.5");
        assert_eq!(span_of(8.1..8.1625), "0:08.100 to 0:08.162");
    }
}
