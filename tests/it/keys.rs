//! The ways in, on the program itself, with the tools that people have their keys from:
//! `age`, `age-keygen`, `ssh-keygen`. What is asked for on a terminal is in `asked`, a plugin
//! that is a script in `plugin`.

mod asked;
mod plugin;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::prepared::{files_below, quick_home};
use crate::support::sound::Pcm;
use crate::support::{Home, Key, Terminal, require_tool};

/// Runs a tool in the home; what it said.
fn tool(home: &Home, program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .current_dir(home.path(""))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// `list` with this identity and nothing else; the exit code, and what was said.
fn list_with(home: &Home, identity: &str) -> (i32, String) {
    let listed = home
        .voxvault(["list", "--identity", identity])
        .locked()
        .run();
    (listed.code().unwrap(), listed.stderr)
}

fn key_list(home: &Home) -> Vec<(String, String)> {
    let listed = home.voxvault(["key", "list", "--json"]).run().ok().json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    listed["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| (text(&key["name"]), text(&key["kind"])))
        .collect()
}

/// The ways in that a command says are left.
fn names_left(home: &Home, args: &[&str]) -> Vec<String> {
    let answer = home.voxvault([args, &["--json"]].concat()).run().ok();
    let answer = answer.json();
    let keys = answer["keys"].as_array().unwrap().iter();
    keys.map(|key| key["name"].as_str().unwrap().to_owned())
        .collect()
}

fn pair(name: &str, kind: &str) -> (String, String) {
    (name.to_owned(), kind.to_owned())
}

/// An identity file of age-keygen's, and its public half.
fn age_key(home: &Home, file: &str) -> String {
    tool(home, "age-keygen", &["-o", file]);
    tool(home, "age-keygen", &["-y", file]).trim().to_owned()
}

#[test]
fn a_recovery_key_is_made_with_the_vault_and_opens_it_in_every_form() {
    let home = Home::new();
    home.voxvault(["init", "--recovery-out", "recovery.txt"])
        .run()
        .ok();
    let mode = fs::metadata(home.path("recovery.txt")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    let kinds = [
        pair("passphrase", "passphrase"),
        pair("recovery", "recovery"),
    ];
    assert_eq!(key_list(&home), kinds);

    assert_eq!(list_with(&home, "recovery.txt").0, 0);
    let file = fs::read_to_string(home.path("recovery.txt")).unwrap();
    let groups = file
        .lines()
        .find(|line| line.contains('-') && line.len() > 70);
    let groups = groups.unwrap().trim_start_matches('#').trim().to_owned();
    assert_eq!(groups.split('-').count(), 15, "{groups}");
    let typed = home.write("typed", groups.to_lowercase().replace('-', " ").as_bytes());
    for file in [home.path("recovery.txt"), typed] {
        home.voxvault(["list"]).passphrase_file(file).run().ok();
    }

    let last = if groups.ends_with('Q') { "P" } else { "Q" };
    let wrong = format!("{}{last}", &groups[..groups.len() - 1]);
    let wrong = home.write("wrong", wrong.as_bytes());
    let refused = home.voxvault(["list"]).passphrase_file(wrong).run();
    let said = refused.ended_with(3).stderr;
    assert!(
        said.contains("a character of the recovery key is wrong"),
        "{said}"
    );

    // Nothing is overwritten, and it does not lie in the vault.
    let add = |out: &str| home.voxvault(["key", "add", "--recovery-out", out]).run();
    let said = add("recovery.txt").ended_with(1).stderr;
    assert!(said.contains("there is a file already"), "{said}");
    let inside = home.vault().join("recovery.txt");
    add(inside.to_str().unwrap()).ended_with(2);
    assert!(!inside.exists());
    add("-").ended_with(2);
    let fresh = ["--vault", "fresh", "init", "--recovery-out", "-"];
    home.voxvault(fresh).run().ended_with(2);
    assert!(!home.path("fresh").exists() && !home.path("-").exists());
    assert_eq!(key_list(&home), kinds);

    if require_tool("age") {
        // Stock age opens the slot with the file as it is: an identity file again.
        let slot = "data/voxvault/vault/keys/recovery.age";
        let opened = tool(&home, "age", &["-d", "-i", "recovery.txt", slot]);
        assert!(opened.starts_with("# voxvault key slot, version 1\n"));
        assert!(opened.contains("\nAGE-SECRET-KEY-1"));
    }
}

#[test]
fn an_age_identity_opens_the_vault_until_it_is_removed() {
    if !require_tool("age-keygen") {
        return;
    }
    let home = quick_home();
    let recipient = age_key(&home, "phone.txt");
    age_key(&home, "other.txt");
    let add = ["key", "add", "--recipient", &recipient, "--name", "phone"];
    let added = home.voxvault(add).run().ok();
    assert_eq!(added.text(), "phone\n");
    // One small file and its twin.
    let files = files_below(&home.vault().join("keys"));
    assert_eq!(files.len(), 4);
    assert!(
        fs::metadata(home.vault().join("keys/phone.age"))
            .unwrap()
            .len()
            < 4096
    );

    assert_eq!(list_with(&home, "phone.txt").0, 0);
    let (code, said) = list_with(&home, "other.txt");
    assert_eq!(code, 3);
    assert!(said.contains("none of the identities opens it"), "{said}");
    // Of several the one that fits is found.
    let both = ["list", "--identity", "other.txt", "--identity", "phone.txt"];
    home.voxvault(both).locked().run().ok();

    // A new master key: the public half is sealed to again without asking.
    let left = names_left(&home, &["key", "rotate"]);
    assert_eq!(left, ["passphrase", "phone"]);
    assert_eq!(list_with(&home, "phone.txt").0, 0);
    let kept = home.vault().join("keys/phone.age");
    fs::copy(&kept, home.path("kept.age")).unwrap();

    let remove = ["key", "remove", "phone"];
    assert_eq!(names_left(&home, &remove), ["passphrase"]);
    assert_eq!(key_list(&home), [pair("passphrase", "passphrase")]);
    assert_eq!(list_with(&home, "phone.txt").0, 3);
    // The slot as it was, put back, is known for what it is.
    fs::copy(home.path("kept.age"), &kept).unwrap();
    assert_eq!(list_with(&home, "phone.txt").0, 3);
    home.voxvault(["list"]).run().ok();
    assert!(!kept.exists());

    home.voxvault(["key", "remove", "passphrase"])
        .run()
        .ended_with(1);
    home.voxvault(["key", "remove", "phone"])
        .run()
        .ended_with(4);
}

#[test]
fn an_ssh_key_opens_the_vault_and_its_passphrase_is_asked_for_on_a_terminal() {
    if !require_tool("ssh-keygen") {
        return;
    }
    let home = quick_home();
    let make = |file: &str, kind: &str, passphrase: &str| {
        let args = ["-q", "-t", kind, "-N", passphrase, "-f", file];
        tool(&home, "ssh-keygen", &args);
        fs::read_to_string(home.path(format!("{file}.pub"))).unwrap()
    };
    let open = make("open", "ed25519", "");
    let locked = make("locked", "ed25519", "words of the key");
    for (public, name) in [(&open, "ssh"), (&locked, "ssh-2")] {
        let added = home
            .voxvault(["key", "add", "--recipient", public])
            .run()
            .ok();
        assert_eq!(added.text(), format!("{name}\n"));
    }
    assert_eq!(list_with(&home, "open").0, 0);
    if require_tool("age") {
        let slot = "data/voxvault/vault/keys/ssh.age";
        assert!(tool(&home, "age", &["-d", "-i", "open", slot]).contains("AGE-SECRET-KEY-1"));
    }

    // Without a terminal it can't be asked for, and a recorder goes on locked.
    let (code, said) = list_with(&home, "locked");
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("there is no terminal to ask for it"),
        "{said}"
    );
    let args = ["list", "--identity", "locked"];
    let mut terminal = Terminal::voxvault(&home, args, (80, 24), Vec::new());
    terminal.wait_for("passphrase of locked:");
    terminal.type_text("words of the key");
    terminal.press(Key::Enter);
    assert_eq!(
        terminal.wait_for_end(std::time::Duration::from_secs(60)),
        Some(0)
    );

    // The same where it is to open a backup.
    let tone = Pcm::tone(16_000, 1.0).wav();
    let record = ["record", "-", "--no-transcribe"];
    home.voxvault(record).stdin(tone).run().ok();
    home.voxvault(["backup", "bk", "-r", &locked]).run().ok();
    let verify = [
        "--vault",
        "none",
        "backup",
        "verify",
        "bk",
        "--from-identity",
        "locked",
    ];
    let refused = home.voxvault(verify).locked().run().ended_with(3);
    assert!(
        refused
            .stderr
            .contains("there is no terminal to ask for it"),
        "{refused}"
    );
    let mut terminal = Terminal::voxvault(&home, verify, (80, 24), Vec::new());
    terminal.wait_for("passphrase of locked:");
    terminal.type_text("words of the key");
    terminal.press(Key::Enter);
    let ended = terminal.wait_for_end(std::time::Duration::from_secs(60));
    assert_eq!(ended, Some(0));

    let rsa = make("rsa", "rsa", "");
    let refused = home.voxvault(["key", "add", "--recipient", &rsa]).run();
    let said = refused.ended_with(2).stderr;
    assert!(said.contains("RSA keys are refused"), "{said}");
    let (code, said) = list_with(&home, "rsa");
    assert_eq!(code, 3);
    assert!(said.contains("RSA keys are refused"), "{said}");
}

#[test]
fn an_identity_file_that_is_none_is_refused_quickly_and_nothing_of_it_is_shown() {
    let home = quick_home();
    let huge = fs::File::create(home.path("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    home.write(
        "controls",
        b"\x1b]0;owned\x07\x1b[2J\xe2\x80\xaesecret words\n",
    );
    home.write("binary", &[0xff; 1000]);
    home.write("empty", b"");
    home.write(
        "ssh-cut",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk",
    );
    fs::create_dir(home.path("folder")).unwrap();
    for file in [
        "huge", "controls", "binary", "empty", "ssh-cut", "folder", "missing",
    ] {
        let (code, said) = list_with(&home, file);
        assert_eq!(code, 3, "{file}: {said}");
        assert!(said.contains(file), "{said}");
        let is_ours = |line: &str| line.starts_with("voxvault: ") || line.starts_with("hint: ");
        assert!(said.lines().all(is_ours), "{said}");
        assert!(
            !said.contains("secret") && !said.contains('\u{1b}'),
            "{said:?}"
        );
        // It stands in nobody's way who needs no key.
        let record = home.voxvault(["record", "-", "--identity", file]).locked();
        let sound = Pcm::tone(16_000, 0.5).wav();
        assert!(!record.stdin(sound).run().text().is_empty(), "{file}");
    }
}
