//! The whole program on a terminal: made, locked, recorded into, searched,
//! shredded, resized to nothing and back, hung up on.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::prepared::{home_with_examples, quick_home};
use crate::support::sound::Pcm;
use crate::support::{Home, Key, Microphone, PASSPHRASE, Terminal, eventually};

const SIZE: (u16, u16) = (80, 24);

/// How long a vault with a stretched passphrase may take on a busy machine.
const STRETCHING: Duration = Duration::from_secs(60);

fn open(home: &Home) -> Terminal {
    Terminal::voxvault(home, Vec::<String>::new(), SIZE, Vec::new())
}

fn open_with(home: &Home, microphone: &Microphone) -> Terminal {
    Terminal::voxvault(home, Vec::<String>::new(), SIZE, microphone.environment())
}

/// From the locked screen into the library.
fn unlock(terminal: &Terminal) {
    terminal.wait_for("record now; what is recorded can be read");
    unlock_with(terminal, PASSPHRASE);
}

fn unlock_with(terminal: &Terminal, passphrase: &str) {
    terminal.press(Key::Enter);
    terminal.type_text(passphrase);
    terminal.press(Key::Enter);
    terminal.wait_until("it is unlocked", |screen| {
        screen
            .lines()
            .next()
            .is_some_and(|line| line.ends_with(" unlocked"))
    });
}

/// Leaves politely: the exit code is 0 and the terminal is as it was.
fn quit(terminal: &mut Terminal) {
    terminal.type_text("q");
    assert_eq!(terminal.wait_for_end(Duration::from_secs(10)), Some(0));
    assert_restored(terminal);
}

