//! The program, or another, run in a test's home.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::microphone::Microphone;
use super::{Home, bin, eventually};

/// How long a command may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(300);

/// A run of the program that is being prepared.
pub(crate) struct Voxvault {
    command: Command,
    passphrase: Option<OsString>,
    args: Vec<OsString>,
    stdin: Vec<u8>,
}

impl Voxvault {
    pub(super) fn new<A: Into<OsString>>(home: &Home, args: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(bin());
        command
            .env_clear()
            .envs(home.environment())
            .current_dir(home.path(""));
        Self {
            command,
            passphrase: Some(home.passphrase_file().into()),
            args: args.into_iter().map(Into::into).collect(),
            stdin: Vec::new(),
        }
    }

    /// The same run under another program (`strace -f …`), which gets this one
    /// and its arguments after its own.
    pub(crate) fn under<A: Into<OsString>>(
        mut self,
        program: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = Command::new(program);
        command
            .args(args.into_iter().map(Into::into))
            .arg(self.command.get_program());
        let settings = self
            .command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        command.env_clear().envs(settings);
        if let Some(folder) = self.command.get_current_dir() {
            command.current_dir(folder);
        }
        self.command = command;
        self
    }

    /// Without a passphrase: the vault stays locked.
    pub(crate) fn locked(mut self) -> Self {
        self.passphrase = None;
        self
    }

    /// With the passphrase that is in another file.
    pub(crate) fn passphrase_file(mut self, file: impl Into<OsString>) -> Self {
        self.passphrase = Some(file.into());
        self
    }

    /// With these bytes on standard input.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// With one more environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// With the virtual microphone as the machine's only one.
    pub(crate) fn microphone(mut self, microphone: &Microphone) -> Self {
        self.command.envs(microphone.environment());
        self
    }

    /// Starts it; standard input ends after the bytes given.
    pub(crate) fn spawn(mut self) -> Running {
        let input = std::mem::take(&mut self.stdin);
        let mut running = self.spawn_with_open_stdin();
        let mut stdin = running.child.stdin.take().unwrap();
        // A program that ends without reading its input closes the pipe.
        thread::spawn(move || stdin.write_all(&input).ok());
        running
    }

    /// Starts it; standard input stays open, see [`Running::write`].
    pub(crate) fn spawn_with_open_stdin(mut self) -> Running {
        if let Some(file) = &self.passphrase {
            self.command.arg("--passphrase-file").arg(file);
        }
        self.command.args(&self.args);
        let label = format!("voxvault {:?}", self.args);
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("{label}: {error}"));
        let stdout = read_all(child.stdout.take().unwrap());
        let stderr = read_all(child.stderr.take().unwrap());
        Running {
            label,
            child,
            stdout: Some(stdout),
            stderr: Some(stderr),
        }
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Finished {
        self.spawn().wait()
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).ok();
        bytes
    })
}

/// A program that is running; killed when it is dropped.
pub(crate) struct Running {
    label: String,
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input, which stays open.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stdin = self.child.stdin.as_mut().expect("standard input is open");
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    /// Ends its standard input.
    pub(crate) fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends its input, waits for its end, and says how it ended.
    pub(crate) fn wait(self) -> Finished {
        self.wait_for(PATIENCE)
    }

    /// The same, and fails if it takes longer than `patience`.
    pub(crate) fn wait_for(mut self, patience: Duration) -> Finished {
        self.close_stdin();
        let label = self.label.clone();
        let status = eventually(&format!("{label} ends"), patience, || {
            self.child.try_wait().unwrap()
        });
        let text = |reader: Option<JoinHandle<Vec<u8>>>| reader.unwrap().join().unwrap();
        Finished {
            label,
            status,
            stdout: text(self.stdout.take()),
            stderr: String::from_utf8_lossy(&text(self.stderr.take())).into_owned(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A program that has ended.
pub(crate) struct Finished {
    label: String,
    status: ExitStatus,
    /// What it wrote, as bytes.
    pub(crate) stdout: Vec<u8>,
    /// What it said besides.
    pub(crate) stderr: String,
}

impl Finished {
    /// Its exit code; `None` where a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// How it ended.
    pub(crate) fn status(&self) -> ExitStatus {
        self.status
    }

    /// What it wrote, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// What it wrote, as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("{} wrote no JSON: {error}\n{self}", self.label))
    }

    /// Fails the test unless it ended with 0.
    pub(crate) fn ok(self) -> Self {
        self.ended_with(0)
    }

    /// Fails the test unless it ended with this code; whoever fails has to say
    /// so in the project's form, and never by a panic.
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "{self}");
        assert!(!self.stderr.contains("panicked at"), "{self}");
        if code != 0 {
            assert!(
                self.stderr
                    .lines()
                    .any(|line| line.starts_with("voxvault: ")),
                "{self}"
            );
        }
        self
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stdout = String::from_utf8_lossy(&self.stdout);
        write!(
            f,
            "{} ended with {}\n--- stdout\n{stdout}\n--- stderr\n{}",
            self.label, self.status, self.stderr
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell in the program's place: it gets the program and its arguments.
    fn shell(home: &Home, script: &str) -> Voxvault {
        home.voxvault(["list", "--json"])
            .under("sh", ["-c", script, "sh"])
    }

    #[test]
    fn arguments_input_and_environment_arrive_and_the_end_is_told() {
        let home = Home::new();
        let script = r#"shift; echo "$@"; cat; echo "$HOME $MARK" >&2; exit 3"#;
        let ended = shell(&home, script)
            .env("MARK", "here")
            .stdin(b"spoken".to_vec())
            .run();
        let passphrase = home.passphrase_file().display().to_string();
        assert_eq!(
            ended.text(),
            format!("--passphrase-file {passphrase} list --json\nspoken")
        );
        assert_eq!(ended.stderr, format!("{} here\n", home.path("").display()));
        assert_eq!(ended.code(), Some(3));
    }

    #[test]
    fn a_locked_run_has_no_passphrase() {
        let home = Home::new();
        let ended = shell(&home, r#"shift; echo "$@""#).locked().run().ok();
        assert_eq!(ended.text(), "list --json\n");
    }

    #[test]
    fn a_signal_ends_a_running_program() {
        let home = Home::new();
        let mut running = shell(&home, "exec sleep 60").spawn();
        assert!(running.is_running());
        running.signal(Signal::KILL);
        assert_eq!(running.wait().code(), None);
    }

    #[test]
    #[should_panic(expected = "panicked at")]
    fn a_panic_of_the_program_fails_the_test() {
        let home = Home::new();
        let script = "echo \"voxvault: thread 'main' panicked at x\" >&2; exit 1";
        shell(&home, script).run().ended_with(1);
    }
}
