//! Where the key comes from: identity files, a file with the passphrase, a command, or
//! the terminal. Never an argument, never an environment value.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::asking::Terminal;
use crate::command::KeySource;
use crate::crypto::{Asker, Identities, Key, Nobody, Passphrase, RecoveryKey, identity, words};
use crate::error::{Exit, Failure};

/// More than this is not a passphrase.
const MAX_BYTES: usize = 64 * 1024;

/// A passphrase that was read before anything else happened.
///
/// It is read early because a command that prints it may need what the
/// program then forbids itself, such as the network.
pub(super) struct Given(Zeroizing<String>);

impl KeySource for Given {
    fn passphrase(&self) -> Result<Passphrase, Failure> {
        Ok(Passphrase::new(self.0.to_string()))
    }

    fn is_unattended(&self) -> bool {
        true
    }
}

/// What was to give the passphrase failed. That is told when a key is needed:
/// who only records needs none.
struct Failing(Failure);

impl KeySource for Failing {
    fn passphrase(&self) -> Result<Passphrase, Failure> {
        Err(self.0.clone())
    }

    fn is_unattended(&self) -> bool {
        true
    }
}

/// The content of identity files, by their names, and a passphrase that was given
/// beside: not to open anything, but for what is made.
pub(super) struct IdentityFiles {
    files: Vec<(String, Zeroizing<Vec<u8>>)>,
    beside: Option<Box<dyn KeySource>>,
}

impl IdentityFiles {
    /// The same, with this passphrase beside, if there is one.
    pub(super) fn beside(self, beside: Option<Box<dyn KeySource>>) -> Self {
        Self { beside, ..self }
    }

    fn read_for(&self, asker: &Arc<dyn Asker>) -> Result<Identities, Failure> {
        let mut identities = Identities::default();
        for (name, bytes) in &self.files {
            let added = identities.add(bytes, name, asker);
            added.map_err(|error| match Failure::from(error) {
                failure if failure.which.is_none() => failure.about(name),
                failure => failure,
            })?;
        }
        Ok(identities)
    }
}

impl KeySource for IdentityFiles {
    fn passphrase(&self) -> Result<Passphrase, Failure> {
        let why = "an identity was given, and this needs a passphrase";
        Err(Failure::new(Exit::Usage, "can't use the identity", why)
            .hint("make the vault with a passphrase, then: voxvault key add --recipient R"))
    }

    fn key(&self) -> Result<Key, Failure> {
        let terminal: Arc<dyn Asker> = Arc::new(Terminal);
        self.read_for(&terminal).map(Key::from)
    }

    fn new_passphrase(&self) -> Result<Option<Passphrase>, Failure> {
        let beside = self.beside.as_ref();
        beside.map(|source| source.passphrase()).transpose()
    }

    fn is_unattended(&self) -> bool {
        let nobody: Arc<dyn Asker> = Arc::new(Nobody);
        let read = self.read_for(&nobody);
        read.is_ok_and(|identities| !identities.may_ask())
    }
}

/// The identities in these files; `-` is standard input.
pub(super) fn from_identities(paths: &[PathBuf]) -> Result<IdentityFiles, Failure> {
    let read = |path: &PathBuf| {
        let name = path.display().to_string();
        let failed =
            |why: String| Failure::new(Exit::Locked, "can't read the identity", why).about(&name);
        let bytes = if path == Path::new("-") {
            read_bytes(&mut std::io::stdin().lock(), identity::MOST_BYTES)
        } else {
            File::open(path)
                .map_err(|error| error.to_string())
                .and_then(|mut file| read_bytes(&mut file, identity::MOST_BYTES))
        };
        Ok((name.clone(), bytes.map_err(failed)?))
    };
    let files = paths.iter().map(read).collect::<Result<_, Failure>>()?;
    Ok(IdentityFiles {
        files,
        beside: None,
    })
}

/// The source, or one that tells later why there is none.
pub(super) fn or_failing<S: KeySource + 'static>(given: Result<S, Failure>) -> Box<dyn KeySource> {
    match given {
        Ok(given) => Box::new(given),
        Err(failure) => Box::new(Failing(failure)),
    }
}

/// Asks on the terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prompt;

impl KeySource for Prompt {
    fn passphrase(&self) -> Result<Passphrase, Failure> {
        ask("passphrase: ")
    }

    fn is_unattended(&self) -> bool {
        false
    }
}

