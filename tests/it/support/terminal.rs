//! A terminal without a person: a program on a pseudo-terminal, what its screen
//! shows, and keys for it.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::fs::OFlags;

use super::{Home, bin, eventually};

/// How long the screen may take to show what a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Keys that are more than a character.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    Enter,
    Escape,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    /// Control and a letter.
    Ctrl(char),
}

impl Key {
    /// What an xterm sends for it.
    fn bytes(self) -> Vec<u8> {
        let sequence: &[u8] = match self {
            Self::Enter => b"\r",
            Self::Escape => b"\x1b",
            Self::Tab => b"\t",
            Self::BackTab => b"\x1b[Z",
            Self::Backspace => b"\x7f",
            Self::Delete => b"\x1b[3~",
            Self::Up => b"\x1b[A",
            Self::Down => b"\x1b[B",
            Self::Left => b"\x1b[D",
            Self::Right => b"\x1b[C",
            Self::Home => b"\x1b[H",
            Self::End => b"\x1b[F",
            Self::PageUp => b"\x1b[5~",
            Self::PageDown => b"\x1b[6~",
            Self::Ctrl(letter) => return vec![letter.to_ascii_uppercase() as u8 & 0x1f],
        };
        sequence.to_vec()
    }
}

/// A program on a terminal of its own; killed when it is dropped.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    shared: Arc<Shared>,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    master: Option<Box<dyn MasterPty + Send>>,
    reader: Option<JoinHandle<()>>,
}

/// What the thread that reads from the program shares with the test.
struct Shared {
    parser: Mutex<vt100::Parser<Answers>>,
    received: Mutex<Vec<u8>>,
    hanging_up: AtomicBool,
}

/// What a terminal answers when it is asked where its cursor is or what it is.
#[derive(Default)]
struct Answers(Vec<u8>);

impl vt100::Callbacks for Answers {
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        intermediate: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        last: char,
    ) {
        match (intermediate, params, last) {
            (None, [[6]], 'n') => {
                let (row, column) = screen.cursor_position();
                self.0
                    .extend(format!("\x1b[{};{}R", row + 1, column + 1).bytes());
            }
            (None, _, 'c') => self.0.extend(b"\x1b[?62c"),
            _ => {}
        }
    }
}

impl Terminal {
    /// The program with these arguments, in `home`, on a terminal of this size
    /// and with these variables besides the home's.
    pub(crate) fn voxvault<A: Into<OsString>>(
        home: &Home,
        args: impl IntoIterator<Item = A>,
        columns_rows: (u16, u16),
        environment: Vec<(OsString, OsString)>,
    ) -> Self {
        let argv = [bin().into()]
            .into_iter()
            .chain(args.into_iter().map(Into::into));
        Self::open(home, argv.collect(), columns_rows, environment)
    }

    /// The same for any program.
    pub(crate) fn open(
        home: &Home,
        argv: Vec<OsString>,
        columns_rows: (u16, u16),
        environment: Vec<(OsString, OsString)>,
    ) -> Self {
        let pair = native_pty_system().openpty(size(columns_rows)).unwrap();
        let mut command = CommandBuilder::from_argv(argv);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        for (name, value) in home.environment().into_iter().chain(environment) {
            command.env(name, value);
        }
        command.cwd(home.path(""));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);

