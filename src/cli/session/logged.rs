//! The log, and whether it is as it was written.

use super::Session;
use crate::cli::definition::{LogArgs, LogCommand};
use crate::cli::print;
use crate::command::log;
use crate::error::{Exit, Failure};

impl Session {
    pub(super) fn log(&self, args: &LogArgs) -> Result<Exit, Failure> {
        let log = log::run(&self.context)?;
        match args.command {
            Some(LogCommand::Verify) => self.print(|out| match self.json {
                true => print::log_verified_json(out, &log),
                false => print::log_verified(out, &log),
            })?,
            None => {
                let skipped = args
                    .limit
                    .map_or(0, |limit| log.entries.len().saturating_sub(limit));
                let newest = &log.entries[skipped..];
                self.print(|out| match self.json {
                    true => print::log_json(out, newest, &log),
                    false => print::log(out, newest),
                })?
            }
        };
        log::failure(&log).map_or(Ok(Exit::Done), Err)
    }
}
