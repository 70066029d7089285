//! What was said, or came with a file, shown on a terminal: characters that do something to
//! it are left out there, and there only.

use std::time::Duration;

use crate::support::library::{record, transcript, unlock};
use crate::support::prepared::quick_home;
use crate::support::{Home, PASSPHRASE, Terminal};

/// Turns the order of what follows round; begins an escape sequence, in one byte and in two.
const HOSTILE: &str = "safe \u{202e}txt.exe\u{202c} \u{9b}31mred\u{1b}]0;title\u{7} end";

/// Whether any of these characters is there.
fn acts(text: &str) -> bool {
    let acts = |c: char| matches!(c, '\u{202e}' | '\u{202c}' | '\u{9b}' | '\u{7}');
    text.chars().any(acts) || text.contains("\u{1b}]0;")
}

/// What the program prints on a terminal.
fn on_terminal(home: &Home, args: &[&str]) -> String {
    let file = home.passphrase_file();
    let passphrase = ["--passphrase-file", file.to_str().unwrap()];
    let all = passphrase.iter().chain(args).copied();
    let mut terminal = Terminal::voxvault(home, all, (80, 24), Vec::new());
    assert_eq!(terminal.wait_for_end(Duration::from_secs(60)), Some(0));
    // What follows the end of the text: there may be nothing at all.
    terminal.wait_for("end");
    String::from_utf8(terminal.received()).unwrap()
}

#[test]
fn what_was_said_does_nothing_to_a_terminal_and_a_file_has_it_as_it_is() {
    let home = quick_home();
    let open = unlock(&home.vault(), PASSPHRASE);
    let id = record(open.vault(), "title", 2);
    open.merge().unwrap();
    for text in [HOSTILE, &format!("{HOSTILE} \u{202e}changed")] {
        open.add_transcript(id, 0, &transcript(text)).unwrap();
    }
    drop(open);
    let id = id.to_string();
    let formats = ["txt", "md", "srt", "vtt"].map(|format| vec!["show", &id, "--format", format]);
    let diff = vec!["show", &id, "--diff", "1", "2"];
    for args in formats.into_iter().chain([diff]) {
        let shown = on_terminal(&home, &args);
        assert!(!acts(&shown), "{args:?}: {shown:?}");
        assert!(shown.contains("txt.exe"), "{args:?}: {shown:?}");
        let written = home.voxvault(args.iter().copied()).run().ok();
        assert!(acts(&written.text()), "{args:?}: the control");
    }
    // Lines stay lines.
    let subtitles = on_terminal(&home, &["show", &id, "--format", "srt"]);
    let lines: Vec<_> = subtitles.lines().collect();
    assert!(lines[0] == "1" && lines[1].contains("-->"), "{lines:?}");
}
