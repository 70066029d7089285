//! Fills the plain arguments of a command from the parsed line and runs it.

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::console::{Console, Deliveries, Volume};
use super::definition::{
    Cli, Command, DevicesArgs, EditArgs, ExportArgs, ExportForm, ImportArgs, InitArgs,
    ModelCommand, PasswdArgs, RecordArgs, SearchArgs, ShowArgs, ShredArgs, TextForm,
    TranscribeArgs,
};
use super::meter::Audience;
use super::{keys, meter, pages, print, stdin, unprintable};
use crate::audio::{RawFormat, SampleFormat};
use crate::command::edit::{Revisions, TagChange};
use crate::command::record::{Input, Transcribing};
use crate::command::text::TextFormat;
use crate::command::{
    self, Context, KeySource, Progress, SystemClock, demo, devices, edit, export, import, init,
    list, model, passwd, record, search, show, shred, transcribe,
};
use crate::config::{Config, Paths};
use crate::error::{Exit, Failure, plain};
use crate::hardening;
use crate::recording::Recording;
use crate::time;
use crate::tui::editor::{self, Ending};
use crate::vault::{Placement, ShredScope};
use crate::worker::sounding::SoundFormat;

/// What the parsed line asks for, and how to say what came of it.
struct Session {
    context: Context,
    console: Console,
    json: bool,
}

/// Does what the parsed line asks for.
pub(super) fn run(cli: Cli) -> Result<Exit, Failure> {
    if let Some(Command::Completions { shell }) = cli.command {
        return pages::completions(shell);
    }
    if let Some(Command::Man { command }) = &cli.command {
        return pages::manual(command.as_deref());
    }
    silence_fenced_panics();
    let memory = hardening::close_memory();
    // Before the network is forbidden: a command that prints the passphrase
    // may have to ask another machine.
    let keys = key_source(&cli)?;
    let network = hardening::forbid_network();
    let paths = Paths::of_this_user(cli.global.vault)?;
    let config = Config::read(&paths.config_file)?;
    let context = Context::new(paths, config, Arc::new(SystemClock), keys);
    let Some(command) = cli.command else {
        return interface(context);
    };
    let volume = if cli.global.quiet {
        Volume::Quiet
    } else {
        Volume::Normal
    };
    let deliveries = if cli.global.json {
        Deliveries::None
    } else {
        Deliveries::Lines
    };
    let console = Console::new(volume, deliveries).map_err(|error| {
        Failure::new(Exit::Failed, "can't listen for signals", error.to_string())
    })?;
    if cli.global.verbose {
        for (name, state) in [("network", network), ("memory", memory)] {
            let state = state.map_or_else(
                |why| format!("not protected: {why}"),
                |()| "protected".to_owned(),
            );
            console.note(&format!("{name}: {state}"));
        }
    }
    let session = Session {
        context,
        console,
        json: cli.global.json,
    };
    match session.dispatch(command)? {
        Exit::Done if session.console.has_told_of_damage() => Ok(Exit::Damaged),
        exit => Ok(exit),
    }
}

/// Panics of the store on damaged files are caught and told as damage; the
/// hook that runs before must not print them.
fn silence_fenced_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::fence::panics_are_fenced() {
            usual(panic);
        }
    }));
}

fn interface(context: Context) -> Result<Exit, Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "can't open the interface",
            "there is no terminal",
        )
        .hint("`voxvault help` lists the commands that need none"));
    }
    crate::tui::run(Arc::new(context))?;
    Ok(Exit::Done)
}

