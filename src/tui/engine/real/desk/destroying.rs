//! Shredding and redacting what the person pointed at, and the receipts for it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::Desk;
use crate::command::{redact, scrub, shred};
use crate::error::{Exit, Failure};
use crate::recording::RecordingId;
use crate::tui::engine::Answer;
use crate::tui::engine::real::errands::Errand;
use crate::tui::engine::real::finder::Find;
use crate::tui::engine::real::notes::Notes;
use crate::tui::view::words::several;
use crate::vault::{Receipt, ShredScope};

impl Desk {
    /// Answers in place of what was to be destroyed, which the screen waits for, where it
    /// failed. That the vault is locked is left to whoever tells of that.
    pub(super) fn destroyed(&self, done: Result<(), Failure>) -> Result<(), Failure> {
        match done {
            Err(failure) if failure.exit != Exit::Locked => {
                self.shared.tell(Answer::DestroyingFailed(failure));
                Ok(())
            }
            done => done,
        }
    }

    pub(super) fn shred(&mut self, ids: &[RecordingId]) -> Result<(), Failure> {
        let open = Arc::clone(self.open()?);
        let receipt = shred::run(
            &self.shared.context,
            ids,
            ShredScope::Everything,
            &Notes::default(),
        )?;
        let gone: Vec<_> = receipt
            .shredded
            .iter()
            .map(|shredded| shredded.id)
            .collect();
        let _ = self.finder.send(Find::Remove(gone.clone()));
        let _ = self.errands.send(Errand::Forget);
        let mut told = lines(&receipt);
        if let Some(offer) = scrub::offer(&self.shared.context, receipt.audio_bytes()) {
            told.extend([String::new(), format!("{offer}.")]);
        }
        self.shared.tell(Answer::Shredded {
            ids: gone,
            receipt: told,
        });
        self.revision = Some(open.revision()?);
        Ok(())
    }

    pub(super) fn redact(&mut self, id: RecordingId, span_ms: &Range<u32>) -> Result<(), Failure> {
        let open = Arc::clone(self.open()?);
        let at = |ms: u32| Duration::from_millis(ms.into());
        // A transcript may end a little behind the sound.
        let length = open.recording(id)?.card.duration();
        let args = redact::Args {
            id: id.to_string(),
            from: at(span_ms.start),
            to: at(span_ms.end).min(length),
        };
        let notes = Notes::default();
        let plan = redact::plan(&self.shared.context, &args, &notes)?;
        let outcome = redact::run(&self.shared.context, &plan, &notes)?;
        // Its loudness was another one.
        let _ = self.errands.send(Errand::Forget);
        self.transcribed(id)?;
        if let Some(transcriber) = &self.transcriber {
            transcriber.nudge();
        }
        let sound = match plan.recording.audio_bytes {
            0 => "",
            _ => "in its sound and ",
        };
        let first = format!(
            "Redacted for good: the sentence, {sound}in {}.",
            several(
                outcome.redacted.transcripts as usize,
                "transcript",
                "transcripts"
            )
        );
        let mut receipt = lines_behind(first, &outcome.redacted.receipt);
        receipt.extend(notes.take());
        receipt.push(String::new());
        receipt.extend(outcome.to_check());
        let advice = "The times of words are estimates: read what is left, in every version.";
        receipt.push(advice.to_owned());
        if let Some(offer) = scrub::offer(&self.shared.context, plan.recording.audio_bytes) {
            receipt.extend([String::new(), format!("{offer}.")]);
        }
        self.shared.tell(Answer::Redacted {
            recording: Box::new(open.recording(id)?),
            receipt,
        });
        Ok(())
    }
}

/// The receipt, line by line.
fn lines(receipt: &Receipt) -> Vec<String> {
    let done = match receipt.not_final {
        None => "Destroyed for good",
        Some(_) => "Destroyed, and not final",
    };
    let first = match receipt.shredded.as_slice() {
        [_] => format!("{done}: 1 recording."),
        many => format!("{done}: {} recordings.", many.len()),
    };
    lines_behind(first, receipt)
}

pub(in crate::tui::engine::real) fn lines_behind(first: String, receipt: &Receipt) -> Vec<String> {
    let mut lines = vec![first];
    if let Some(why) = &receipt.not_final {
        lines.push(format!(
            "NOT FINAL: {why}. `voxvault passwd` overwrites all of it once more."
        ));
    }
    lines.push(String::new());
    lines.extend(receipt.erased.iter().map(|what| format!("erased: {what}")));
    if !receipt.not_erased.is_empty() {
        lines.push(String::new());
        lines.push("Out of reach:".to_owned());
        lines.extend(
            receipt
                .not_erased
                .iter()
                .map(|one| format!("  {} ({}): {}", one.what, one.where_, one.why)),
        );
    }
    lines.extend(
        receipt
            .backups_still_holding
            .iter()
            .map(|backup| format!("  the backup {} still holds it", backup.path)),
    );
    lines
}
