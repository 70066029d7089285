//! Playing from the shell, with the program as it is: what arrives in a pipe and at a
//! loudspeaker, that the log knows it before anybody hears it, and how it ends.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::library;
use crate::support::prepared::quick_home;
use crate::support::sound::{Pcm, measure_wav};
use crate::support::strace::tampering;
use crate::support::{
    Finished, Home, Key, Microphone, PASSPHRASE, Running, Terminal, eventually, require_tool,
};

/// How long things may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes before the samples of a WAV file.
const HEADER: usize = 44;

/// A home with one recording: a tone of 440 Hz between two stretches of silence.
fn home_with_tone(silence_s: f64, tone_s: f64) -> Home {
    let home = quick_home();
    let silence = Pcm::silence(48_000, silence_s);
    let mut sound = silence.clone();
    sound.samples.extend(Pcm::tone(48_000, tone_s).samples);
    sound.samples.extend(silence.samples);
    home.write("tone.wav", &sound.wav());
    home.voxvault(["import", "--no-transcribe", "tone.wav"])
        .run()
        .ok();
    home
}

fn id(home: &Home) -> String {
    home.list()[0]["id"].as_str().unwrap().to_owned()
}

/// The samples of a WAV file.
fn samples(wav: &[u8]) -> Vec<i16> {
    let pairs = wav[HEADER..].as_chunks::<2>().0.iter();
    pairs.map(|pair| i16::from_le_bytes(*pair)).collect()
}

/// The stretch from the first loud sample to the last one.
fn loud(samples: &[i16]) -> &[i16] {
    let is_loud = |sample: &i16| sample.unsigned_abs() > 4_000;
    let first = samples.iter().position(is_loud).expect("something loud");
    let last = samples.iter().rposition(is_loud).unwrap();
    &samples[first..=last]
}

/// How often a tone at 48 kHz swings in a second.
fn pitch_hz(samples: &[i16]) -> f64 {
    let rises = samples.windows(2).filter(|two| two[0] < 0 && two[1] >= 0);
    rises.count() as f64 * 48_000.0 / samples.len() as f64
}

/// What of it was played, as the log has it.
fn logged(home: &Home) -> Vec<(String, Value)> {
    begun(home, "play")
}

/// The details and ids of what was begun of this kind, in order.
fn begun(home: &Home, what: &str) -> Vec<(String, Value)> {
    let log = home.voxvault(["log", "--json"]).run().ok().json();
    let entries = log["entries"].as_array().unwrap().iter();
    let played = entries.filter(|entry| entry["what"] == what && entry["stage"] == "begun");
    played
        .map(|entry| {
            let detail = entry["detail"].as_str().unwrap().to_owned();
            (detail, entry["id"].clone())
        })
        .collect()
}

fn hint(ended: &Finished) -> bool {
    ended.stderr.lines().any(|line| line.starts_with("hint: "))
}

#[test]
fn a_pipe_gets_what_an_export_writes() {
    let home = home_with_tone(0.5, 2.0);
    let id = id(&home);
    let export = ["export", "last", "--format", "wav", "-o", "-"];
    let exported = home.voxvault(export).run().ok().stdout;
    assert!((measure_wav(&exported).0 - 3.0).abs() < 1e-6);
    for name in ["last", &id, &id[..6]] {
        let played = home.voxvault(["play", name, "--stdout"]).run().ok();
        assert!(played.stdout == exported, "{name}");
        assert_eq!(played.stderr, "");
    }
    assert_eq!(
        logged(&home),
        vec![("from 0:00 to a stream".to_owned(), Value::from(id)); 3]
    );
}

#[test]
fn from_cuts_the_start_off_to_the_sample() {
    let home = home_with_tone(0.5, 2.0);
    let whole = home.voxvault(["play", "last", "--stdout"]).run().ok();
    let whole = samples(&whole.stdout);
    for (from, cut) in [
        ("0.5", 24_000),
        ("0:01.25", 60_000),
        ("0:00:02.99", 143_520),
    ] {
        let args = ["play", "last", "--stdout", "--from", from];
        let part = home.voxvault(args).run().ok().stdout;
        let (length_s, _) = measure_wav(&part);
        let (part, due) = (samples(&part), &whole[cut..]);
        assert_eq!(part.len(), due.len(), "{from}");
        assert_eq!((length_s * 48_000.0).round() as usize, due.len(), "{from}");
        let pairs = part.iter().zip(due);
        let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst < 700, "{from}: {worst}");
    }
    let from: Vec<String> = logged(&home).into_iter().map(|entry| entry.0).collect();
    assert_eq!(
        from,
        [
            "from 0:00 to a stream",
            "from 0:00 to a stream",
            "from 0:01 to a stream",
            "from 0:02 to a stream"
        ]
    );
}