fn key_source(cli: &Cli) -> Result<Box<dyn KeySource>, Failure> {
    let needs_none = matches!(
        cli.command,
        Some(Command::Model { .. } | Command::Devices(_))
    );
    if needs_none {
        return Ok(Box::new(command::NoKey));
    }
    if let Some(file) = &cli.global.passphrase_file {
        if file == Path::new("-") && reads_stdin(cli.command.as_ref()) {
            let why = "`-` for standard input can stand once";
            return Err(Failure::new(Exit::Usage, "can't use the arguments", why));
        }
        return Ok(Box::new(keys::from_file(file)?));
    }
    let from_environment = || std::env::var("VOXVAULT_PASSPHRASE_COMMAND").ok();
    if let Some(command) = cli
        .global
        .passphrase_command
        .clone()
        .or_else(from_environment)
    {
        return Ok(Box::new(keys::from_command(&command)?));
    }
    Ok(Box::new(keys::Prompt))
}

fn reads_stdin(command: Option<&Command>) -> bool {
    match command {
        Some(Command::Record(args)) => args.input.is_some(),
        Some(Command::Passwd(args)) => args.new_passphrase_file.as_deref() == Some(Path::new("-")),
        _ => false,
    }
}

impl Session {
    fn dispatch(&self, command: Command) -> Result<Exit, Failure> {
        match command {
            Command::Init(args) => self.init(&args),
            Command::Record(args) => self.record(args),
            Command::Import(args) => self.import(args),
            Command::Transcribe(args) => self.transcribe(args),
            Command::List(args) => {
                let args = list::Args {
                    filter: args.filter,
                };
                let listed = list::run(&self.context, &args, &self.console)?;
                self.print(|out| match self.json {
                    true => print::list_json(out, &listed),
                    false => print::list(out, &listed),
                })
            }
            Command::Search(args) => self.search(&args),
            Command::Show(args) => self.show(&args),
            Command::Export(args) => self.export(args),
            Command::Edit(args) => self.edit(args),
            Command::Shred(args) => self.shred(args),
            Command::Passwd(args) => self.passwd(&args),
            Command::Model { command } => self.model(command),
            Command::Devices(args) => self.devices(&args),
            Command::Demo { dir } => self.demo(dir),
            Command::Completions { shell } => pages::completions(shell),
            Command::Man { command } => pages::manual(command.as_deref()),
        }
    }

    fn init(&self, args: &InitArgs) -> Result<Exit, Failure> {
        if crate::vault::Vault::exists(&self.context.paths.vault) {
            return Err(
                Failure::new(Exit::Failed, "can't make a vault", "there is one already")
                    .about(self.context.paths.vault.display()),
            );
        }
        let passphrase = match self.context.given_passphrase()? {
            Some(passphrase) => passphrase,
            None => {
                self.console.note(
                    "the passphrase can't be recovered: whoever forgets it loses the recordings",
                );
                keys::ask_new()?
            }
        };
        let placement = if args.force {
            Placement::Anywhere
        } else {
            Placement::Local
        };
        let made = init::run(
            &self.context,
            init::Args {
                passphrase,
                placement,
            },
            &self.console,
        )?;
        self.print(|out| writeln!(out, "{}", made.vault.display()))
    }

    fn record(&self, args: RecordArgs) -> Result<Exit, Failure> {
        let input = match args.input {
            Some(_) => {
                let (rate_hz, channels) = (args.rate, args.channels);
                let raw = args.format.as_deref().map(|format| {
                    let sample = sample_format(format)?;
                    Ok::<_, Failure>(RawFormat {
                        sample,
                        rate_hz,
                        channels,
                    })
                });
                let reader = stdin::UntilStopped::new().map_err(|error| {
                    Failure::new(Exit::Failed, "can't read standard input", error.to_string())
                })?;
                Input::Stream {
                    reader: Box::new(reader),
                    raw: raw.transpose()?,
                }
            }
            None => Input::Microphone {
                device: args.device,
            },
        };
        let limit = args.length.as_deref().map(duration).transpose()?;
        let wanted = record::Args {
            input,
            title: args.title,
            tags: args.tags,
            limit,
            transcribing: transcribing(args.no_transcribe),
            stop: self.console.stop(),
        };
        let outcome = record::run(&self.context, wanted, &self.console)?;
        if self.json {
            let taken = std::slice::from_ref(&outcome.taken);
            self.print(|out| print::taken_json(out, taken, &[]))?;
        }
        outcome.shortfall.map_or(Ok(Exit::Done), Err)
    }

