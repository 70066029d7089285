//! Questions of keys, on the terminal: the passphrase of an SSH key, what the plugin of
//! a piece of hardware wants to know or have done.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};

use zeroize::Zeroizing;

use crate::crypto::Asker;
use crate::error::plain;

/// This process's terminal, if there is one. What plugins say is shown without
/// control characters.
pub(super) struct Terminal;

impl Terminal {
    fn say(text: &str) -> Option<()> {
        let mut terminal = File::options().write(true).open("/dev/tty").ok()?;
        terminal.write_all(plain(text).as_bytes()).ok()
    }

    fn line() -> Option<String> {
        let mut line = String::new();
        let terminal = File::open("/dev/tty").ok()?;
        let read = BufReader::new(terminal).read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl Asker for Terminal {
    fn tell(&self, message: &str) {
        let said = Self::say(message).and_then(|()| {
            let mut terminal = File::options().write(true).open("/dev/tty").ok()?;
            terminal.write_all(b"\n").ok()
        });
        if said.is_none() {
            let mut err = std::io::stderr().lock();
            // Nobody hears it where standard error is closed.
            let _ = writeln!(err, "voxvault: {}", plain(message));
        }
    }

    fn ask(&self, what: &str) -> Option<String> {
        Self::say(&format!("{what} "))?;
        Self::line()
    }

    fn ask_secret(&self, what: &str) -> Option<Zeroizing<String>> {
        let asked = rpassword::prompt_password(plain(what));
        asked.ok().map(Zeroizing::new)
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let no = no.unwrap_or("no");
        let answer = self.ask(&format!("{message} [y: {yes}, n: {no}]"))?;
        match answer.trim() {
            "y" | "Y" | "yes" => Some(true),
            "n" | "N" | "no" => Some(false),
            _ => None,
        }
    }
}