#[test]
fn speed_changes_the_length_and_not_the_pitch() {
    let home = home_with_tone(0.5, 2.0);
    for (speed, factor) in [("0.5", 0.5), ("1", 1.0), ("1.5", 1.5), ("4", 4.0)] {
        let args = ["play", "last", "--stdout", "--speed", speed];
        let played = home.voxvault(args).run().ok().stdout;
        let (length_s, _) = measure_wav(&played);
        assert!(
            (length_s - 3.0 / factor).abs() < 1e-4,
            "{speed}: {length_s}"
        );
        let played = samples(&played);
        assert_eq!(played.len(), (length_s * 48_000.0).round() as usize);
        let tone = loud(&played);
        let tone_s = tone.len() as f64 / 48_000.0;
        assert!((tone_s - 2.0 / factor).abs() < 0.05, "{speed}: {tone_s} s");
        assert!(
            (pitch_hz(tone) - 440.0).abs() < 5.0,
            "{speed}: {}",
            pitch_hz(tone)
        );
    }
}

#[test]
fn what_can_t_be_logged_is_not_played() {
    if !require_tool("strace") {
        return;
    }
    let home = home_with_tone(0.5, 0.5);
    let play = || home.voxvault(["play", "last", "--stdout"]);
    let under = |call: &str, error: &str| {
        let mut args = vec!["-f".into(), "-o".into(), "/dev/null".into()];
        args.extend(tampering(call, &format!("error={error}")));
        play().under("strace", args).run()
    };
    let full = under("pwrite64", "ENOSPC").ended_with(9);
    assert!(full.stdout.is_empty(), "{full}");
    let unsynced = under("fsync,fdatasync", "EIO");
    assert_ne!(unsynced.code(), Some(0), "{unsynced}");
    assert!(unsynced.stdout.is_empty(), "{unsynced}");
    assert_eq!(
        play().run().ok().stdout.len(),
        HEADER + 144_000,
        "the control"
    );
}

#[test]
fn what_can_t_be_played_says_why_and_how_it_ends() {
    let home = home_with_tone(0.5, 0.5);
    let play = |args: &[&str]| home.voxvault([&["play"], args].concat());
    let wrong: [&[&str]; 9] = [
        &[],
        &["last", "--from", "soon"],
        &["last", "--from", "1.5"],
        &["last", "--from", "1:00", "--stdout"],
        &["last", "--speed", "0.2"],
        &["last", "--speed", "5", "--stdout"],
        &["last", "--speed", "fast"],
        &["abc", "--stdout"],
        &["last", "--stdout", "--json"],
    ];
    for args in wrong {
        let ended = play(args).run().ended_with(2);
        assert!(hint(&ended) && ended.stdout.is_empty(), "{args:?}: {ended}");
    }
    let locked = play(&["last", "--stdout"]).locked().run().ended_with(3);
    assert!(hint(&locked), "{locked}");
    let none = play(&["ffffffff", "--stdout"]).run().ended_with(4);
    assert!(hint(&none), "{none}");
    let passphrase = home.passphrase_file().into_os_string();
    let mut args: Vec<std::ffi::OsString> = ["play", "last", "--stdout", "--passphrase-file"]
        .map(Into::into)
        .to_vec();
    args.push(passphrase);
    let mut terminal = Terminal::voxvault(&home, args, (80, 24), Vec::new());
    terminal.wait_for("helps nobody");
    assert_eq!(terminal.wait_for_end(PATIENCE), Some(2));
    assert_eq!(logged(&home), [], "nothing of it was heard");

    home.voxvault(["shred", "last", "--audio-only", "--yes"])
        .run()
        .ok();
    for args in [&["last", "--stdout"][..], &["last"]] {
        let gone = play(args).run().ended_with(4);
        assert!(gone.stderr.contains("its sound was shredded"), "{gone}");
    }
}