    fn import(&self, args: ImportArgs) -> Result<Exit, Failure> {
        let wanted = import::Args {
            paths: args.files,
            title: args.title,
            tags: args.tags,
            transcribing: transcribing(args.no_transcribe),
        };
        let outcome = import::run(&self.context, &wanted, &self.console)?;
        if self.json {
            self.print(|out| print::taken_json(out, &outcome.taken, &outcome.refused))?;
        }
        Ok(match outcome.refused.as_slice() {
            [] => Exit::Done,
            [(_, only)] if outcome.taken.is_empty() => only.exit,
            _ => Exit::Failed,
        })
    }

    fn transcribe(&self, args: TranscribeArgs) -> Result<Exit, Failure> {
        let wanted = transcribe::Args {
            ids: args.ids,
            model: args.model,
            language: args.language,
        };
        let outcome = transcribe::run(&self.context, &wanted, &self.console)?;
        self.print(|out| match self.json {
            true => print::made_json(out, &outcome),
            false => print::made(out, &outcome),
        })?;
        Ok(match outcome.refused.as_slice() {
            [] => Exit::Done,
            [(_, only)] if outcome.made.is_empty() => only.exit,
            _ => Exit::Failed,
        })
    }

    fn search(&self, args: &SearchArgs) -> Result<Exit, Failure> {
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

    fn show(&self, args: &ShowArgs) -> Result<Exit, Failure> {
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
            let why = "it has no transcript yet";
            return Err(Failure::new(Exit::NotFound, "nothing to show", why)
                .about(shown.recording.id.short())
                .hint("`voxvault transcribe` makes one"));
        }
        self.print(|out| print::show(out, &outcome, format))
    }

    fn export(&self, args: ExportArgs) -> Result<Exit, Failure> {
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
        let mut stdout = Plain(io::stdout().lock());
        let (to, streams) = match args.output {
            Some(path) if path == Path::new("-") => {
                (export::Destination::Stream(&mut stdout), true)
            }
            Some(path) => (export::Destination::Path(path), false),
            None => (export::Destination::Here, false),
        };
        let wanted = export::Args {
            which: args.which,
            format,
            to,
            existing,
        };
        let exported = export::run(&self.context, wanted, &self.console);
        if streams && stdout.flush().is_err_and(|error| is_closed(&error)) {
            return Ok(Exit::Done);
        }
        drop(stdout);
        let written = exported?;
        self.print(|out| {
            written
                .iter()
                .try_for_each(|path| writeln!(out, "{}", path.display()))
        })
    }

    fn devices(&self, args: &DevicesArgs) -> Result<Exit, Failure> {
        if args.test {
            let audience = match self.json {
                true => Audience::Nobody,
                false => Audience::on_stderr(),
            };
            let device = args.device.as_deref();
            let level = meter::run(&self.context, device, audience, &self.console)?;
            return level.map_or(Ok(Exit::Done), |level| {
                self.print(|out| match self.json {
                    true => print::level_json(out, &level),
                    false => print::level(out, &level),
                })
            });
        }
        let devices = devices::run()?;
        self.print(|out| match self.json {
            true => print::devices_json(out, &devices),
            false => print::devices(out, &devices),
        })
    }

