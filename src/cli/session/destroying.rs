//! Commands that destroy a part of what a recording says, or what is left of
//! what was destroyed.

use super::{NO_TERMINAL, Session};
use crate::cli::definition::RedactArgs;
use crate::cli::print;
use crate::command::{Progress, redact, scrub};
use crate::error::{Exit, Failure};
use crate::time::parse_position;

impl Session {
    pub(super) fn redact(&self, args: RedactArgs) -> Result<Exit, Failure> {
        let wanted = redact::Args {
            id: args.id,
            from: parse_position(&args.from)?,
            to: parse_position(&args.to)?,
        };
        let plan = redact::plan(&self.context, &wanted, &self.console)?;
        if !args.yes && !Self::agreed_to_redact(&plan)? {
            let why = "the answer was no";
            return Err(Failure::new(Exit::Failed, "nothing was redacted", why));
        }
        let outcome = redact::run(&self.context, &plan, &self.console)?;
        self.print(|out| match self.json {
            true => print::redacted_json(out, &outcome, &plan),
            false => print::redacted(out, &outcome, &plan),
        })?;
        // All of its sound was sealed anew, and lies there twice.
        if let Some(offer) = scrub::offer(&self.context, plan.recording.audio_bytes) {
            self.console.note(offer);
        }
        let receipt = outcome.redacted.receipt;
        receipt.failure().map_or(Ok(Exit::Done), Err)
    }

    /// Names the recording, the span and the words, and asks; the default is no.
    fn agreed_to_redact(plan: &redact::Plan) -> Result<bool, Failure> {
        let refusal = Failure::new(Exit::Usage, "can't redact", NO_TERMINAL)
            .hint("--yes redacts without asking");
        Self::agreed(refusal, |err| {
            print::redaction_plan(err, plan)?;
            write!(err, "silence this span and destroy its words for good?")
        })
    }

    pub(super) fn scrub(&self) -> Result<Exit, Failure> {
        let scrubbed = scrub::run(&self.context, &self.console)?;
        self.print(|out| match self.json {
            true => print::scrubbed_json(out, &scrubbed),
            false => print::scrubbed(out, &scrubbed),
        })?;
        scrubbed.failure().map_or(Ok(Exit::Done), Err)
    }
}
