//! A full-screen editor for what was said, so that a transcript is never written
//! into a file for another editor to open.
//!
//! The text stays in this process's memory, which is wiped as it is freed, and on
//! the alternate screen, which is left at the end. Whoever calls stores it. A
//! terminal that goes away, or a signal to end, keeps what was changed: a version
//! more does no harm, a lost one does.

mod sheet;
mod view;

use std::io;
use std::time::Instant;

use ratatui::Terminal;
use zeroize::Zeroizing;

use self::sheet::{Next, Sheet};
use super::keyboard::Keyboard;
use super::signals::{Signal, Signals};
use super::terminal::{Gone, Tty};
use super::theme::Theme;
use super::waiting::{self, Seen};
use super::wire::Wire;
use crate::error::{Exit, Failure};
use crate::transcript::Transcript;

/// How editing ended.
pub enum Ending {
    /// With these texts, one for each segment.
    Keep(Vec<String>),
    /// With nothing to keep.
    Discard,
}

/// Lets a person edit a transcript on this process's terminal; `heading` says
/// which one it is.
///
/// # Errors
/// [`Exit::Failed`] when the terminal refuses, or the system gives no signals.
pub fn edit(heading: &str, transcript: &Transcript) -> Result<Ending, Failure> {
    let run = || -> io::Result<Ending> {
        let signals = Signals::watch()?;
        let tty = Tty::take()?;
        let size = tty.size();
        let Ok(terminal) = Terminal::new(Wire::new(size));
        let variable = |name: &str| std::env::var(name).ok();
        let editor = Editor {
            sheet: Sheet::new(transcript, size),
            theme: Theme::for_environment(
                variable("NO_COLOR").as_deref(),
                variable("COLORTERM").as_deref(),
            ),
            heading,
            tty,
            terminal,
            signals,
            keyboard: Keyboard::default(),
            unsent: Zeroizing::new(Vec::new()),
        };
        Ok(editor.run())
    };
    run().map_err(|error| Failure::new(Exit::Failed, "can't open the editor", error.to_string()))
}

struct Editor<'a> {
    sheet: Sheet,
    theme: Theme,
    heading: &'a str,
    tty: Tty,
    terminal: Terminal<Wire>,
    signals: Signals,
    keyboard: Keyboard,
    /// Not yet taken by the terminal.
    unsent: Zeroizing<Vec<u8>>,
}

/// How it goes on after something happened.
type Step = Result<Next, Gone>;

impl Editor<'_> {
    fn run(mut self) -> Ending {
        let last = loop {
            match self.draw().and_then(|()| self.sleep()) {
                Ok(Next::Draw) => {}
                Ok(Next::Suspend) => {
                    // All of the job stops, as it would had the terminal made
                    // the signal; ours comes back as one and is obeyed there.
                    let _ =
                        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
                }
                Ok(end) => break end,
                Err(Gone) => break Next::Keep,
            }
        };
        self.tty.leave();
        match last {
            Next::Keep if self.sheet.is_changed() => Ending::Keep(self.sheet.into_lines()),
            _ => Ending::Discard,
        }
    }

    /// One frame in one piece, once the one before has been taken.
    fn draw(&mut self) -> Result<(), Gone> {
        self.tty.send(&mut self.unsent)?;
        if self.unsent.is_empty() {
            let (heading, sheet, theme) = (self.heading, &self.sheet, &self.theme);
            let Ok(_) = self
                .terminal
                .draw(|frame| view::view(heading, sheet, theme, frame));
            self.unsent = self.terminal.backend_mut().take_frame();
            self.tty.send(&mut self.unsent)?;
        }
        Ok(())
    }

    /// Sleeps until something happens, and does it.
    fn sleep(&mut self) -> Step {
        let until = self.keyboard.patience(Instant::now());
        let woken = waiting::wait(&self.tty, &self.signals, &self.unsent, until)?;
        if woken.called {
            match self.take_signals()? {
                Next::Draw => {}
                end => return Ok(end),
            }
        }
        match woken.terminal {
            Seen::Typed => self.read(),
            Seen::Nothing => Ok(self.understand(&[])),
            Seen::Gone => Err(Gone),
        }
    }

    fn take_signals(&mut self) -> Step {
        for signal in self.signals.take() {
            match signal {
                Signal::Resized => self.resized(),
                Signal::Suspend => {
                    self.tty.leave();
                    let _ = signal_hook::low_level::emulate_default_handler(
                        signal_hook::consts::SIGTSTP,
                    );
                    self.come_back()?;
                }
                Signal::Continued => self.come_back()?,
                Signal::End => return Ok(Next::Keep),
            }
        }
        Ok(Next::Draw)
    }

    /// After a stop: somebody else had the terminal, perhaps of another size.
    fn come_back(&mut self) -> Result<(), Gone> {
        self.tty.enter().map_err(|_| Gone)?;
        self.resized();
        self.terminal.backend_mut().forget();
        let Ok(()) = self.terminal.clear();
        Ok(())
    }

    fn resized(&mut self) {
        let size = self.tty.size();
        self.terminal.backend_mut().resize(size);
        self.sheet.resize(size);
    }

    fn read(&mut self) -> Step {
        let mut bytes = Zeroizing::new([0; 1024]);
        let count = self.tty.read(bytes.as_mut_slice())?;
        Ok(self.understand(bytes.get(..count).unwrap_or_default()))
    }

    /// Takes bytes from the terminal; none means that no more came by now. What was
    /// typed behind a key that ends it is not looked at.
    fn understand(&mut self, bytes: &[u8]) -> Next {
        let (sheet, mut next) = (&mut self.sheet, Next::Draw);
        let mut take = |input| {
            if next == Next::Draw {
                next = sheet.take(input);
            }
        };
        let now = Instant::now();
        if bytes.is_empty() {
            self.keyboard.settle(now, &mut take);
        } else {
            self.keyboard.feed(bytes, now, &mut take);
        }
        next
    }
}
