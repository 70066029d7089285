//! The programs under examples/ do what their first lines say.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::prepared::home_with_examples;
use crate::support::sound::Pcm;
use crate::support::{Home, PASSPHRASE, bin, can_require};

/// Runs an example with the passphrase on its standard input; what it said.
fn example(name: &str, arguments: &[OsString]) -> Option<String> {
    let program: PathBuf = bin().with_file_name("examples").join(name);
    if !can_require(
        program.exists(),
        &format!("the example {name} was not built"),
    ) {
        return None;
    }
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSPHRASE}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn record_wav_puts_a_file_into_a_vault_that_the_program_opens() {
    let home = Home::new();
    let memo = home.write("memo.wav", &Pcm::tone(22_050, 2.5).wav());
    let Some(said) = example("record_wav", &[memo.into(), home.vault().into()]) else {
        return;
    };
    assert!(said.contains(": 2.5 s, loudest -6."), "{said}");
    let recording = home.list().remove(0);
    assert_eq!(
        (&recording["title"], &recording["duration_s"]),
        (&"memo".into(), &2.5.into())
    );
}

#[test]
fn search_vault_finds_what_was_said() {
    let Some(home) = home_with_examples() else {
        return;
    };
    let arguments = [home.vault().into(), "migration".into(), "-hotel".into()];
    let Some(said) = example("search_vault", &arguments) else {
        return;
    };
    assert!(said.starts_with("1 of 8 recordings\n"), "{said}");
    assert!(said.contains("standup"), "{said}");
}
