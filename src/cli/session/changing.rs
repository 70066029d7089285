//! Commands that change recordings, or destroy them.

use std::io::{self, BufRead, IsTerminal, Write};

use super::{NO_TERMINAL, Session};
use crate::cli::definition::{EditArgs, ShredArgs, VerifyArgs};
use crate::cli::{print, unprintable};
use crate::command::edit::Revisions;
use crate::command::shred::Doomed;
use crate::command::tag::TagChange;
use crate::command::{Progress, edit, scrub, shred, verify, wipe};
use crate::error::{Exit, Failure, plain};
use crate::recording::Recording;
use crate::tui::editor::{self, Ending};
use crate::vault::ShredScope;

impl Session {
    pub(super) fn edit(&self, args: EditArgs) -> Result<Exit, Failure> {
        if args.text && !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
            let why = "there is no terminal";
            return Err(Failure::new(Exit::Usage, "can't open the editor", why));
        }
        let tags = args
            .tags
            .iter()
            .map(|tag| TagChange::parse(tag))
            .collect::<Result<_, _>>()?;
        let pinned = (args.pin || args.unpin).then_some(args.pin);
        let wanted = edit::Args {
            id: args.id,
            title: args.title,
            tags,
            note: args.note,
            pinned,
            revisions: match args.forget {
                true => Revisions::Forget,
                false => Revisions::Leave,
            },
        };
        let recording = match args.text {
            true => self.edit_text(&wanted)?,
            false => edit::run(&self.context, &wanted, &self.console)?,
        };
        self.print(|out| match self.json {
            true => print::recording_json(out, &recording),
            false => Ok(()),
        })
    }

    pub(super) fn verify(&self, args: &VerifyArgs) -> Result<Exit, Failure> {
        let mode = match args.repair {
            true => verify::Mode::Repair,
            false => verify::Mode::Look,
        };
        if mode == verify::Mode::Look {
            self.console.let_go();
        }
        let verified = verify::run(&self.context, mode, &self.console)?;
        for note in &verified.notes {
            self.console.note(note);
        }
        self.print(|out| match self.json {
            true => print::verified_json(out, &verified),
            false => print::verified(out, &verified),
        })?;
        verify::failure(&verified, mode).map_or(Ok(Exit::Done), Err)
    }

    /// Opens the editor, and does whatever else is wanted once it is left.
    fn edit_text(&self, wanted: &edit::Args) -> Result<Recording, Failure> {
        let draft = edit::draft(&self.context, &wanted.id, &self.console)?;
        let number = draft.number;
        let title = plain(&draft.recording.card.title);
        let heading = format!("{title} · version {number} · {}", draft.transcript.model);
        let ending = self
            .console
            .undisturbed(|| editor::edit(&heading, &draft.transcript))?;
        let kept = match ending {
            Ending::Keep(lines) => edit::keep(&self.context, &draft, &lines)?,
            Ending::Discard => None,
        };
        self.console.note(&match kept {
            Some(number) => format!("stored as version {number}"),
            None => "nothing was changed".to_owned(),
        });
        let id = draft.recording.id;
        if wanted.changes_anything() {
            let wanted = edit::Args {
                id: id.to_string(),
                ..wanted.clone()
            };
            return edit::run(&self.context, &wanted, &self.console);
        }
        Ok(self.context.unlocked()?.recording(id)?)
    }

    pub(super) fn shred(&self, args: ShredArgs) -> Result<Exit, Failure> {
        if args.everything {
            return self.shred_everything();
        }
        let scope = if args.audio_only {
            ShredScope::Sound
        } else {
            ShredScope::Everything
        };
        let wanted = shred::Args {
            which: args.which,
            scope,
        };
        let doomed = shred::plan(&self.context, &wanted, &self.console)?;
        if args.dry_run {
            return self.print(|out| match self.json {
                true => print::doomed_json(out, &doomed),
                false => print::doomed(out, &doomed),
            });
        }
        if !args.yes && !Self::agreed_to_shred(&doomed, scope)? {
            let why = "the answer was no";
            return Err(Failure::new(Exit::Failed, "nothing was shredded", why));
        }
        let ids: Vec<_> = doomed.iter().map(|one| one.id).collect();
        let receipt = shred::run(&self.context, &ids, scope, &self.console)?;
        self.print(|out| match self.json {
            true => print::receipt_json(out, &receipt),
            false => print::receipt(out, &receipt, &doomed),
        })?;
        if let Some(offer) = scrub::offer(&self.context, receipt.audio_bytes()) {
            self.console.note(offer);
        }
        receipt.failure().map_or(Ok(Exit::Done), Err)
    }

    /// Names what would be destroyed and asks; the default is no.
    fn agreed_to_shred(doomed: &[Doomed], scope: ShredScope) -> Result<bool, Failure> {
        let refusal = Failure::new(Exit::Usage, "can't shred", NO_TERMINAL)
            .hint("--yes shreds without asking, --dry-run says what would go");
        Self::agreed(refusal, |err| {
            print::doomed(err, doomed)?;
            let number = doomed.len();
            let s = if number == 1 { "" } else { "s" };
            let what = match scope {
                ShredScope::Everything => "",
                ShredScope::Sound => "the sound of ",
            };
            write!(err, "destroy {what}{number} recording{s} for good?")
        })
    }

    fn shred_everything(&self) -> Result<Exit, Failure> {
        let target = wipe::target(&self.context)?;
        let typed = ask_name(&target)?;
        // Of a name that can't be typed, what is shown of it is asked for.
        let shown = plain(&target.name);
        if typed != target.name && typed != shown {
            let why = "what was typed is not the name of the vault";
            return Err(Failure::new(Exit::Failed, "nothing was destroyed", why)
                .about(target.dir.display())
                .hint(format!("its name is {shown}")));
        }
        let receipt = wipe::run(&self.context, &target, &self.console)?;
        self.print(|out| match self.json {
            true => print::receipt_json(out, &receipt),
            false => print::wiped(out, &target, &receipt),
        })?;
        wipe::failure(&target, &receipt).map_or(Ok(Exit::Done), Err)
    }
}

/// Asks for the name of the vault; without a terminal it is the first line of
/// standard input.
fn ask_name(target: &wipe::Target) -> Result<String, Failure> {
    let unasked = |why: &str| {
        Failure::new(Exit::Usage, "can't destroy the vault", why)
            .about(target.dir.display())
            .hint("give its name on standard input, or run this on a terminal")
    };
    if io::stdin().is_terminal() {
        if !io::stderr().is_terminal() {
            return Err(unasked("there is no terminal to ask on"));
        }
        let mut err = io::stderr().lock();
        let asked = write!(
            err,
            "{}\nThis destroys the whole vault for good; nobody can bring it back.\n\
             Type its name, {}, to destroy it: ",
            plain(&target.dir.display().to_string()),
            plain(&target.name),
        );
        asked.and_then(|()| err.flush()).map_err(unprintable)?;
    }
    let mut typed = Vec::new();
    io::stdin()
        .lock()
        .read_until(b'\n', &mut typed)
        .map_err(unprintable)?;
    match String::from_utf8_lossy(&typed).trim_end_matches(['\r', '\n']) {
        "" if !io::stdin().is_terminal() => {
            Err(unasked("there is no terminal, and no name was given"))
        }
        typed => Ok(typed.to_owned()),
    }
}
