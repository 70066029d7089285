//! What the program asked of the kernel: every byte that it wrote, and where.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::forensic::Evidence;
use super::{Finished, Home, Voxvault, require_tool};

/// System calls by which bytes leave a process, by which files get names, and
/// by which a process could go round all of these.
const CALLS: &str = "trace=write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,\
copy_file_range,splice,vmsplice,tee,openat,open,creat,openat2,mkdir,mkdirat,rename,renameat,renameat2,\
link,linkat,symlink,symlinkat,mknod,mknodat,setxattr,lsetxattr,fsetxattr,memfd_create,mmap,\
socket,socketpair,io_uring_setup,io_setup,ftruncate,fallocate,execve";

/// A log of what a program asks of the kernel.
pub(crate) struct Trace {
    folder: PathBuf,
    runs: usize,
}

/// One system call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Its name.
    pub(crate) name: String,
    /// The line without what was quoted, for messages.
    pub(crate) line: String,
    /// The file that its first argument stands for, where it is a descriptor.
    pub(crate) file: Option<String>,
    /// Every string and buffer it was given, in order.
    pub(crate) given: Vec<Vec<u8>>,
}

impl Trace {
    /// An empty log. `None`, after saying so, where there is no strace.
    pub(crate) fn new(home: &Home, name: &str) -> Option<Self> {
        if !require_tool("strace") {
            return None;
        }
        let folder = home.path(name);
        fs::create_dir(&folder).unwrap();
        Some(Self { folder, runs: 0 })
    }

    /// The same run, watched.
    pub(crate) fn watch(&mut self, run: Voxvault) -> Voxvault {
        let mut args = self.next_log(CALLS);
        args.push("--seccomp-bpf".into());
        run.under("strace", args)
    }

    /// The same, and something is done to one of its calls: `error=EIO:when=3`.
    pub(crate) fn tamper(&mut self, call: &str, what: &str, run: Voxvault) -> Voxvault {
        let mut args = self.next_log(&format!("{CALLS},{call}"));
        args.extend(tampering(call, what));
        run.under("strace", args)
    }

    /// What to tell strace, so that it adds one more run to the log.
    fn next_log(&mut self, calls: &str) -> Vec<OsString> {
        self.runs += 1;
        let log = self.folder.join(format!("{:03}", self.runs));
        // A log for each thread, so that no line is torn; bytes as hexadecimal
        // digits, all of them; descriptors with the files behind them.
        let mut args: Vec<OsString> = ["-ff", "-y", "-xx", "-s", "67108864", "-e", calls, "-o"]
            .map(OsString::from)
            .to_vec();
        args.push(log.into());
        args
    }

    /// Runs it watched, to a good end.
    pub(crate) fn run(&mut self, run: Voxvault) -> Finished {
        self.watch(run).run().ok()
    }

    /// All calls of all runs, in the order in which each thread made them.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let mut logs: Vec<PathBuf> = self
            .folder
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        logs.sort();
        let mut calls = Vec::new();
        for log in logs {
            let text = fs::read_to_string(&log).unwrap();
            calls.extend(text.lines().filter_map(parse));
        }
        assert!(!calls.is_empty(), "strace saw nothing");
        calls
    }

    /// Adds what was written to the vault of this home, but for roots: every write by
    /// itself, and all of a file as one run of bytes.
    pub(crate) fn testify(&self, home: &Home, evidence: &mut Evidence) {
        let vault = home.vault().display().to_string();
        for (file, writes) in written_by_file(&self.calls()) {
            let is_root = file.starts_with(&format!("{vault}/root."));
            if file.starts_with(&vault) && !is_root {
                evidence.add(&format!("all writes to {file}"), writes.concat());
                for write in writes {
                    evidence.add(&format!("a write to {file}"), write);
                }
            }
        }
    }
}

/// What strace is told, so that it does something to a call that it traces.
///
/// Under `--seccomp-bpf` calls that are not traced pass unhindered, which counts
/// where threads at work make thousands; but strace 6.1 delivers no signal then.
pub(crate) fn tampering(call: &str, what: &str) -> Vec<OsString> {
    let inject = format!("inject={call}:{what}");
    let mut args: Vec<OsString> = ["-qq", "-e", &inject].map(OsString::from).to_vec();
    if !what.starts_with("signal=") {
        args.push("--seccomp-bpf".into());
    }
    args
}

/// A call that leaves bytes somewhere.
pub(crate) fn writes(call: &Call) -> bool {
    matches!(
        call.name.as_str(),
        "write"
            | "pwrite64"
            | "writev"
            | "pwritev"
            | "pwritev2"
            | "sendto"
            | "sendmsg"
            | "sendmmsg"
    )
}

/// Everything that was written, file by file, in the order of the log.
pub(crate) fn written_by_file(calls: &[Call]) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut files: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for call in calls.iter().filter(|call| writes(call)) {
        let file = call.file.clone().unwrap_or_default();
        files
            .entry(file)
            .or_default()
            .extend(call.given.iter().cloned());
    }
    files
}

fn parse(line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return None;
    }
    assert!(!line.contains("\"..."), "strace cut a buffer off: {name}");
    let mut given = Vec::new();
    let mut plain = format!("{name}(");
    for (index, piece) in rest.split('"').enumerate() {
        if index % 2 == 0 {
            plain.push_str(piece);
        } else {
            given.push(unhex(piece));
            plain.push('…');
        }
    }
    let descriptor = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let file = (descriptor.len() < rest.len())
        .then(|| descriptor.strip_prefix('<')?.split_once('>'))
        .flatten()
        .map(|(path, _)| String::from_utf8_lossy(&unhex(path)).into_owned());
    Some(Call {
        name: name.to_owned(),
        line: plain,
        file,
        given,
    })
}

/// `\x2f\x74`, as strace writes bytes.
fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len() / 4);
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at..] {
            [b'\\', b'x', high, low, ..] => {
                let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                    panic!("strace wrote {text:?}");
                };
                out.push((high * 16 + low) as u8);
                at += 4;
            }
            // Ends of what a descriptor stands for, such as ` (deleted)`.
            [plain, ..] => {
                out.push(plain);
                at += 1;
            }
            [] => {}
        }
    }
    out
}

#[test]
fn every_byte_a_program_writes_and_the_file_it_goes_to_are_seen() {
    let home = Home::new();
    let Some(mut trace) = Trace::new(&home, "trace") else {
        return;
    };
    let script = r"printf 'spoken \001 words' > said.txt; printf 'to a person'";
    let output = Command::new("strace")
        .args(trace.next_log(CALLS))
        .args(["sh", "-c", script])
        .current_dir(home.path(""))
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"to a person");
    let written = written_by_file(&trace.calls());
    let file = written.iter().find(|(file, _)| file.ends_with(".txt"));
    let (_, bytes) = file.expect("the file");
    assert_eq!(bytes.concat(), b"spoken \x01 words");
    let to_a_person = written
        .iter()
        .any(|(file, bytes)| file.starts_with("pipe:") && bytes.concat() == b"to a person");
    assert!(to_a_person, "{:?}", written.keys());
}