        let (columns, rows) = cells(columns_rows);
        let parser = vt100::Parser::new_with_callbacks(rows, columns, 0, Answers::default());
        let shared = Arc::new(Shared {
            parser: Mutex::new(parser),
            received: Mutex::new(Vec::new()),
            hanging_up: AtomicBool::new(false),
        });
        let writer = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let reader = {
            let source = pair.master.try_clone_reader().unwrap();
            let (shared, writer) = (Arc::clone(&shared), Arc::clone(&writer));
            thread::spawn(move || read_screen(source, &shared, &writer))
        };
        Self {
            child,
            shared,
            writer,
            master: Some(pair.master),
            reader: Some(reader),
        }
    }

    /// Types text as it stands.
    pub(crate) fn type_text(&self, text: &str) {
        self.send(text.as_bytes());
    }

    /// Presses one key.
    pub(crate) fn press(&self, key: Key) {
        self.send(&key.bytes());
    }

    fn send(&self, bytes: &[u8]) {
        let mut writer = self.writer.lock().unwrap();
        writer.write_all(bytes).unwrap();
        writer.flush().unwrap();
    }

    /// Makes the terminal larger or smaller.
    pub(crate) fn resize(&self, columns_rows: (u16, u16)) {
        let (columns, rows) = cells(columns_rows);
        self.shared.parser.lock().unwrap().set_size(rows, columns);
        self.master
            .as_ref()
            .expect("not hung up")
            .resize(size(columns_rows))
            .unwrap();
    }

    /// What the screen shows, a line for each row, without the spaces at their
    /// ends.
    pub(crate) fn screen(&self) -> String {
        let parser = self.parser();
        let (_, columns) = parser.screen().size();
        let rows: Vec<String> = parser
            .screen()
            .rows(0, columns.get())
            .map(|row| row.trim_end().to_owned())
            .collect();
        rows.join("\n")
    }

    /// Asks the terminal itself: its cursor, its cells, its modes.
    pub(crate) fn inspect<T>(&self, ask: impl FnOnce(&vt100::Screen) -> T) -> T {
        ask(self.parser().screen())
    }

    /// How many bytes the program has sent so far.
    pub(crate) fn bytes_received(&self) -> usize {
        self.shared.received.lock().unwrap().len()
    }

    /// Everything the program has sent so far.
    pub(crate) fn received(&self) -> Vec<u8> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until the screen shows `text`.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("the screen shows {text:?}"), |screen| {
            screen.contains(text)
        });
    }

    /// Waits until the screen no longer shows `text`.
    pub(crate) fn wait_for_no(&self, text: &str) {
        self.wait_until(&format!("{text:?} leaves the screen"), |screen| {
            !screen.contains(text)
        });
    }

    /// Waits until the screen is as it should be.
    pub(crate) fn wait_until(&self, what: &str, holds: impl FnMut(&str) -> bool) {
        self.wait_at_most(PATIENCE, what, holds);
    }

    /// The same, with a patience of its own.
    pub(crate) fn wait_at_most(
        &self,
        patience: Duration,
        what: &str,
        mut holds: impl FnMut(&str) -> bool,
    ) {
        let deadline = Instant::now() + patience;
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return;
            }
            let late = Instant::now() >= deadline;
            assert!(
                !late,
                "not within {patience:?}: {what}; the screen is\n{screen}"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The program's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits for the program's end and says how it ended: its exit code, or
    /// `None` for a signal.
    pub(crate) fn wait_for_end(&mut self, patience: Duration) -> Option<u32> {
        let status = eventually("the program ends", patience, || {
            self.child.try_wait().unwrap()
        });
        status.signal().is_none().then(|| status.exit_code())
    }

    /// Hangs up, as a lost SSH connection does: the terminal is gone, and the
    /// program's next look at it finds nothing.
    pub(crate) fn hang_up(&mut self) {
        let Some(master) = self.master.take() else {
            return;
        };
        self.shared.hanging_up.store(true, Ordering::SeqCst);
        // The reader holds a copy of the terminal's end and sleeps on it: one
        // byte from the far side wakes it, and it lets go.
        let far_side = OpenOptions::new()
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits().cast_signed())
            .open(master.tty_name().unwrap());
        if let Ok(mut far_side) = far_side {
            far_side.write_all(b" ").ok();
        }
        self.reader.take().unwrap().join().unwrap();
        *self.writer.lock().unwrap() = Box::new(std::io::sink());
    }

    fn parser(&self) -> MutexGuard<'_, vt100::Parser<Answers>> {
        self.shared.parser.lock().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn read_screen(
    mut source: Box<dyn Read + Send>,
    shared: &Shared,
    writer: &Mutex<Box<dyn Write + Send>>,
) {
    let mut buffer = [0; 16 * 1024];
    // The kernel says EIO rather than end of file when the program is gone.
    while let Ok(length @ 1..) = source.read(&mut buffer) {
        if shared.hanging_up.load(Ordering::SeqCst) {
            return;
        }
        let answers = {
            let mut parser = shared.parser.lock().unwrap();
            parser.process(&buffer[..length]);
            std::mem::take(&mut parser.callbacks_mut().0)
        };
        shared.received.lock().unwrap().extend(&buffer[..length]);
        if !answers.is_empty() {
            writer.lock().unwrap().write_all(&answers).ok();
        }
    }
}

fn size((columns, rows): (u16, u16)) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn cells((columns, rows): (u16, u16)) -> (NonZeroU16, NonZeroU16) {
    (
        NonZeroU16::new(columns).unwrap(),
        NonZeroU16::new(rows).unwrap(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(home: &Home, script: &str) -> Terminal {
        let argv = ["sh", "-c", script].map(OsString::from).to_vec();
        Terminal::open(home, argv, (40, 10), Vec::new())
    }

    #[test]
    fn a_program_sees_keys_and_size_and_the_test_sees_its_screen() {
        let home = Home::new();
        let mut terminal = shell(
            &home,
            "printf '\\033[3;5Hready'; read line; stty size; echo \"got $line\"; read end; exit 7",
        );
        terminal.wait_for("ready");
        assert_eq!(terminal.screen().lines().nth(2), Some("    ready"));
        terminal.resize((60, 12));
        terminal.type_text("hello");
        terminal.press(Key::Enter);
        terminal.wait_for("got hello");
        terminal.wait_for("12 60");
        assert!(terminal.bytes_received() > 0);
        terminal.press(Key::Enter);
        assert_eq!(terminal.wait_for_end(PATIENCE), Some(7));
    }

    #[test]
    fn the_terminal_says_where_its_cursor_is() {
        let home = Home::new();
        let terminal = shell(
            &home,
            "stty raw -echo; printf '\\033[4;9H\\033[6n'; a=$(dd bs=1 count=6 2>/dev/null | tr -d '\\033'); printf \"at $a\"; sleep 60",
        );
        terminal.wait_for("at [4;9R");
    }

    #[test]
    fn a_hang_up_reaches_the_program() {
        let home = Home::new();
        let mut terminal = shell(
            &home,
            "trap 'echo gone > hung-up; exit 3' HUP; echo ready; while :; do sleep 0.05; done",
        );
        terminal.wait_for("ready");
        terminal.hang_up();
        assert_eq!(terminal.wait_for_end(PATIENCE), Some(3));
        assert!(home.path("hung-up").exists());
    }

    #[test]
    #[should_panic(expected = "the screen is")]
    fn waiting_for_what_never_comes_fails() {
        let home = Home::new();
        let terminal = shell(&home, "echo ready");
        terminal.wait_at_most(Duration::from_millis(300), "never", |screen| {
            screen == "never"
        });
    }
}
