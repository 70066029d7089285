//! How long recordings are kept: rules, what goes by them and when, and sweeps.

use super::Session;
use crate::cli::definition::RetainArgs;
use crate::cli::print;
use crate::command::{Progress, retain, scrub};
use crate::error::{Exit, Failure};
use crate::retention::{Keep, Trust};
use crate::vault::Outlook;

impl Session {
    pub(super) fn retain(&self, args: &RetainArgs) -> Result<Exit, Failure> {
        match args {
            RetainArgs {
                apply: true,
                dry_run: true,
                ..
            } => {
                let outlook = retain::outlook(&self.context, &self.console)?;
                self.note_clock(&outlook);
                self.print(|out| match self.json {
                    true => print::outlook_json(out, &outlook),
                    false => print::outlook(out, &outlook),
                })
            }
            RetainArgs { apply: true, .. } => self.sweep(match args.clock_is_right {
                true => Trust::Confirmed,
                false => Trust::IfPlausible,
            }),
            _ => {
                let outlook = match change(args)? {
                    Some(change) => retain::change(&self.context, &change, &self.console)?,
                    None => retain::outlook(&self.context, &self.console)?,
                };
                self.note_clock(&outlook);
                self.print(|out| match self.json {
                    true => print::rules_json(out, &outlook),
                    false => print::rules(out, &outlook),
                })
            }
        }
    }

    fn note_clock(&self, outlook: &Outlook) {
        if let Some(note) = retain::clock_note(outlook) {
            self.console.note(&note);
        }
    }

    fn sweep(&self, trust: Trust) -> Result<Exit, Failure> {
        let Some(swept) = retain::apply(&self.context, trust, &self.console)? else {
            self.console.note("nothing is due by the retention rules");
            return self.print(|out| match self.json {
                true => print::nothing_swept_json(out),
                false => Ok(()),
            });
        };
        self.print(|out| match self.json {
            true => print::swept_json(out, &swept),
            false => print::swept(out, &swept),
        })?;
        if let Some(offer) = scrub::offer(&self.context, swept.receipt.audio_bytes()) {
            self.console.note(offer);
        }
        retain::failure(&swept).map_or(Ok(Exit::Done), Err)
    }
}

/// What is to be changed, if anything is.
fn change(args: &RetainArgs) -> Result<Option<retain::Change>, Failure> {
    let keep = |text: &Option<String>| -> Result<Option<Keep>, Failure> {
        Ok(text.as_ref().map(|text| text.parse()).transpose()?)
    };
    let (audio, text) = (keep(&args.audio)?, keep(&args.text)?);
    let tag = args.tag.as_ref();
    let tag = tag.map(|tag| tag.strip_prefix('#').unwrap_or(tag).to_owned());
    match (args.remove, audio, text) {
        (true, ..) => Ok(Some(retain::Change::Remove { tag })),
        (false, None, None) if tag.is_some() && !args.show => {
            let why = "a tag alone sets nothing";
            Err(Failure::new(Exit::Usage, "can't use the arguments", why)
                .hint("give --audio, --text or --remove with it"))
        }
        (false, None, None) => Ok(None),
        (false, audio, text) => Ok(Some(retain::Change::Set { tag, audio, text })),
    }
}
