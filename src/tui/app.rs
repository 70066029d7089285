//! The loop: sleep until something happens, take in all of it, draw once.
//!
//! One thread owns the terminal and the model. It sleeps in a single `poll` on
//! the terminal and on the socket that signals and the engine's threads write
//! to; without a timer that is needed just now it sleeps for good. A terminal
//! that takes its bytes slowly gets the newest frame, not all of them.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use ratatui::Terminal;
use zeroize::{Zeroize, Zeroizing};

use super::clipboard;
use super::engine::{Answer, Engine};
use super::input::Input;
use super::keyboard::Keyboard;
use super::model::{Model, Settings};
use super::msg::{Effect, Msg, Timer};
use super::signals::{Signal, Signals, Waker};
use super::terminal::{Gone, Tty};
use super::update::{begin, update};
use super::view::view;
use super::waiting::{self, Seen};
use super::wire::Wire;

/// Where the engine's threads leave their answers; each one wakes the loop.
#[derive(Clone)]
pub struct Mailbox {
    answers: Sender<Answer>,
    waker: Waker,
}

impl Mailbox {
    /// One whose answers a test reads itself.
    #[cfg(test)]
    pub(in crate::tui) fn kept() -> io::Result<(Self, Receiver<Answer>)> {
        let (answers, kept) = channel();
        let waker = Waker::of_nobody()?;
        Ok((Self { answers, waker }, kept))
    }

    /// Leaves an answer. After the interface ended nobody reads it.
    pub fn send(&self, answer: Answer) {
        if self.answers.send(answer).is_ok() {
            self.waker.wake();
        }
    }
}

struct App<E> {
    model: Model,
    engine: E,
    tty: Tty,
    terminal: Terminal<Wire>,
    signals: Signals,
    answers: Receiver<Answer>,
    timers: BTreeMap<Timer, Instant>,
    keyboard: Keyboard,
    /// Not yet taken by the terminal.
    unsent: Zeroizing<Vec<u8>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Ending,
}

/// Runs the interface until its end, then ends the engine.
///
/// # Errors
/// When there is no terminal, or the system refuses what it takes to use it.
pub fn run<E: Engine>(
    settings: Settings,
    engine: impl FnOnce(Mailbox) -> io::Result<E>,
) -> io::Result<()> {
    let signals = Signals::watch()?;
    let (sender, answers) = channel();
    let mailbox = Mailbox {
        answers: sender,
        waker: signals.waker(),
    };
    // Before the terminal is taken: what goes wrong is printed on it.
    let engine = engine(mailbox)?;
    let tty = Tty::take()?;
    let size = tty.size();
    let Ok(terminal) = Terminal::new(Wire::new(size));
    let app = App {
        model: Model::new(settings, size),
        engine,
        tty,
        terminal,
        signals,
        answers,
        timers: BTreeMap::new(),
        keyboard: Keyboard::default(),
        unsent: Zeroizing::new(Vec::new()),
        state: State::Running,
    };
    app.run();
    Ok(())
}

impl<E: Engine> App<E> {
    fn run(mut self) {
        self.perform(begin());
        // A terminal that is gone is an end like any other.
        while self.state == State::Running {
            self.take_answers();
            self.take_due();
            if self.state == State::Ending || self.draw().is_err() || self.sleep().is_err() {
                break;
            }
        }
        // The shell gets its terminal back at once, the engine its second.
        self.tty.leave();
        self.engine.close();
    }

    fn happen(&mut self, msg: Msg) {
        let effects = update(&mut self.model, msg);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask(request) => self.engine.ask(request),
                Effect::After(timer, time) => {
                    self.timers.insert(timer, Instant::now() + time);
                }
                Effect::Never(timer) => {
                    self.timers.remove(&timer);
                }
                Effect::Clip(text) => self.unsent.extend_from_slice(&clipboard::sequence(&text)),
                Effect::Redraw => self.redraw(),
                Effect::Suspend => {
                    // All of the job stops, as it would had the terminal made
                    // the signal; ours comes back as one and is obeyed there.
                    let _ =
                        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
                }
                Effect::Quit => self.state = State::Ending,
            }
        }
    }

    fn take_answers(&mut self) {
        while let Ok(answer) = self.answers.try_recv() {
            self.happen(Msg::Answer(answer));
        }
    }

    fn take_due(&mut self) {
        let now = Instant::now();
        let due: Vec<Timer> = self
            .timers
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(timer, _)| *timer)
            .collect();
        for timer in due {
            self.timers.remove(&timer);
            self.happen(Msg::Due(timer));
        }
    }

    /// One frame in one piece. While the last one is still on its way nothing
    /// is drawn: what is newest then is drawn when it has arrived.
    fn draw(&mut self) -> Result<(), Gone> {
        self.tty.send(&mut self.unsent)?;
        if self.unsent.is_empty() {
            let model = &self.model;
            let Ok(_) = self.terminal.draw(|frame| view(model, frame));
            self.unsent = self.terminal.backend_mut().take_frame();
            self.tty.send(&mut self.unsent)?;
        }
        Ok(())
    }

    fn redraw(&mut self) {
        self.terminal.backend_mut().forget();
        let Ok(()) = self.terminal.clear();
    }

    fn sleep(&mut self) -> Result<(), Gone> {
        let now = Instant::now();
        let due = self.timers.values().min();
        let until = due
            .map(|at| at.saturating_duration_since(now))
            .into_iter()
            .chain(self.keyboard.patience(now))
            .min();
        let woken = waiting::wait(&self.tty, &self.signals, &self.unsent, until)?;
        if woken.called {
            self.take_signals();
        }
        match woken.terminal {
            Seen::Typed => self.read()?,
            Seen::Nothing => self.understand(&[]),
            Seen::Gone => return Err(Gone),
        }
        Ok(())
    }

    fn take_signals(&mut self) {
        for signal in self.signals.take() {
            match signal {
                Signal::Resized => {
                    let size = self.tty.size();
                    self.terminal.backend_mut().resize(size);
                    self.happen(Msg::Resized(size));
                }
                Signal::Suspend => {
                    self.tty.leave();
                    let _ = signal_hook::low_level::emulate_default_handler(
                        signal_hook::consts::SIGTSTP,
                    );
                    self.come_back();
                }
                Signal::Continued => self.come_back(),
                Signal::End => self.happen(Msg::End),
            }
        }
    }

    /// After a stop: somebody else had the terminal, perhaps of another size.
    fn come_back(&mut self) {
        if self.tty.enter().is_err() {
            self.state = State::Ending;
            return;
        }
        let size = self.tty.size();
        self.terminal.backend_mut().resize(size);
        self.happen(Msg::Resized(size));
        self.redraw();
    }

    fn read(&mut self) -> Result<(), Gone> {
        let mut bytes = Zeroizing::new([0; 1024]);
        let count = self.tty.read(bytes.as_mut_slice())?;
        self.understand(bytes.get(..count).unwrap_or_default());
        bytes.zeroize();
        Ok(())
    }

    /// Takes bytes from the terminal; none means that no more came by now.
    fn understand(&mut self, bytes: &[u8]) {
        let mut keyboard = mem::take(&mut self.keyboard);
        let mut take = |input| {
            self.happen(match input {
                Input::Key(key) => Msg::Key(key),
                Input::Paste(text) => Msg::Paste(text),
            });
        };
        let now = Instant::now();
        if bytes.is_empty() {
            keyboard.settle(now, &mut take);
        } else {
            keyboard.feed(bytes, now, &mut take);
        }
        self.keyboard = keyboard;
    }
}
