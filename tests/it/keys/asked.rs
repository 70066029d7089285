//! What is asked for on a terminal, or typed there in the place of a passphrase.

use super::{age_key, key_list, names_left};
use crate::support::prepared::quick_home;
use crate::support::{Key, Terminal, require_tool};

#[test]
fn another_passphrase_is_asked_for_when_the_master_key_is_replaced_or_its_way_in_dropped() {
    let home = quick_home();
    home.write("second", b"the second passphrase");
    let add = [
        "key",
        "add",
        "--new-passphrase-file",
        "second",
        "--name",
        "desk",
    ];
    home.voxvault(add).run().ok();
    home.voxvault(["list"]).passphrase_file("second").run().ok();

    let said = home.voxvault(["key", "rotate"]).run().ended_with(3).stderr;
    assert!(said.contains("--drop desk"), "{said}");
    let args = ["--passphrase-file", "passphrase", "key", "rotate"];
    let mut terminal = Terminal::voxvault(&home, args, (100, 24), Vec::new());
    terminal.wait_for("passphrase of the way in desk:");
    terminal.type_text("the second passphrase");
    terminal.press(Key::Enter);
    assert_eq!(
        terminal.wait_for_end(std::time::Duration::from_secs(120)),
        Some(0)
    );
    home.voxvault(["list"]).passphrase_file("second").run().ok();

    home.write("third", b"the third passphrase");
    let change = ["passwd", "--new-passphrase-file", "third"];
    home.voxvault(change).run().ended_with(3);
    let change = [&change[..], &["--drop", "desk"]].concat();
    assert_eq!(names_left(&home, &change), ["passphrase"]);
    for gone in ["second", "passphrase"] {
        home.voxvault(["list"])
            .passphrase_file(gone)
            .run()
            .ended_with(3);
    }
    home.voxvault(["list"]).passphrase_file("third").run().ok();
}

#[test]
fn a_recovery_key_shown_on_the_terminal_counts_once_it_was_typed_back() {
    let home = quick_home();
    let args = [
        "--passphrase-file",
        "passphrase",
        "key",
        "add",
        "--recovery",
    ];
    let shown = |terminal: &Terminal| -> String {
        terminal.wait_for("write it down, then type it here");
        let lines = terminal.screen();
        let groups = lines
            .lines()
            .map(str::trim)
            .find(|line| line.split('-').count() == 15);
        groups.expect("a recovery key").to_owned()
    };
    let mut terminal = Terminal::voxvault(&home, args, (100, 24), Vec::new());
    let _ = shown(&terminal);
    terminal.type_text("something else");
    terminal.press(Key::Enter);
    assert_eq!(
        terminal.wait_for_end(std::time::Duration::from_secs(60)),
        Some(2)
    );
    assert_eq!(key_list(&home).len(), 1);

    let mut terminal = Terminal::voxvault(&home, args, (100, 24), Vec::new());
    let groups = shown(&terminal);
    terminal.type_text(&groups.to_lowercase().replace('-', ""));
    terminal.press(Key::Enter);
    assert_eq!(
        terminal.wait_for_end(std::time::Duration::from_secs(60)),
        Some(0)
    );

    // Typed where the passphrase is asked for, and in the interface.
    let mut terminal = Terminal::voxvault(&home, ["list"], (100, 24), Vec::new());
    terminal.wait_for("passphrase:");
    terminal.type_text(&groups);
    terminal.press(Key::Enter);
    assert_eq!(
        terminal.wait_for_end(std::time::Duration::from_secs(60)),
        Some(0)
    );
    let terminal = Terminal::voxvault(&home, Vec::<String>::new(), (80, 24), Vec::new());
    terminal.wait_for("record now; what is recorded can be read");
    terminal.press(Key::Enter);
    terminal.type_text(&groups);
    terminal.press(Key::Enter);
    is_unlocked(&terminal);
}

fn is_unlocked(terminal: &Terminal) {
    terminal.wait_until("it is unlocked", |screen| {
        let first = screen.lines().next();
        first.is_some_and(|line| line.ends_with(" unlocked"))
    });
}

#[test]
fn the_interface_opens_with_an_identity() {
    if !require_tool("age-keygen") {
        return;
    }
    let home = quick_home();
    let recipient = age_key(&home, "phone.txt");
    home.voxvault(["key", "add", "--recipient", &recipient])
        .run()
        .ok();
    let args = ["--identity", "phone.txt"];
    let terminal = Terminal::voxvault(&home, args, (80, 24), Vec::new());
    is_unlocked(&terminal);
}