fn assert_restored(terminal: &Terminal) {
    eventually("the terminal is restored", Duration::from_secs(5), || {
        terminal
            .inspect(|screen| !screen.alternate_screen() && !screen.hide_cursor())
            .then_some(())
    });
    terminal.inspect(|screen| {
        assert!(!screen.bracketed_paste(), "bracketed paste is still on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    });
}

fn segments(home: &Home) -> u64 {
    let vault = voxvault::vault::Vault::open(&home.vault()).unwrap();
    vault
        .inbox()
        .unwrap()
        .iter()
        .map(|entry| entry.segments)
        .sum()
}

fn wait_for_segments(home: &Home, count: u64) {
    eventually("sound is on the disk", Duration::from_secs(20), || {
        (segments(home) >= count).then_some(())
    });
}

#[test]
fn the_first_start_makes_a_vault_that_the_passphrase_opens() {
    let home = Home::new();
    let mut terminal = open(&home);
    terminal.wait_for("There is no vault here yet");
    // Too short, and then not the same twice: neither makes a vault.
    for (first, again) in [("seven77", "seven77"), (PASSPHRASE, "another one entirely")] {
        for text in [first, again] {
            terminal.type_text(text);
            terminal.press(Key::Enter);
        }
        thread::sleep(Duration::from_millis(300));
        assert!(
            !home.vault().join("root.a").exists(),
            "{}",
            terminal.screen()
        );
        terminal.press(Key::Ctrl('u'));
        terminal.press(Key::Up);
        terminal.press(Key::Ctrl('u'));
        drop(terminal);
        terminal = open(&home);
        terminal.wait_for("There is no vault here yet");
    }
    for _ in 0..2 {
        terminal.type_text(PASSPHRASE);
        terminal.press(Key::Enter);
    }
    terminal.wait_at_most(STRETCHING, "the vault is made and open", |screen| {
        screen
            .lines()
            .next()
            .is_some_and(|line| line.ends_with(" unlocked"))
    });
    let said = String::from_utf8_lossy(&terminal.received()).into_owned();
    assert!(!said.contains(PASSPHRASE), "the passphrase was shown");
    quit(&mut terminal);
    assert!(home.list().is_empty());
}

#[test]
fn a_locked_screen_records_and_what_was_recorded_is_there_after_unlocking() {
    let home = quick_home();
    let Some(microphone) = Microphone::plug_into(&home) else {
        return;
    };
    let mut terminal = open_with(&home, &microphone);
    terminal.wait_for("record now; what is recorded can be read");
    terminal.type_text("r");
    terminal.wait_for("stop and keep");
    wait_for_segments(&home, 3);
    terminal.press(Key::Enter);
    terminal.wait_for("1 recording waits");
    assert!(
        terminal
            .screen()
            .lines()
            .next()
            .unwrap()
            .ends_with(" locked")
    );

    unlock(&terminal);
    terminal.wait_for("1 recording ·");
    terminal.wait_for("(silent)");
    quit(&mut terminal);
    assert_eq!(home.list().len(), 1);
}

#[test]
fn a_wrong_passphrase_opens_nothing_and_the_right_one_still_does() {
    let home = quick_home();
    let mut terminal = open(&home);
    terminal.wait_for("record now; what is recorded can be read");
    terminal.press(Key::Enter);
    terminal.type_text("not the passphrase");
    terminal.press(Key::Enter);
    terminal.wait_for("the passphrase does not open it");
    assert!(
        terminal
            .screen()
            .lines()
            .next()
            .unwrap()
            .ends_with(" locked")
    );
    terminal.press(Key::Escape);
    unlock(&terminal);
    quit(&mut terminal);
}

#[test]
fn a_search_narrows_with_every_key() {
    let Some(home) = home_with_examples() else {
        return;
    };
    let mut terminal = open(&home);
    unlock(&terminal);
    terminal.wait_for("8 recordings");
    terminal.type_text("/");
    terminal.type_text("toma");
    terminal.wait_for("2 recordings ·");
    terminal.type_text("toes wat");
    terminal.wait_for("1 recording ·");
    terminal.wait_for("garden-sensor");
    assert!(
        !terminal.screen().contains("shopping"),
        "{}",
        terminal.screen()
    );
    terminal.press(Key::Escape);
    terminal.wait_for("/ search");
    quit(&mut terminal);
}

#[test]
fn a_shred_asks_and_keeps_unless_told_otherwise() {
    let Some(home) = home_with_examples() else {
        return;
    };
    let mut terminal = open(&home);
    unlock(&terminal);
    terminal.wait_for("8 recordings");
    for answer in [Key::Enter, Key::Escape] {
        terminal.type_text("D");
        terminal.wait_for("Destroy this recording for good?");
        terminal.wait_for("[ keep ]");
        terminal.press(answer);
        terminal.wait_for_no("Destroy this recording");
        assert_eq!(home.list().len(), 8);
    }
    terminal.type_text("D");
    terminal.wait_for("[ keep ]");
    terminal.press(Key::Tab);
    terminal.wait_for("[ destroy ]");
    terminal.press(Key::Enter);
    terminal.wait_for("7 recordings");
    assert_eq!(home.list().len(), 7);
    // The receipt stays until it was read.
    terminal.press(Key::Escape);
    terminal.wait_for("/ search");
    quit(&mut terminal);
}

#[test]
fn every_size_draws_and_the_way_back_too() {
    let Some(home) = home_with_examples() else {
        return;
    };
    let mut terminal = open(&home);
    unlock(&terminal);
    terminal.wait_for("8 recordings");
    for size in [
        (200, 60),
        (60, 15),
        (59, 14),
        (20, 5),
        (19, 4),
        (3, 2),
        (2, 1),
        (1, 1),
        (1, 40),
        (120, 1),
    ] {
        terminal.resize(size);
        thread::sleep(Duration::from_millis(60));
        terminal.type_text("j");
    }
    terminal.resize(SIZE);
    terminal.wait_for("8 recordings");
    terminal.wait_for("/ search");
    quit(&mut terminal);
}

#[test]
fn nothing_is_sent_while_nothing_changes() {
    let Some(home) = home_with_examples() else {
        return;
    };
    let mut terminal = open(&home);
    unlock(&terminal);
    terminal.wait_for("8 recordings");
    thread::sleep(Duration::from_millis(1_500));
    let before = terminal.bytes_received();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(terminal.bytes_received(), before, "something was sent");
    quit(&mut terminal);
}

#[test]
fn what_a_second_shell_changes_is_noticed() {
    let home = quick_home();
    let mut terminal = open(&home);
    unlock(&terminal);
    home.write("from elsewhere.wav", &Pcm::tone(16_000, 1.0).wav());
    home.voxvault(["import", "--no-transcribe", "from elsewhere.wav"])
        .run()
        .ok();
    terminal.wait_for("from elsewhere");
    quit(&mut terminal);
}

#[test]
fn keys_that_a_second_shell_replaces_lock_it_with_a_word_and_the_new_passphrase_opens_it() {
    let home = quick_home();
    let mut terminal = open(&home);
    unlock(&terminal);
    let new = "six words that are other ones";
    home.write("new.txt", new.as_bytes());
    home.voxvault(["passwd", "--new-passphrase-file", "new.txt"])
        .run()
        .ok();
    terminal.wait_for("its keys were replaced meanwhile");
    terminal.wait_for("record now; what is recorded can be read");
    unlock_with(&terminal, new);
    quit(&mut terminal);
}

/// Ends the program in a way, while it records, and checks that it is gone in
/// time and that the sound is kept.
fn ends_and_keeps(end: impl FnOnce(&mut Terminal)) {
    let home = quick_home();
    let Some(microphone) = Microphone::plug_into(&home) else {
        return;
    };
    let mut terminal = open_with(&home, &microphone);
    terminal.wait_for("record now; what is recorded can be read");
    terminal.type_text("r");
    terminal.wait_for("stop and keep");
    wait_for_segments(&home, 3);
    let start = Instant::now();
    end(&mut terminal);
    terminal.wait_for_end(Duration::from_secs(5));
    let took = start.elapsed();
    assert!(took < Duration::from_secs(2), "it took {took:?}");
    let list = home.list();
    assert_eq!(list.len(), 1);
    assert!(
        list[0]["duration_s"].as_f64().unwrap() >= 2.4,
        "{}",
        list[0]
    );
}

#[test]
fn a_hang_up_ends_it_and_keeps_the_recording() {
    ends_and_keeps(Terminal::hang_up);
}

#[test]
fn a_termination_ends_it_keeps_the_recording_and_restores_the_terminal() {
    ends_and_keeps(|terminal| {
        let pid = Pid::from_raw(terminal.pid().cast_signed()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        terminal.wait_for_end(Duration::from_secs(5));
        assert_restored(terminal);
    });
}