/// The passphrase of a file; `-` is standard input. One newline at the end is
/// dropped.
pub(super) fn from_file(path: &Path) -> Result<Given, Failure> {
    let failed = |why: String| {
        Failure::new(Exit::Locked, "can't read the passphrase", why).about(path.display())
    };
    if path == Path::new("-") {
        return read(&mut std::io::stdin().lock()).map_err(failed);
    }
    let mut file = File::open(path).map_err(|error| failed(error.to_string()))?;
    read(&mut file).map_err(failed)
}

/// The passphrase that a command prints. Its standard error stays visible.
pub(super) fn from_command(command: &str) -> Result<Given, Failure> {
    let failed = |why: String| {
        Failure::new(
            Exit::Locked,
            "can't get the passphrase from the command",
            why,
        )
    };
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let given = match child.stdout.take() {
        Some(mut stdout) => read(&mut stdout),
        None => Err("it has no output".to_owned()),
    };
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    if !status.success() {
        return Err(failed(format!("it ended with {status}")));
    }
    given.map_err(failed)
}

fn read(from: &mut dyn Read) -> Result<Given, String> {
    let bytes = read_bytes(from, MAX_BYTES)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(Given(Zeroizing::new(text.to_owned())))
}

/// The buffer has its final size from the start: a growing one would leave
/// copies behind.
fn read_bytes(from: &mut dyn Read, most: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(vec![0_u8; most + 1]);
    let mut length = 0;
    loop {
        match from.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
        if length > most {
            return Err(format!("it is longer than {most} bytes"));
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// Asks once on the terminal, without showing what is typed.
pub(super) fn ask(prompt: &str) -> Result<Passphrase, Failure> {
    rpassword::prompt_password(prompt)
        .map(Passphrase::new)
        .map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::UnexpectedEof => "the input ended".to_owned(),
                std::io::ErrorKind::NotFound => "there is no terminal".to_owned(),
                _ => match error.raw_os_error() {
                    // No controlling terminal.
                    Some(libc::ENXIO | libc::ENOTTY) => "there is no terminal".to_owned(),
                    _ => error.to_string(),
                },
            };
            Failure::new(Exit::Locked, "can't ask for the passphrase", why)
                .hint("give it with --passphrase-file FILE or --passphrase-command CMD")
        })
}

/// Asks for a new passphrase, which has to be typed twice; nothing typed asks
/// for one that is generated, which has to be typed once.
pub(super) fn ask_new() -> Result<Passphrase, Failure> {
    ask_twice().map_err(Failure::of_new_key)
}

fn ask_twice() -> Result<Passphrase, Failure> {
    let first = ask("new passphrase (only Enter: ten random words): ")?;
    if first.is_empty() {
        return generated();
    }
    first.check_length()?;
    let again = ask("the same again: ")?;
    if !first.is_same_as(&again) {
        let why = "the two are not the same";
        return Err(Failure::new(Exit::Usage, "can't use the passphrase", why));
    }
    Ok(first)
}

/// Shows something on the terminal, which is asked for by name: standard error may
/// be a file.
fn show(secret: &str) -> std::io::Result<()> {
    let mut terminal = File::options().write(true).open("/dev/tty")?;
    writeln!(terminal, "\n    {secret}\n")
}

/// Shows a new recovery key once and has it typed back, so that it is written down.
pub(super) fn recovery_on_terminal() -> Result<RecoveryKey, Failure> {
    let key = RecoveryKey::generate();
    show(&key.to_groups()).map_err(|error| {
        Failure::new(
            Exit::Usage,
            "can't show the recovery key",
            error.to_string(),
        )
        .hint("--recovery-out FILE writes it to a file")
    })?;
    let typed = ask("write it down, then type it here: ").map_err(Failure::of_new_key)?;
    match typed.is_recovery_key(&key) {
        Ok(true) => Ok(key),
        wrong => {
            let why = match wrong {
                Err(mistyped) => mistyped.to_string(),
                Ok(_) => "what was typed is not what was shown".to_owned(),
            };
            Err(Failure::new(Exit::Usage, "can't use the recovery key", why)
                .hint("nothing was changed; begin again for another one"))
        }
    }
}

/// Shows ten words and has them typed back, so that they are written down.
fn generated() -> Result<Passphrase, Failure> {
    let words = words::generate()?;
    show(&words).map_err(|error| {
        Failure::new(Exit::Usage, "can't show the words", error.to_string())
            .hint("give a passphrase with --passphrase-file FILE")
    })?;
    let typed = ask("write them down, then type them here: ")?;
    if !typed.says(&words) {
        let why = "what was typed is not what was shown";
        return Err(Failure::new(Exit::Usage, "can't use the passphrase", why)
            .hint("nothing was changed; begin again for other words"));
    }
    Ok(Passphrase::new(words.to_string()))
}
