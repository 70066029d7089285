//! A microphone that goes away, comes back, says nothing, or says only silence;
//! and a disk that fills up while it is listened to. With the program as it is,
//! on the command line and on a terminal.

use std::ffi::OsString;
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::prepared::quick_home;
use crate::support::sound::Pcm;
use crate::support::{
    Finished, Home, Key, Microphone, Running, Terminal, Voxvault, bin, eventually, require_tool,
};

/// How long things may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A recording in progress whose messages can be read while it runs.
struct Recording<'a> {
    home: &'a Home,
    running: Running,
}

/// Runs what is given, with what it says in a file.
const SAYING: &str = r#"exec "$@" 2>said.txt"#;

impl<'a> Recording<'a> {
    fn begin(home: &'a Home, microphone: &Microphone) -> Self {
        let run = home.voxvault(["record", "--no-transcribe"]).locked();
        Self::of(home, run.microphone(microphone), SAYING)
    }

    fn of(home: &'a Home, run: Voxvault, script: &str) -> Self {
        let running = run
            .under("sh", ["-c", script, "sh"])
            .spawn_with_open_stdin();
        Self { home, running }
    }

    fn said(&self) -> String {
        fs::read_to_string(self.home.path("said.txt")).unwrap_or_default()
    }

    fn wait_until_said(&self, text: &str) {
        eventually(&format!("{text:?} is said"), PATIENCE, || {
            self.said().contains(text).then_some(())
        });
    }

    /// Waits until so many more segments of sound are on the disk.
    fn wait_for_segments(&self, more: u64) {
        let before = segments(self.home);
        eventually("sound is on the disk", PATIENCE, || {
            (segments(self.home) >= before + more).then_some(())
        });
    }

    fn stop(self) -> Finished {
        self.running.signal(Signal::TERM);
        self.running.wait_for(PATIENCE)
    }

    /// The same where nobody spoke into it: it gives zeros then, which is told.
    fn stop_without_a_sound(self) {
        let ended = self.stop();
        assert_eq!(ended.code(), Some(7), "{ended}");
        assert_eq!(ended.text().trim().len(), 32, "its id is told: {ended}");
    }
}

fn segments(home: &Home) -> u64 {
    let vault = voxvault::vault::Vault::open(&home.vault()).unwrap();
    let entries = vault.inbox().unwrap();
    entries.iter().map(|entry| entry.segments).sum()
}

fn only(home: &Home) -> serde_json::Value {
    let mut list = home.list();
    assert_eq!(list.len(), 1, "{list:?}");
    list.remove(0)
}

fn number(recording: &serde_json::Value, field: &str) -> f64 {
    recording[field].as_f64().expect("a number")
}

/// All that is missing, in seconds.
fn missing(recording: &serde_json::Value) -> f64 {
    let gaps = recording["gaps"].as_array().expect("gaps");
    gaps.iter().map(|gap| number(gap, "missing_s")).sum()
}

/// How much of the loudest second of a recording is a tone of 440 Hz.
fn share_of_tone(home: &Home, from_s: f64) -> f64 {
    let wav = home.path("heard.wav");
    let out = wav.display().to_string();
    home.voxvault(["export", "last", "--format", "wav", "--force", "-o", &out])
        .run()
        .ok();
    let pcm = Pcm::decode(&wav);
    let rate = pcm.rate_hz as usize;
    let from = (from_s * f64::from(pcm.rate_hz)) as usize;
    let power = |part: &[i16]| -> f64 { part.iter().map(|x| f64::from(*x).powi(2)).sum() };
    let seconds = pcm.samples[from..].windows(rate).step_by(rate / 10);
    let loudest = seconds
        .max_by(|a, b| power(a).total_cmp(&power(b)))
        .expect("a second of sound");
    let (mut re, mut im) = (0.0, 0.0);
    for (at, sample) in loudest.iter().enumerate() {
        let turn = std::f64::consts::TAU * 440.0 * at as f64 / f64::from(pcm.rate_hz);
        re += f64::from(*sample) * turn.cos();
        im += f64::from(*sample) * turn.sin();
    }
    2.0 * (re * re + im * im) / (loudest.len() as f64 * power(loudest))
}

/// A home and what it takes; `None`, after saying so, where that is not there.
fn home_with_microphone() -> Option<(Home, Microphone)> {
    let home = quick_home();
    let microphone = Microphone::plug_into(&home).filter(|_| require_tool("pactl"))?;
    Some((home, microphone))
}