#[test]
fn where_sound_is_lost_there_is_silence_and_it_is_said() {
    let home = quick_home();
    home.voxvault(["record", "-", "--no-transcribe"])
        .locked()
        .stdin(Pcm::tone(16_000, 3.0).wav())
        .run()
        .ok();
    // A segment in the middle of a recording that is not merged yet.
    let inbox = home.vault().join("inbox").read_dir().unwrap().next();
    let inbox = inbox.unwrap().unwrap().path();
    let mut bytes = fs::read(&inbox).unwrap();
    let inside = bytes.len() - 7_000;
    bytes[inside] ^= 1;
    fs::write(&inbox, bytes).unwrap();
    // The merge finds it, and it is damage that once.
    let found = home.voxvault(["play", "last", "--stdout"]).run();
    let found = found.ended_with(5);
    assert!(found.stderr.contains("0.8 s of it were lost"), "{found}");
    let known = home.voxvault(["play", "last", "--stdout"]).run().ok();
    assert!(known.stderr.contains("0.8 s of it were lost"), "{known}");
    assert!(known.stdout == found.stdout);
    let all = samples(&known.stdout);
    assert!((all.len() as f64 / 48_000.0 - 3.0).abs() < 0.01);
    let silent = all
        .chunks_exact(480)
        .filter(|part| part.iter().all(|x| *x == 0));
    assert!((70..=85).contains(&silent.count()));
}

/// A home with a tone of 4 s, whose second segment of 0.8 s is damaged.
fn home_with_a_hole() -> Home {
    let home = home_with_tone(0.0, 4.0);
    let store = home.vault().join("store.redb");
    library::tear(&store, id(&home).parse().unwrap(), 1);
    home
}

#[test]
fn what_is_damaged_is_silence_in_a_pipe_and_ends_with_five() {
    let home = home_with_a_hole();
    let said = "0.8 s of it can't be read; silence stands in for them";
    let played = home.voxvault(["play", "last", "--stdout"]).run();
    let played = played.ended_with(5);
    assert!(played.stderr.contains(said) && hint(&played), "{played}");
    let export = ["export", "last", "--format", "wav", "-o", "-"];
    let exported = home.voxvault(export).run().ended_with(5);
    assert!(played.stdout == exported.stdout);
    let all = samples(&played.stdout);
    assert_eq!(all.len(), 192_000);
    assert!(all[38_400..76_000].iter().all(|sample| *sample == 0));
    assert!((pitch_hz(&all[80_000..190_000]) - 440.0).abs() < 2.0);
    // Behind the damage there is none.
    let behind = ["play", "last", "--stdout", "--from", "2"];
    let behind = home.voxvault(behind).run().ok();
    assert_eq!(behind.stderr, "");
}

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

#[test]
fn without_a_loudspeaker_it_says_so_and_claims_nothing() {
    let home = home_with_tone(0.5, 0.5);
    home.write(".asoundrc", b"pcm.!default { type hw card 99 }\n");
    let mute = home.voxvault(["play", "last"]).run().ended_with(1);
    let said: Vec<&str> = mute.stderr.lines().collect();
    assert!(
        matches!(said.as_slice(), [error, hint]
            if error.starts_with("voxvault: can't play here: ") && hint.contains("--stdout")),
        "{mute}"
    );
    assert_eq!(logged(&home), []);
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
fn a_pipe_that_nobody_reads_keeps_no_sound_and_no_backup_from_ending() {
    let export: &[&str] = &["export", "last", "--format", "wav", "-o", "-"];
    for args in [&["play", "last", "--stdout"], export, &["backup", "-"]] {
        let home = home_with_tone(0.0, 60.0);
        let fifo = home.path("nobody");
        // Open for reading as well, and never read.
        let script = r#"mkfifo "$0" && exec 3<>"$0" && exec "$@" >&3"#;
        let run = home.voxvault(args.iter().copied());
        let shell = ["-c".into(), script.into(), fifo.into_os_string()];
        let running = run.under::<std::ffi::OsString>("sh", shell).spawn();
        eventually("it is logged", PATIENCE, || {
            (!begun(&home, args[0]).is_empty()).then_some(())
        });
        running.signal(Signal::TERM);
        // What is there by then is not whole, which is no success; 130 where nothing
        // was written yet.
        let ended = running.wait_for(PATIENCE);
        assert!(matches!(ended.code(), Some(1 | 130)), "{ended}");
    }
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
