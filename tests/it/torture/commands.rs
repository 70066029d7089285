//! `kill -9` at random moments of every command that changes a vault, of a
//! transcription, and of whoever records the microphone.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use voxvault::vault::Vault;

use super::chance::Chance;
use super::deeds::Deed;
use super::scene::Scene;
use crate::support::prepared::quick_home;
use crate::support::tally::{Begun, Budget};
use crate::support::{
    Home, Key, Microphone, PASSPHRASE, Terminal, clip, eventually, library, require_model,
};

/// Rounds of each command in `make test`; of the slow ones a few.
const FEW: usize = 4;
const FEW_SLOW: usize = 1;

#[test]
fn a_command_killed_at_any_moment_loses_nothing_and_a_shred_keeps_its_word() {
    let mut tally = Begun::new("kills of commands");
    let budget = Budget::begin();
    let mut chance = Chance::new("kills of commands");
    let scene = Scene::new();
    let mut ends: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    // How long each takes when nobody kills it.
    let lengths: Vec<(Deed, f64)> = Deed::ALL
        .into_iter()
        .map(|deed| {
            scene.reset();
            let start = Instant::now();
            let ended = deed.run(&scene).run().ok();
            let length = start.elapsed().as_secs_f64();
            deed.check(&scene, &ended, None, &format!("{deed:?}, let live"));
            (deed, length)
        })
        .collect();
    for number in 0.. {
        let more = budget.more();
        if number >= FEW && !more {
            break;
        }
        for (deed, length) in &lengths {
            // A slow one every fourth time: its rounds cost some seconds.
            let due = match deed.is_slow() {
                true => number < FEW_SLOW || (more && number.is_multiple_of(4)),
                false => true,
            };
            if !due {
                continue;
            }
            scene.reset();
            let running = deed.run(&scene).spawn();
            let after = chance.between(0.0, length * 1.05);
            thread::sleep(Duration::from_secs_f64(after));
            running.signal(Signal::KILL);
            let ended = running.wait();
            let (killed, survived) = ends.entry(*deed).or_default();
            match ended.code() {
                None => *killed += 1,
                Some(0) => *survived += 1,
                Some(_) => panic!("{deed:?}: {ended}"),
            }
            let what = format!("{deed:?}, killed after {after:.4} s: {ended}");
            deed.check(&scene, &ended, None, &what);
        }
    }
    for (deed, (killed, survived)) in ends {
        eprintln!("{deed:?}: {killed} killed, {survived} were done before");
        tally.kills += killed as u64;
    }
    tally.report();
    assert!(tally.kills > 0);
}

#[test]
fn a_transcription_killed_at_any_moment_loses_no_word_and_is_taken_up_again() {
    if !require_model() {
        return;
    }
    let mut tally = Begun::new("kills of transcriptions");
    let budget = Budget::begin();
    let mut chance = Chance::new("kills of transcriptions");
    let home = quick_home();
    for number in 0.. {
        if number >= 2 && !budget.more() {
            break;
        }
        let said = clip("train").into_os_string();
        home.voxvault(["import".into(), "--no-transcribe".into(), said])
            .run()
            .ok();
        let id = home.id_of("train");
        // Longer every time, so that it comes to an end on any machine.
        for attempt in 1.. {
            let running = home.voxvault(["transcribe", "--pending"]).spawn();
            let after = chance.between(0.0, 3.0 * f64::from(attempt));
            thread::sleep(Duration::from_secs_f64(after));
            running.signal(Signal::KILL);
            let killed = running.wait().code().is_none();
            tally.kills += u64::from(killed);
            let list = home.list();
            let versions = list[0]["versions"].as_array().unwrap().len();
            assert!(list.len() == 1 && versions <= 1, "{list:?}");
            if versions == 1 {
                let text = home.text_of(&id).to_lowercase();
                assert!(text.contains("platform"), "{text}");
                break;
            }
            assert!(killed, "it ended and left no words");
        }
        home.voxvault(["shred", &id, "--yes"]).run().ok();
    }
    tally.report();
}

/// Who listens to the microphone.
#[derive(Debug, Clone, Copy)]
enum Listener {
    /// `voxvault record`.
    Command,
    /// The interface, locked.
    Locked,
    /// The interface, unlocked.
    Unlocked,
}

/// Lets it record, kills it so long after the first segment is on the disk, and
/// answers what it is known to have heard by then, in seconds.
fn listen_and_die(home: &Home, microphone: &Microphone, listener: Listener, after_s: f64) -> f64 {
    let heard = || {
        eventually("sound is on the disk", Duration::from_secs(30), || {
            let inbox = Vault::open(&home.vault()).unwrap().inbox().unwrap();
            let segments: u64 = inbox.iter().map(|entry| entry.segments).sum();
            (segments >= 1).then_some(())
        });
        let known = Instant::now();
        thread::sleep(Duration::from_secs_f64(after_s));
        // That segment, and all the time since.
        0.8 + known.elapsed().as_secs_f64()
    };
    if matches!(listener, Listener::Command) {
        let recorder = home.voxvault(["record"]).locked();
        let recorder = recorder.microphone(microphone).spawn_with_open_stdin();
        let heard_s = heard();
        recorder.signal(Signal::KILL);
        assert_eq!(recorder.wait().code(), None);
        return heard_s;
    }
    let nothing = Vec::<String>::new();
    let environment = microphone.environment();
    let mut terminal = Terminal::voxvault(home, nothing, (80, 24), environment);
    terminal.wait_for("record now; what is recorded can be read");
    if matches!(listener, Listener::Unlocked) {
        terminal.press(Key::Enter);
        terminal.type_text(PASSPHRASE);
        terminal.press(Key::Enter);
        terminal.wait_until("it is unlocked", |screen| {
            let first = screen.lines().next();
            first.is_some_and(|line| line.ends_with(" unlocked"))
        });
    }
    terminal.type_text("r");
    let heard_s = heard();
    let pid = Pid::from_raw(terminal.pid().cast_signed()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    terminal.wait_for_end(Duration::from_secs(10));
    heard_s
}

#[test]
fn kill_nine_at_the_microphone_costs_at_most_a_second() {
    let budget = Budget::begin();
    let home = quick_home();
    let Some(microphone) = Microphone::plug_into(&home) else {
        return;
    };
    let mut tally = Begun::new("kills at the microphone");
    let mut chance = Chance::new("kills at the microphone");
    let mut lost: Vec<f64> = Vec::new();
    let listeners = [Listener::Command, Listener::Locked, Listener::Unlocked];
    for (number, listener) in listeners.into_iter().cycle().enumerate() {
        if number >= listeners.len() && !budget.more() {
            break;
        }
        let after_s = chance.between(0.1, 2.5);
        let heard_s = listen_and_die(&home, &microphone, listener, after_s);
        tally.kills += 1;

        let open = library::unlock(&home.vault(), PASSPHRASE);
        let report = open.merge().unwrap();
        let [id] = report.merged[..] else {
            panic!("{listener:?}: one recording is to come in: {report:?}");
        };
        let kept_s = open.recording(id).unwrap().card.duration().as_secs_f64();
        lost.push(heard_s - kept_s);
        assert_eq!(open.recordings().unwrap().len(), number + 1);
    }
    let worst_s = lost.iter().copied().fold(0.0, f64::max);
    eprintln!(
        "at the microphone: {} kills, at most {worst_s:.3} s lost",
        lost.len()
    );
    tally.lost = lost.iter().filter(|lost| **lost > 1.0).count() as u64;
    tally.report();
    assert_eq!(tally.lost, 0, "lost, in seconds: {lost:?}");
}