#[test]
fn a_microphone_that_stays_is_heard_and_nothing_is_said() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    let tone = home.write("tone.wav", &Pcm::tone(48_000, 3.0).wav());
    let recording = Recording::begin(&home, &microphone);
    recording.wait_for_segments(1);
    microphone.speak(&tone);
    recording.wait_for_segments(1);
    let said = recording.said();
    recording.stop().ok();
    assert!(!said.contains("microphone"), "{said}");
    let recorded = only(&home);
    assert!(missing(&recorded) < 0.1, "{recorded}");
    assert_eq!(recorded["state"], "pending");
    let share = share_of_tone(&home, 0.0);
    assert!(share > 0.9, "{share}");
}

#[test]
fn the_first_recording_beside_a_fresh_sound_server_begins_when_it_gives_sound() {
    let home = quick_home();
    let microphone = Microphone::that_wakes_up_slowly(&home);
    let Some(microphone) = microphone.filter(|_| require_tool("pactl")) else {
        return;
    };
    let mark = home.write("mark.wav", &Pcm::tone(48_000, 1.0).wav());
    let run = home.voxvault(["record", "--no-transcribe", "--for", "2s"]);
    let recording = Recording::of(&home, run.locked().microphone(&microphone), SAYING);
    microphone.wait_until_somebody_listens();
    // What is played meanwhile waits until the sink goes on, and so comes whole.
    microphone.speak(&mark);
    recording.running.wait_for(PATIENCE).ok();
    let said = fs::read_to_string(home.path("said.txt")).unwrap();
    assert!(!said.contains("missing"), "{said}");
    let recorded = only(&home);
    assert_eq!(recorded["gaps"].as_array().map(Vec::len), Some(0));
    assert!((number(&recorded, "duration_s") - 2.0).abs() < 0.01);
    let share = share_of_tone(&home, 0.0);
    assert!(share > 0.9, "{share}");
}

#[test]
fn one_that_falls_silent_for_a_moment_leaves_a_gap_as_long_as_that() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    let recording = Recording::begin(&home, &microphone);
    recording.wait_for_segments(2);
    let before = Instant::now();
    microphone.fall_asleep();
    let asleep = Instant::now();
    std::thread::sleep(Duration::from_millis(1_200));
    let least = asleep.elapsed().as_secs_f64();
    microphone.wake_up();
    let most = before.elapsed().as_secs_f64();
    recording.wait_for_segments(4);
    recording.stop_without_a_sound();
    let recorded = only(&home);
    let missing = missing(&recorded);
    // What was on its way when it fell asleep may have come or not.
    assert!(missing > least - 0.3, "{missing} of {least}: {recorded}");
    assert!(missing < most + 0.5, "{missing} of {most}: {recorded}");
}

#[test]
fn one_that_is_pulled_and_plugged_in_again_goes_on_with_a_gap() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    let recording = Recording::begin(&home, &microphone);
    recording.wait_for_segments(3);
    microphone.pull();
    recording.wait_until_said("the microphone went away");
    let gone = segments(&home);
    std::thread::sleep(Duration::from_secs(1));
    microphone.plug_in(48_000, 2);
    recording.wait_until_said("the microphone is back");
    recording.wait_for_segments(3);
    recording.stop_without_a_sound();
    let recorded = only(&home);
    assert_eq!(recorded["state"], "silent");
    assert!(
        number(&recorded, "duration_s") >= 0.8 * (gone + 3) as f64,
        "{recorded}"
    );
    let gap = &recorded["gaps"][0];
    assert!(missing(&recorded) > 0.5, "{recorded}");
    assert!(number(gap, "at_s") >= 0.8 * gone as f64 - 0.1, "{recorded}");
}

#[test]
fn one_that_does_not_come_back_ends_with_seven_and_all_before_is_kept() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    let recording = Recording::begin(&home, &microphone);
    recording.wait_for_segments(3);
    microphone.pull();
    recording.wait_until_said("the microphone went away");
    let said = home.path("said.txt");
    let ended = recording.stop();
    assert_eq!(ended.code(), Some(7), "{ended}");
    assert_eq!(ended.text().trim().len(), 32, "its id is told: {ended}");
    let said = fs::read_to_string(said).unwrap();
    assert!(said.contains("what came by then is kept"), "{said}");
    let recorded = only(&home);
    assert!(number(&recorded, "duration_s") >= 2.4, "{recorded}");
}

