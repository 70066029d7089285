//! Retention: the rules, what goes by them and when, and what a sweep destroyed.

use std::io;

use serde_json::{Value, json};

use super::destroyed::{reach, with_reach_and};
use super::json::document;
use super::{Out, moment};
use crate::error::plain;
use crate::retention::{ClockVerdict, Keep};
use crate::vault::{Expiry, Outlook, Swept};

/// The rules, a line each, and how much goes by them.
pub(in crate::cli) fn rules(out: Out<'_>, outlook: &Outlook) -> io::Result<()> {
    if outlook.rules.is_empty() {
        return writeln!(out, "no rules: everything is kept forever");
    }
    for rule in &outlook.rules {
        writeln!(out, "{}", plain(&rule.to_string()))?;
    }
    let (due, later) = (outlook.due.len(), outlook.later.len());
    let waiting = match outlook.once_transcribed.len() {
        0 => String::new(),
        many => format!(", once transcribed: {many}"),
    };
    writeln!(
        out,
        "due now: {due}, later: {later}{waiting}, pinned: {}",
        outlook.pinned
    )
}

/// Exactly what would go, and when: first what is due, then what comes later, last what
/// waits for a transcript.
pub(in crate::cli) fn outlook(out: Out<'_>, outlook: &Outlook) -> io::Result<()> {
    if [&outlook.due, &outlook.later, &outlook.once_transcribed]
        .iter()
        .all(|list| list.is_empty())
    {
        return writeln!(out, "nothing will go by the rules as they are");
    }
    for expiry in &outlook.due {
        write!(out, "due now           ")?;
        line(out, expiry)?;
    }
    let date = |expiry: &Expiry| expiry.at.to_zoned().strftime("%Y-%m-%d %H:%M").to_string();
    for expiry in &outlook.later {
        write!(out, "{}  ", date(expiry))?;
        line(out, expiry)?;
    }
    for expiry in &outlook.once_transcribed {
        match expiry.at.unix_ms <= outlook.at.unix_ms {
            true => write!(out, "once transcribed  ")?,
            false => write!(out, "once transcribed, from {} on  ", date(expiry))?,
        }
        line(out, expiry)?;
    }
    Ok(())
}

fn line(out: Out<'_>, expiry: &Expiry) -> io::Result<()> {
    let title = match &expiry.recording {
        Ok(recording) => plain(&recording.card.title),
        Err(_) => "(its card can't be read)".to_owned(),
    };
    let (id, what) = (expiry.id.short(), expiry.what.name());
    write!(out, "{id}  {what:<10}  {title}  [{}]", plain(&expiry.by))?;
    match expiry.goes_unheard() {
        true => writeln!(
            out,
            "; its transcription failed: nothing is left of what was said"
        ),
        false => writeln!(out),
    }
}

/// What was destroyed, and what is out of reach.
pub(in crate::cli) fn swept(out: Out<'_>, swept: &Swept) -> io::Result<()> {
    let is_final = swept.receipt.not_final.is_none();
    for expiry in &swept.gone {
        let done = if is_final { "shredded" } else { "NOT FINAL:" };
        write!(out, "{done} ")?;
        line(out, expiry)?;
    }
    reach(out, &swept.receipt)
}

/// The rules, as JSON.
pub(in crate::cli) fn rules_json(out: Out<'_>, outlook: &Outlook) -> io::Result<()> {
    let mut document_of = outlook_value(outlook);
    if let Value::Object(fields) = &mut document_of {
        fields.insert("rules".to_owned(), rules_value(outlook));
    }
    document(out, &document_of)
}

/// What would go, and when, as JSON.
pub(in crate::cli) fn outlook_json(out: Out<'_>, outlook: &Outlook) -> io::Result<()> {
    document(out, &outlook_value(outlook))
}

fn rules_value(outlook: &Outlook) -> Value {
    let keep = |keep: Option<Keep>| keep.map(|keep| keep.to_string());
    let rules = outlook
        .rules
        .iter()
        .map(|rule| json!({ "tag": rule.tag, "audio": keep(rule.audio), "text": keep(rule.text) }));
    json!(rules.collect::<Vec<_>>())
}

fn outlook_value(outlook: &Outlook) -> Value {
    let expiries =
        |expiries: &[Expiry]| json!(expiries.iter().map(expiry_value).collect::<Vec<_>>());
    json!({
        "due": expiries(&outlook.due),
        "later": expiries(&outlook.later),
        "once_transcribed": expiries(&outlook.once_transcribed),
        "pinned": outlook.pinned,
        "last_seen": moment(outlook.last_seen_ms),
        "believed": moment(outlook.believed_ms),
        "clock": match outlook.clock {
            ClockVerdict::Right => "right",
            ClockVerdict::Ahead => "ahead",
            ClockVerdict::Behind => "behind",
        },
    })
}

fn expiry_value(expiry: &Expiry) -> Value {
    let recording = expiry.recording.as_ref();
    json!({
        "id": expiry.id.to_string(),
        "title": recording.ok().map(|recording| &recording.card.title),
        "at": expiry.at.to_string(),
        "what": expiry.what.name(),
        "rule": expiry.by,
    })
}

/// What a sweep destroyed, as JSON: the receipt of a shred, with what went of each
/// recording and by which rule.
pub(in crate::cli) fn swept_json(out: Out<'_>, swept: &Swept) -> io::Result<()> {
    let receipt = &swept.receipt;
    let shredded = swept
        .gone
        .iter()
        .zip(&receipt.shredded)
        .map(|(expiry, one)| {
            json!({
                "id": one.id.to_string(),
                "audio_bytes": one.audio_bytes,
                "transcripts": one.transcripts,
                "key_destroyed": receipt.not_final.is_none(),
                "what": expiry.what.name(),
                "rule": expiry.by,
            })
        });
    let shredded = json!(shredded.collect::<Vec<_>>());
    let failed = swept
        .failed
        .iter()
        .map(|(id, why)| json!({ "id": id.to_string(), "why": why }));
    let failed = json!(failed.collect::<Vec<_>>());
    with_reach_and(out, &[("shredded", shredded), ("failed", failed)], receipt)
}

/// The same of a sweep that found nothing to do.
pub(in crate::cli) fn nothing_swept_json(out: Out<'_>) -> io::Result<()> {
    document(
        out,
        &json!({
            "shredded": [], "failed": [], "erased": [], "not_erased": [],
            "backups_still_holding": [], "not_final": null,
        }),
    )
}
