//! Backups from the interface, on a terminal.

use super::Scene;
use crate::support::{Key, PASSPHRASE, Terminal};

#[test]
fn a_backup_made_on_the_screen_is_sound_and_no_recording_is_in_none_then() {
    let scene = Scene::new();
    scene.import("dream", "a dream");
    let mut terminal = Terminal::voxvault(&scene.home, Vec::<String>::new(), (80, 24), Vec::new());
    terminal.wait_for("record now; what is recorded can be read");
    terminal.press(Key::Enter);
    terminal.type_text(PASSPHRASE);
    terminal.press(Key::Enter);
    terminal.wait_for("a dream");
    terminal.type_text("B");
    terminal.wait_for("no backup yet: 1 recording is in none");
    terminal.type_text("F");
    terminal.wait_for("Back up to which folder?");
    terminal.type_text(scene.dir().to_str().unwrap());
    terminal.press(Key::Enter);
    terminal.wait_for("backed up: 1 new or changed");
    terminal.wait_for("every recording is in a backup");
    // Again: only what is new is added, and nothing is.
    terminal.press(Key::Enter);
    terminal.wait_for("Back up into this folder again?");
    terminal.press(Key::Enter);
    terminal.wait_for("nothing new: it holds 1 recording");
    terminal.type_text("v");
    terminal.wait_for("sound: 1 recording can be brought back");
    terminal.type_text("q");
    assert_eq!(
        terminal.wait_for_end(std::time::Duration::from_secs(10)),
        Some(0)
    );
    scene.run(["backup", "verify", "bk"]).ok();
}