#[test]
fn a_sound_server_that_crashes_and_is_started_again_costs_a_gap() {
    let Some((home, mut microphone)) = home_with_microphone() else {
        return;
    };
    let tone = home.write("tone.wav", &Pcm::tone(48_000, 3.0).wav());
    let recording = Recording::begin(&home, &microphone);
    recording.wait_for_segments(3);
    microphone.kill_server();
    recording.wait_until_said("the microphone went away");
    std::thread::sleep(Duration::from_secs(1));
    microphone.restart_server();
    recording.wait_until_said("the microphone is back");
    microphone.speak(&tone);
    recording.wait_for_segments(1);
    recording.stop().ok();
    let recorded = only(&home);
    assert!(missing(&recorded) > 0.5, "{recorded}");
    let share = share_of_tone(&home, number(&recorded["gaps"][0], "at_s"));
    assert!(share > 0.9, "{share}");
}

#[test]
fn one_that_comes_back_with_another_rate_is_heard_at_the_right_pitch() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    let tone = home.write("tone.wav", &Pcm::tone(44_100, 3.0).wav());
    let recording = Recording::begin(&home, &microphone);
    recording.wait_for_segments(2);
    microphone.pull();
    recording.wait_until_said("the microphone went away");
    microphone.plug_in(44_100, 1);
    recording.wait_until_said("the microphone is back");
    microphone.speak(&tone);
    recording.wait_for_segments(1);
    recording.stop().ok();
    let recorded = only(&home);
    let share = share_of_tone(&home, number(&recorded["gaps"][0], "at_s"));
    assert!(share > 0.9, "{share}");
}

#[test]
fn one_that_gives_only_zeros_is_named_and_makes_a_silent_recording() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    let recording = Recording::begin(&home, &microphone);
    recording.wait_until_said("no signal: silence only");
    let said = home.path("said.txt");
    recording.stop_without_a_sound();
    let said = fs::read_to_string(said).unwrap();
    assert!(said.contains("the microphone gave only silence"), "{said}");
    assert_eq!(only(&home)["state"], "silent");
}

#[test]
fn one_from_which_nothing_comes_is_named_and_ends_with_seven() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    microphone.fall_asleep();
    let recording = Recording::begin(&home, &microphone);
    recording.wait_until_said("nothing comes from");
    let ended = recording.stop();
    assert_eq!(ended.code(), Some(7), "{ended}");
    assert!(home.list().is_empty(), "nothing was begun");
}

#[test]
fn one_that_falls_asleep_is_waited_for_and_its_sleep_is_a_gap() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    let recording = Recording::begin(&home, &microphone);
    recording.wait_for_segments(2);
    microphone.fall_asleep();
    recording.wait_until_said("the microphone went away");
    microphone.wake_up();
    recording.wait_until_said("the microphone is back");
    recording.wait_for_segments(2);
    recording.stop_without_a_sound();
    // It counts as gone after two seconds.
    let recorded = only(&home);
    assert!(missing(&recorded) > 1.5, "{recorded}");
}

#[test]
fn a_program_that_was_stopped_accounts_for_all_of_the_time() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    let before = Instant::now();
    let recording = Recording::begin(&home, &microphone);
    recording.wait_for_segments(2);
    let heard = Instant::now();
    recording.running.signal(Signal::STOP);
    std::thread::sleep(Duration::from_secs(10));
    recording.running.signal(Signal::CONT);
    // What was kept for it comes at once; then it goes on.
    std::thread::sleep(Duration::from_secs(4));
    recording.wait_for_segments(3);
    let (least, most) = (heard.elapsed(), before.elapsed());
    recording.stop_without_a_sound();
    let recorded = only(&home);
    let accounted = number(&recorded, "duration_s") + missing(&recorded);
    // A segment that was not full may be behind, and so may be the end.
    let least = least.as_secs_f64() + 1.6 - 2.5;
    assert!(accounted >= least, "{accounted} of {least}: {recorded}");
    let most = most.as_secs_f64() + PATIENCE.as_secs_f64().min(5.0);
    assert!(accounted <= most, "{accounted} of {most}: {recorded}");
}

