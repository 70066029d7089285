//! Commands that find recordings, show them, and write copies of them.

use std::io::{self, IsTerminal};
use std::path::Path;

use super::Session;
use crate::cli::definition::{ExportArgs, ExportForm, SearchArgs, ShowArgs, TextForm};
use crate::cli::print;
use crate::cli::stdout::UntilStopped;
use crate::command::text::TextFormat;
use crate::command::{Progress, export, search, show};
use crate::error::{Exit, Failure};
use crate::recording::{SoundLeft, State};
use crate::worker::sounding::SoundFormat;

impl Session {
    pub(super) fn search(&self, args: &SearchArgs) -> Result<Exit, Failure> {
        let wanted = search::Args {
            query: query_of(&args.query),
            limit: args.limit,
        };
        let outcome = search::run(&self.context, &wanted, &self.console)?;
        self.print(|out| match self.json {
            true => print::search_json(out, &wanted.query, &outcome),
            false => print::search(out, &outcome),
        })
    }

    pub(super) fn show(&self, args: &ShowArgs) -> Result<Exit, Failure> {
        let diff = args
            .diff
            .as_ref()
            .and_then(|pair| Some((*pair.first()?, *pair.get(1)?)));
        let wanted = show::Args {
            id: args.id.clone(),
            version: args.version,
            diff,
        };
        let outcome = show::run(&self.context, &wanted, &self.console)?;
        let format = match args.format {
            Some(format) => text_format(format),
            None if self.json => TextFormat::Json,
            None => TextFormat::Txt,
        };
        if let show::Outcome::One(shown) = &outcome
            && shown.transcript.is_none()
            && format != TextFormat::Json
        {
            let nothing = |why| {
                Failure::new(Exit::NotFound, "nothing to show", why)
                    .about(shown.recording.id.short())
            };
            let recording = &shown.recording;
            return Err(match recording.state() {
                _ if recording.text_shredded => nothing("its text was shredded"),
                State::Silent => nothing("there is nothing to hear in it"),
                _ if recording.sound_shredded => {
                    nothing("its sound was shredded before it was transcribed")
                }
                _ if recording.sound_left() == SoundLeft::Lost => {
                    nothing("its sound is lost, and it has no transcript")
                        .hint("`voxvault restore` brings it back from a backup that has it")
                }
                _ => nothing("it has no transcript yet").hint("`voxvault transcribe` makes one"),
            });
        }
        let (show::Outcome::One(shown) | show::Outcome::Two(shown, _)) = &outcome;
        if let Some(missing) = shown.recording.missing_in_words()
            && !(self.json || format == TextFormat::Json)
        {
            let id = shown.recording.id.short();
            self.console.note(&format!("{id}: {missing}"));
        }
        let reader = match io::stdout().is_terminal() {
            true => print::Reader::Terminal,
            false => print::Reader::Other,
        };
        self.print(|out| match (&outcome, self.json) {
            (show::Outcome::Two(from, to), true) => print::diff_json(out, from, to),
            _ => print::show(out, &outcome, format, reader),
        })
    }

    pub(super) fn export(&self, args: ExportArgs) -> Result<Exit, Failure> {
        let format = match args.format {
            ExportForm::Opus => export::Format::Sound(SoundFormat::Opus),
            ExportForm::Wav => export::Format::Sound(SoundFormat::Wav),
            ExportForm::Flac => export::Format::Sound(SoundFormat::Flac),
            ExportForm::Txt => export::Format::Text(TextFormat::Txt),
            ExportForm::Md => export::Format::Text(TextFormat::Md),
            ExportForm::Srt => export::Format::Text(TextFormat::Srt),
            ExportForm::Vtt => export::Format::Text(TextFormat::Vtt),
            ExportForm::Json => export::Format::Text(TextFormat::Json),
        };
        let existing = if args.force {
            export::Existing::Replace
        } else {
            export::Existing::Keep
        };
        let is_sound = matches!(format, export::Format::Sound(_));
        if is_sound && args.output.as_deref() == Some(Path::new("-")) && io::stdout().is_terminal()
        {
            let why = "sound on a terminal helps nobody";
            return Err(
                Failure::new(Exit::Usage, "can't export", why).hint("redirect it, or give -o FILE")
            );
        }
        let mut stdout = UntilStopped::new(self.console.stop());
        let (to, streams) = match args.output {
            Some(path) if path == Path::new("-") => {
                (export::Destination::Stream(&mut stdout), true)
            }
            Some(path) => (export::Destination::Path(path), false),
            None => (export::Destination::Here, false),
        };
        let wanted = export::Args {
            which: args.which,
            query: args.search,
            format,
            to,
            existing,
        };
        let exported = export::run(&self.context, wanted, &self.console);
        if streams && stdout.is_closed() {
            return Ok(Exit::Done);
        }
        let outcome = exported?;
        self.print(|out| match self.json {
            true => print::exported_json(out, &outcome),
            false => outcome
                .written
                .iter()
                .try_for_each(|path| writeln!(out, "{}", path.display())),
        })?;
        Ok(match outcome.refused.as_slice() {
            [] => Exit::Done,
            [(_, only)] if outcome.written.is_empty() => only.exit,
            _ => Exit::Failed,
        })
    }
}

fn text_format(form: TextForm) -> TextFormat {
    match form {
        TextForm::Txt => TextFormat::Txt,
        TextForm::Md => TextFormat::Md,
        TextForm::Srt => TextFormat::Srt,
        TextForm::Vtt => TextFormat::Vtt,
        TextForm::Json => TextFormat::Json,
    }
}

/// The words of the line as one query. What the shell took quotes from was
/// meant as a phrase only if quotes are left.
fn query_of(words: &[String]) -> String {
    words.join(" ")
}