    fn edit(&self, args: EditArgs) -> Result<Exit, Failure> {
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

    fn shred(&self, args: ShredArgs) -> Result<Exit, Failure> {
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
                true => print::recordings_json(out, &doomed),
                false => print::recordings(out, &doomed),
            });
        }
        if !args.yes && !self.agreed(&doomed, scope)? {
            let why = "the answer was no";
            return Err(Failure::new(Exit::Failed, "nothing was shredded", why));
        }
        let receipt = shred::run(&self.context, &doomed, scope, &self.console)?;
        self.print(|out| match self.json {
            true => print::receipt_json(out, &receipt),
            false => print::receipt(out, &receipt, &doomed),
        })?;
        receipt.failure().map_or(Ok(Exit::Done), Err)
    }

    /// Names what would be destroyed and asks; the default is no.
    fn agreed(&self, doomed: &[Recording], scope: ShredScope) -> Result<bool, Failure> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            let why = "there is no terminal to ask on";
            return Err(Failure::new(Exit::Usage, "can't shred", why)
                .hint("--yes shreds without asking, --dry-run says what would go"));
        }
        let mut err = io::stderr().lock();
        let what = match scope {
            ShredScope::Everything => "",
            ShredScope::Sound => "the sound of ",
        };
        let asked = print::recordings(&mut err, doomed).and_then(|()| {
            let number = doomed.len();
            let s = if number == 1 { "" } else { "s" };
            write!(err, "destroy {what}{number} recording{s} for good? [y/N] ")?;
            err.flush()
        });
        asked.map_err(unprintable)?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(unprintable)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
    }

    fn passwd(&self, args: &PasswdArgs) -> Result<Exit, Failure> {
        // The old one first, so that it is asked for first.
        self.context.unlocked()?;
        let new = match &args.new_passphrase_file {
            Some(file) => keys::from_file(file)?.passphrase()?,
            None => keys::ask_new()?,
        };
        passwd::run(&self.context, passwd::Args { new }, &self.console)?;
        self.console.note(
            "the old passphrase opens nothing here any more; it still opens copies made before",
        );
        Ok(Exit::Done)
    }

    fn model(&self, command: ModelCommand) -> Result<Exit, Failure> {
        let args = match command {
            ModelCommand::List => model::Args::List,
            ModelCommand::Verify => model::Args::Verify,
            ModelCommand::Use { name } => model::Args::Use(name),
            ModelCommand::Remove { name } => model::Args::Remove(name),
            ModelCommand::Import { paths, name } => model::Args::Import { paths, name },
        };
        let models = model::run(&self.context, &args, &self.console)?;
        self.print(|out| match self.json {
            true => print::models_json(out, &models),
            false => print::models(out, &models),
        })
    }

    fn demo(&self, dir: PathBuf) -> Result<Exit, Failure> {
        let given = self.context.given_passphrase()?;
        let wanted = demo::Args {
            dir,
            passphrase: given,
        };
        let made = demo::run(&self.context, wanted, &self.console)?;
        self.print(|out| print::demo(out, &made))
    }

    fn print(&self, print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Exit, Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        print(&mut out)
            .and_then(|()| out.flush())
            .map_err(unprintable)?;
        Ok(Exit::Done)
    }
}

/// Standard output without the line buffer, which sound does not want.
struct Plain<W: Write>(W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn is_closed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

fn transcribing(no_transcribe: bool) -> Transcribing {
    if no_transcribe {
        Transcribing::NotNow
    } else {
        Transcribing::WhenPossible
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

fn sample_format(text: &str) -> Result<SampleFormat, Failure> {
    text.parse()
        .map_err(|error: crate::audio::NoSuchSampleFormat| {
            Failure::new(Exit::Usage, "can't use the format", error.to_string()).about(text)
        })
}

fn duration(text: &str) -> Result<std::time::Duration, Failure> {
    time::parse_duration(text).map_err(|error| {
        Failure::new(Exit::Usage, "can't use the duration", error.to_string())
            .hint("durations look like 90s, 10m, 1h30m")
    })
}

/// Only for the type of standard input in `Input::Stream`.
const _: fn() = || {
    fn readable<R: Read + Send + Sync>() {}
    readable::<stdin::UntilStopped>();
};
