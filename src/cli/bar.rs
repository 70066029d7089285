//! The bar of long work: how far it is, how fast it goes, how long it still takes.
//!
//! Time is passed in, and so is where the bar is drawn.

use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::command::Unit;
use crate::error::plain;

/// Shorter work shows no bar.
const LONG: Duration = Duration::from_millis(500);

/// A piece of work, and its bar once that shows.
pub(super) struct Work {
    what: String,
    total: Option<u64>,
    unit: Unit,
    began: Instant,
    /// What was done at first, and when: work that goes on where it stopped has not done
    /// that now.
    first: Option<(Instant, u64)>,
    bar: Option<ProgressBar>,
}

impl Work {
    /// Work that begins now.
    pub(super) fn begin(what: &str, total: Option<u64>, unit: Unit, now: Instant) -> Self {
        Self {
            what: plain(what),
            total,
            unit,
            began: now,
            first: None,
            bar: None,
        }
    }

    /// So much of it is done now.
    pub(super) fn advance(
        &mut self,
        done: u64,
        now: Instant,
        target: impl FnOnce() -> ProgressDrawTarget,
    ) {
        let (since, before) = *self.first.get_or_insert((now, done));
        if now.duration_since(self.began) < LONG {
            return;
        }
        let pace = Pace {
            done: done.saturating_sub(before),
            took: now.duration_since(since),
        };
        let message = message(self.unit, done, self.total, pace);
        let bar = self
            .bar
            .get_or_insert_with(|| bar(&self.what, self.total, self.unit, target()));
        bar.set_message(message);
        bar.set_position(done);
    }

    /// Says something above the bar.
    pub(super) fn beside(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    /// Takes the bar away.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How much was done in how long.
#[derive(Clone, Copy)]
struct Pace {
    done: u64,
    took: Duration,
}

impl Pace {
    /// So much a second; `None` where that can't be told yet.
    fn per_s(self) -> Option<f64> {
        let per_s = self.done as f64 / self.took.as_secs_f64();
        (per_s.is_finite() && per_s > 0.0).then_some(per_s)
    }
}

/// What stands behind the bar.
fn message(unit: Unit, done: u64, total: Option<u64>, pace: Pace) -> String {
    match (unit, total) {
        (Unit::SoundMs, Some(total)) => format!("{} of {}", clock(done), clock(total)),
        (Unit::SoundMs, None) => clock(done),
        (Unit::Bytes, Some(total)) => {
            let so_far = format!("{} of {}", HumanBytes(done), HumanBytes(total));
            let Some(per_s) = pace.per_s() else {
                return so_far;
            };
            // Saturates where it never ends.
            let left_s = total.saturating_sub(done) as f64 / per_s;
            let left = Duration::from_secs(left_s.ceil() as u64);
            let rate = HumanBytes(per_s as u64);
            format!("{so_far}  {rate}/s  {:#} left", HumanDuration(left))
        }
        (Unit::Bytes, None) => HumanBytes(done).to_string(),
        (Unit::Items, Some(total)) => format!("{done} of {total}"),
        (Unit::Items, None) => String::new(),
    }
}

fn bar(what: &str, total: Option<u64>, unit: Unit, target: ProgressDrawTarget) -> ProgressBar {
    let numbers = match (unit, total) {
        (Unit::SoundMs, Some(_)) => "[{bar:30}] {percent:>3} %  {msg}",
        (_, Some(_)) => "[{bar:30}] {msg}",
        (_, None) => "{spinner} {msg}",
    };
    // The message of the style is the count; what is done stands before it.
    let template = format!("{}  {numbers}", what.replace('{', "{{").replace('}', "}}"));
    let style = ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸ ");
    ProgressBar::with_draw_target(total, target).with_style(style)
}

fn clock(ms: u64) -> String {
    crate::time::clock(Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    /// A terminal that keeps what is written to it.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl Screen {
        fn target(&self) -> ProgressDrawTarget {
            ProgressDrawTarget::term_like(Box::new(self.clone()))
        }

        /// What was written since the last look.
        fn shown(&self) -> String {
            let written = std::mem::take(&mut *self.0.lock().unwrap());
            written.trim().to_owned()
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            *self.0.lock().unwrap() += text;
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().unwrap().clear();
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Work, and what its bar shows once so much is done after so many milliseconds.
    fn shown(what: &str, total: Option<u64>, unit: Unit, steps: &[(u64, u64)]) -> Vec<String> {
        let (screen, start) = (Screen::default(), Instant::now());
        let mut work = Work::begin(what, total, unit, start);
        let step = |(ms, done): &(u64, u64)| {
            let now = start + Duration::from_millis(*ms);
            work.advance(*done, now, || screen.target());
            screen.shown()
        };
        steps.iter().map(step).collect()
    }

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_backup_shows_how_much_is_done_how_fast_and_how_long_it_still_takes() {
        let steps = [
            (0, 0),
            (400, 30 * MIB),
            (10_000, 64 * MIB),
            (20_000, 192 * MIB),
        ];
        let full = |cells: usize| "━".repeat(cells);
        assert_eq!(
            shown("backing up", Some(256 * MIB), Unit::Bytes, &steps),
            [
                String::new(),
                String::new(),
                format!(
                    "backing up  [{}╸{}] 64.00 MiB of 256.00 MiB  6.40 MiB/s  30s left",
                    full(7),
                    " ".repeat(22)
                ),
                format!(
                    "backing up  [{}╸{}] 192.00 MiB of 256.00 MiB  9.60 MiB/s  7s left",
                    full(22),
                    " ".repeat(7)
                ),
            ]
        );
    }

    #[test]
    fn what_was_done_before_makes_nothing_faster_and_what_stands_still_has_no_rate() {
        let steps = [(0, 100 * MIB), (5_000, 100 * MIB), (10_000, 110 * MIB)];
        let lines = shown("backing up", Some(200 * MIB), Unit::Bytes, &steps);
        assert!(
            lines[1].ends_with("] 100.00 MiB of 200.00 MiB"),
            "{lines:?}"
        );
        let rate = "] 110.00 MiB of 200.00 MiB  1.00 MiB/s  2m left";
        assert!(lines[2].ends_with(rate), "{lines:?}");
    }

    #[test]
    fn a_large_shred_shows_how_many_of_how_many_and_a_small_one_nothing() {
        let steps = [(0, 0), (499, 100), (600, 150), (1_000, 300)];
        let lines = shown("shredding", Some(300), Unit::Items, &steps);
        let half = format!(
            "shredding  [{}{}] 150 of 300",
            "━".repeat(15),
            " ".repeat(15)
        );
        let whole = format!("shredding  [{}] 300 of 300", "━".repeat(30));
        assert_eq!(lines[..2], [String::new(), String::new()]);
        assert!(lines[2].replace('╸', " ") == half, "{lines:?}");
        assert_eq!(lines[3], whole);
    }
}