#[test]
fn a_full_disk_is_said_at_once_ends_with_nine_and_keeps_all_before() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    if !require_tool("prlimit") {
        return;
    }
    let run = home.voxvault(["record", "--no-transcribe"]).locked();
    let script = r#"exec prlimit --fsize=16000 "$@" 2>said.txt"#;
    let mut recording = Recording::of(&home, run.microphone(&microphone), script);
    recording.wait_until_said("the disk is full");
    eventually("it ends by itself", PATIENCE, || {
        (!recording.running.is_running()).then_some(())
    });
    let ended = recording.running.wait_for(PATIENCE);
    assert_eq!(ended.code(), Some(9), "{ended}");
    let said = fs::read_to_string(home.path("said.txt")).unwrap();
    assert!(said.contains("of sound are kept"), "{said}");
    let recorded = only(&home);
    assert_eq!(recorded["id"], ended.text().trim());
    // A file that may not grow is a full disk that anybody can have. 16,000 bytes
    // hold the keys, a card, and four segments of 0.8 s.
    let kept = number(&recorded, "duration_s");
    assert!((2.4..=4.0).contains(&kept), "{recorded}");
}

fn terminal(
    home: &Home,
    microphone: &Microphone,
    size: (u16, u16),
    under: &[OsString],
) -> Terminal {
    let mut argv = under.to_vec();
    argv.push(bin().into());
    let terminal = Terminal::open(home, argv, size, microphone.environment());
    terminal.wait_for("locked");
    terminal.type_text("r");
    terminal
}

fn quit(terminal: &mut Terminal) {
    terminal.type_text("q");
    assert_eq!(terminal.wait_for_end(PATIENCE), Some(0));
}

#[test]
fn the_screen_says_that_it_is_gone_and_that_it_is_back() {
    for size in [(80, 24), (40, 10)] {
        let Some((home, microphone)) = home_with_microphone() else {
            return;
        };
        let mut terminal = terminal(&home, &microphone, size, &[]);
        terminal.wait_at_most(PATIENCE, "it records", |screen| {
            screen.contains("recording")
        });
        terminal.wait_at_most(PATIENCE, "silence is named", |screen| {
            screen.contains("silence only")
        });
        microphone.pull();
        terminal.wait_at_most(PATIENCE, "it is gone", |screen| {
            screen.contains("the microphone is gone")
        });
        // It stands below the other screens as well.
        terminal.press(Key::Escape);
        terminal.wait_for("the microphone is gone");
        std::thread::sleep(Duration::from_secs(1));
        microphone.plug_in(48_000, 2);
        terminal.wait_at_most(PATIENCE, "it is back", |screen| {
            screen.contains("the microphone is back")
        });
        terminal.wait_for_no("the microphone is gone");
        terminal.type_text("r");
        terminal.wait_for("are missing");
        terminal.press(Key::Enter);
        terminal.wait_at_most(PATIENCE, "it is kept", |screen| screen.contains("kept: "));
        quit(&mut terminal);
        assert!(missing(&only(&home)) > 0.5);
    }
}

#[test]
fn the_screen_says_that_nothing_comes() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    microphone.fall_asleep();
    let mut terminal = terminal(&home, &microphone, (80, 24), &[]);
    terminal.wait_at_most(PATIENCE, "it is said", |screen| {
        screen.contains("the microphone gives nothing")
    });
    terminal.press(Key::Enter);
    terminal.wait_at_most(PATIENCE, "it ended", |screen| {
        screen.contains("the microphone gave no sound")
    });
    quit(&mut terminal);
    assert!(home.list().is_empty());
}

#[test]
fn the_screen_says_that_the_disk_is_full_and_what_was_kept_merges_later() {
    let Some((home, microphone)) = home_with_microphone() else {
        return;
    };
    if !require_tool("prlimit") {
        return;
    }
    let limit = ["prlimit".into(), "--fsize=16000".into()];
    let mut terminal = terminal(&home, &microphone, (80, 24), &limit);
    terminal.wait_at_most(PATIENCE, "it is said while it records", |screen| {
        screen.contains("the disk is full") && screen.contains("nothing is kept now")
    });
    terminal.wait_at_most(PATIENCE, "it ended by itself", |screen| {
        screen.contains("the disk is full")
            && screen.contains("kept")
            && !screen.contains("nothing is kept now")
    });
    quit(&mut terminal);
    let recorded = only(&home);
    assert!(number(&recorded, "duration_s") >= 2.4, "{recorded}");
}
