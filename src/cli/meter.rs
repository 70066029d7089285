//! The level meter of `devices --test`: one line that is written over and over,
//! or, without a terminal, one line in the end.

use std::io::{self, IsTerminal, Read, Write};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::console::Console;
use crate::audio::Momentary;
use crate::command::Context;
use crate::command::devices::{self, Level, Test};
use crate::error::{Failure, plain};

/// How long to listen where nobody watches.
const UNWATCHED: Duration = Duration::from_secs(2);

/// Columns of the bar, and the softest level that it shows.
const COLUMNS: u16 = 24;
const SOFTEST_DBFS: f32 = -60.0;

/// Letters of a device's name that are shown.
const NAME: usize = 16;

/// Whether somebody watches the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// A person, who ends it.
    Person,
    /// Nobody: the answer is printed after two seconds.
    Nobody,
}

impl Audience {
    /// A person, if standard error is a terminal.
    pub(super) fn on_stderr() -> Self {
        match io::stderr().is_terminal() {
            true => Self::Person,
            false => Self::Nobody,
        }
    }
}

/// Listens to a microphone. What is to be printed of it; nothing where a person
/// has seen it.
pub(super) fn run(
    context: &Context,
    device: Option<&str>,
    audience: Audience,
    console: &Console,
) -> Result<Option<Level>, Failure> {
    if audience == Audience::Nobody {
        let test = Test {
            device,
            length: Some(UNWATCHED),
            ended: &mut || false,
            show: &mut |_, _| (),
        };
        return devices::test(context, test, console).map(Some);
    }
    let mut err = io::stderr();
    let test = Test {
        device,
        length: None,
        ended: &mut enter_was_pressed,
        show: &mut |name, level| {
            // A meter that can't be seen is no reason to fail.
            let _ = write!(err, "\r{}\x1b[K", line(name, level)).and_then(|()| err.flush());
        },
    };
    let heard = devices::test(context, test, console);
    let _ = write!(io::stderr(), "\r\x1b[K");
    heard.map(|_| None)
}

/// `default  ━━━━━━━━                   -41 dB  peak  -35 dB`.
fn line(name: &str, level: Momentary) -> String {
    let name: String = plain(name).chars().take(NAME).collect();
    let part = 1.0 - (level.rms_dbfs / SOFTEST_DBFS).clamp(0.0, 1.0);
    // At most the columns, by the clamp.
    let filled = (part * f32::from(COLUMNS)).round() as usize;
    let bar = "━".repeat(filled);
    let clipped = if level.clipped { "  too loud" } else { "" };
    format!(
        "{name}  {bar:<width$}  {:4.0} dB  peak {:4.0} dB{clipped}",
        level.rms_dbfs,
        level.peak_dbfs,
        width = usize::from(COLUMNS),
    )
}

/// Whether a line waits on standard input, which is taken from it. What is no
/// terminal never ends the test.
fn enter_was_pressed() -> bool {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return false;
    }
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    if !matches!(poll(&mut fds, Some(&now)), Ok(ready) if ready > 0) {
        return false;
    }
    // The terminal hands whole lines on.
    let _ = io::stdin().lock().read(&mut [0; 256]);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(rms_dbfs: f32, peak_dbfs: f32) -> Momentary {
        Momentary {
            peak_dbfs,
            rms_dbfs,
            clipped: peak_dbfs >= 0.0,
        }
    }

    #[test]
    fn the_bar_is_as_long_as_it_is_loud_and_the_line_fits_a_terminal() {
        let bars = |dbfs| line("default", level(dbfs, dbfs)).matches('━').count();
        assert_eq!([-120.0, -60.0, -30.0, 0.0].map(bars), [0, 0, 12, 24]);
        let longest = line(&"long name ".repeat(9), level(-120.0, 0.0));
        assert!(longest.chars().count() < 80, "{longest}");
        assert!(longest.ends_with("too loud"));
    }
}
