//! At a loudspeaker that exists only for the test: what arrives there, and what is shown.

use rustix::process::Signal;
use serde_json::Value;

use super::{PATIENCE, hint, home_with_a_hole, home_with_tone, id, logged, loud, pitch_hz};
use crate::support::{
    Home, Key, Microphone, PASSPHRASE, Running, Terminal, eventually, require_tool,
};

#[test]
fn what_is_damaged_is_silence_on_a_loudspeaker_and_ends_with_five() {
    let home = home_with_a_hole();
    let Some(speaker) = loudspeaker(&home) else {
        return;
    };
    let heard = speaker.hear(&mut || {
        let run = home.voxvault(["play", "last"]).microphone(&speaker).run();
        let played = run.ended_with(5);
        assert!(
            played.stderr.contains("0.8 s of it can't be read"),
            "{played}"
        );
    });
    let tone = loud(&heard);
    assert!(tone.len() > 190_000, "{}", tone.len());
    let swings = pitch_hz(tone) * tone.len() as f64 / 48_000.0;
    assert!((swings - 440.0 * 3.2).abs() < 22.0, "{swings}");
}

/// A loudspeaker whose sound can be heard; `None`, after saying so, without one.
fn loudspeaker(home: &Home) -> Option<Microphone> {
    Microphone::plug_into(home).filter(|_| require_tool("parec"))
}

#[test]
fn a_loudspeaker_gets_all_of_it() {
    let home = home_with_tone(0.2, 2.0);
    let Some(speaker) = loudspeaker(&home) else {
        return;
    };
    let hear = |args: &[&str]| {
        let mut ended = None;
        let heard = speaker.hear(&mut || {
            let run = home.voxvault([&["play", "last", "--json"], args].concat());
            ended = Some(run.microphone(&speaker).run().ok());
        });
        let played = ended.unwrap().json()["played"].clone();
        (heard, played)
    };
    for (args, from_s, tone_s) in [
        (&[][..], 0.0, 2.0),
        (&["--from", "1.2"], 1.2, 1.0),
        (&["--speed", "2"], 0.0, 1.0),
    ] {
        let (heard, played) = hear(args);
        let tone = loud(&heard);
        let length_s = tone.len() as f64 / 48_000.0;
        // A machine that is busy may let it falter, which makes it no shorter.
        assert!(length_s > tone_s - 0.05, "{args:?}: {length_s} s");
        let swings = pitch_hz(tone) * length_s;
        assert!((swings - 440.0 * tone_s).abs() < 22.0, "{args:?}: {swings}");
        assert_eq!(played["id"], Value::from(id(&home)));
        assert_eq!(played["ended"], "whole");
        assert!((played["from_s"].as_f64().unwrap() - from_s).abs() < 1e-6);
        assert!((played["to_s"].as_f64().unwrap() - 2.4).abs() < 1e-6);
    }
    let from: Vec<String> = logged(&home).into_iter().map(|entry| entry.0).collect();
    assert_eq!(from, ["from 0:00", "from 0:01", "from 0:00"]);
}

/// Waits until the log says that it is played, which it does before it is heard.
fn wait_until_logged(home: &Home, running: &mut Running, times: usize) {
    eventually("it is logged", PATIENCE, || {
        (logged(home).len() >= times).then_some(())
    });
    assert!(running.is_running());
}

#[test]
fn a_signal_stops_it_and_that_is_no_failure() {
    let home = home_with_tone(0.0, 60.0);
    let Some(speaker) = loudspeaker(&home) else {
        return;
    };
    for (times, signal) in [Signal::INT, Signal::TERM, Signal::HUP]
        .into_iter()
        .enumerate()
    {
        let run = home.voxvault(["play", "last", "--json"]);
        let mut running = run.microphone(&speaker).spawn();
        wait_until_logged(&home, &mut running, times + 1);
        running.signal(signal);
        let ended = running.wait_for(PATIENCE).ok();
        assert_eq!(ended.stderr, "");
        let played = &ended.json()["played"];
        assert_eq!(played["ended"], "stopped");
        assert!(played["to_s"].as_f64().unwrap() < 55.0, "{played}");
    }
    let mut running = home.voxvault(["play", "last"]).microphone(&speaker).spawn();
    wait_until_logged(&home, &mut running, 4);
    running.signal(Signal::KILL);
    running.wait_for(PATIENCE);
    assert_eq!(logged(&home).len(), 4, "it is there however it ended");
}

#[test]
fn on_a_terminal_it_shows_where_it_is_until_ctrl_c() {
    let home = home_with_tone(0.0, 60.0);
    let Some(speaker) = loudspeaker(&home) else {
        return;
    };
    let mut args: Vec<std::ffi::OsString> = ["play", "last", "--from", "30", "--passphrase-file"]
        .map(Into::into)
        .to_vec();
    args.push(home.passphrase_file().into());
    let mut terminal = Terminal::voxvault(&home, args, (80, 24), speaker.environment());
    terminal.wait_for("playing");
    terminal.wait_for("0:31 of 1:00");
    terminal.press(Key::Ctrl('c'));
    assert_eq!(terminal.wait_for_end(PATIENCE), Some(0));
    assert!(
        !terminal.screen().contains("voxvault:"),
        "{}",
        terminal.screen()
    );
}

#[test]
fn a_loudspeaker_that_goes_away_is_a_failure_that_is_told() {
    let home = home_with_tone(0.0, 60.0);
    let Some(mut speaker) = loudspeaker(&home) else {
        return;
    };
    let mut running = home.voxvault(["play", "last"]).microphone(&speaker).spawn();
    wait_until_logged(&home, &mut running, 1);
    speaker.kill_server();
    let ended = running.wait_for(PATIENCE).ended_with(1);
    assert!(ended.stderr.contains("can't play here"), "{ended}");
    assert!(hint(&ended), "{ended}");
}

#[test]
fn the_interface_plays_all_of_it_too_also_when_it_is_held() {
    let home = home_with_tone(0.2, 4.0);
    let Some(speaker) = loudspeaker(&home) else {
        return;
    };
    let terminal = Terminal::voxvault(&home, [""; 0], (80, 24), speaker.environment());
    terminal.wait_for("locked");
    terminal.press(Key::Enter);
    terminal.type_text(PASSPHRASE);
    terminal.press(Key::Enter);
    terminal.wait_for("1 recording ·");
    let heard = speaker.hear(&mut || {
        terminal.press(Key::Enter);
        terminal.wait_for("playing");
        terminal.type_text("p");
        terminal.wait_for("paused");
        terminal.type_text("p");
        terminal.wait_for("playing");
        terminal.wait_for_no("playing");
    });
    let tone = loud(&heard);
    let swings = pitch_hz(tone) * tone.len() as f64 / 48_000.0;
    assert!((swings - 440.0 * 4.0).abs() < 22.0, "{swings}");
    assert_eq!(logged(&home), [("from 0:00".to_owned(), id(&home).into())]);
}
