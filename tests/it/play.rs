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
use crate::support::{Finished, Home, Terminal, eventually, require_tool};

mod loudspeaker;

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
