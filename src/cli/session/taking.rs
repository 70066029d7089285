//! Commands that make a vault and bring sound and text into it.

use std::path::PathBuf;

use super::Session;
use crate::audio::{RawFormat, SampleFormat};
use crate::cli::definition::{
    DevicesArgs, ImportArgs, InitArgs, ModelCommand, RecordArgs, TranscribeArgs,
};
use crate::cli::meter::Audience;
use crate::cli::{keys, meter, print, stdin};
use crate::command::record::{Input, Transcribing};
use crate::command::{Progress, demo, devices, import, init, key, model, record, transcribe};
use crate::error::{Exit, Failure};
use crate::time;
use crate::vault::Placement;

impl Session {
    pub(super) fn init(&self, args: &InitArgs) -> Result<Exit, Failure> {
        if crate::vault::Vault::exists(&self.context.paths.vault) {
            return Err(
                Failure::new(Exit::Failed, "can't make a vault", "there is one already")
                    .about(self.context.paths.vault.display()),
            );
        }
        if let Some(path) = &args.recovery_out {
            key::check_recovery_path(path)?;
        }
        let given = self.context.given_passphrase();
        let passphrase = match given.map_err(Failure::of_new_key)? {
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
                recovery_out: args.recovery_out.clone(),
            },
            &self.console,
        )?;
        self.print(|out| match self.json {
            true => print::init_json(out, &made),
            false => writeln!(out, "{}", made.vault.display()),
        })
    }

    pub(super) fn record(&self, args: RecordArgs) -> Result<Exit, Failure> {
        self.console.hold();
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
            let taken = outcome.taken.as_slice();
            self.print(|out| print::taken_json(out, taken))?;
        }
        outcome.shortfall.map_or(Ok(Exit::Done), Err)
    }

    pub(super) fn import(&self, args: ImportArgs) -> Result<Exit, Failure> {
        self.console.hold();
        let wanted = import::Args {
            paths: args.files,
            title: args.title,
            tags: args.tags,
            transcribing: transcribing(args.no_transcribe),
        };
        let outcome = import::run(&self.context, &wanted, &self.console)?;
        if self.json {
            self.print(|out| print::imported_json(out, &outcome))?;
        }
        if let Some(failure) = outcome.stopped {
            return Err(failure);
        }
        Ok(match outcome.refused.as_slice() {
            [] => Exit::Done,
            [(_, only)] if outcome.taken.is_empty() => only.exit,
            _ => Exit::Failed,
        })
    }

    pub(super) fn transcribe(&self, args: TranscribeArgs) -> Result<Exit, Failure> {
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

    pub(super) fn devices(&self, args: &DevicesArgs) -> Result<Exit, Failure> {
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

    pub(super) fn model(&self, command: ModelCommand) -> Result<Exit, Failure> {
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

    pub(super) fn demo(&self, dir: PathBuf) -> Result<Exit, Failure> {
        let given = self.context.given_passphrase();
        let given = given.map_err(Failure::of_new_key)?;
        let wanted = demo::Args {
            dir,
            passphrase: given,
        };
        let made = demo::run(&self.context, wanted, &self.console)?;
        self.print(|out| match self.json {
            true => print::demo_json(out, &made),
            false => print::demo(out, &made),
        })
    }
}

fn transcribing(no_transcribe: bool) -> Transcribing {
    if no_transcribe {
        Transcribing::NotNow
    } else {
        Transcribing::WhenPossible
    }
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
