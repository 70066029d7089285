//! The command that plays: aloud, or into a pipe.

use std::io::{self, IsTerminal};
use std::time::Duration;

use super::Session;
use crate::audio::{NoSuchSpeed, Speed};
use crate::cli::definition::PlayArgs;
use crate::cli::print;
use crate::cli::stdout::UntilStopped;
use crate::command::play;
use crate::error::{Exit, Failure};
use crate::time::parse_position;

impl Session {
    pub(super) fn play(&self, args: &PlayArgs) -> Result<Exit, Failure> {
        let from = args.from.as_deref().map(parse_position).transpose()?;
        let from = from.unwrap_or_default();
        let speed = args.speed.as_deref().map(speed).transpose()?;
        let speed = speed.unwrap_or(Speed::NORMAL);
        if args.stdout {
            return self.play_into_stdout(args, from, speed);
        }
        let wanted = play::Args {
            id: args.id.clone(),
            from,
            speed,
            to: play::Destination::Loudspeaker,
        };
        let played = play::run(&self.context, wanted, &self.console)?;
        match self.json {
            true => self.print(|out| print::played_json(out, &played)),
            false => Ok(Exit::Done),
        }
    }

    fn play_into_stdout(
        &self,
        args: &PlayArgs,
        from: Duration,
        speed: Speed,
    ) -> Result<Exit, Failure> {
        let refused = |why: &str, hint: &str| {
            Err(Failure::new(Exit::Usage, "can't play to standard output", why).hint(hint))
        };
        if self.json {
            let why = "--json is written there as well";
            return refused(why, "leave out one of --json and --stdout");
        }
        if io::stdout().is_terminal() {
            let why = "sound on a terminal helps nobody";
            return refused(
                why,
                "pipe it into a player: `voxvault play ID --stdout | aplay`",
            );
        }
        let mut stdout = UntilStopped::new(self.console.stop());
        let wanted = play::Args {
            id: args.id.clone(),
            from,
            speed,
            to: play::Destination::Stream(&mut stdout),
        };
        play::run(&self.context, wanted, &self.console)?;
        Ok(Exit::Done)
    }
}

fn speed(text: &str) -> Result<Speed, Failure> {
    text.parse().map_err(|error: NoSuchSpeed| {
        Failure::new(Exit::Usage, "can't use the speed", error.to_string())
            .about(text)
            .hint("1.5 is half as fast again, 0.5 half as fast")
    })
}
