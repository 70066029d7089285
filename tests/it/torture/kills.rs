//! `kill -9` at random moments: what is lost of a recording is at most a second,
//! nothing that was there before, and every vault opens.
//!
//! Recorders run side by side in a few vaults, fed as fast as one speaks. Each is
//! killed at a random moment; then the program is started again, while the others
//! go on. How long an fsync took at that time is measured beside the vault, since
//! a recorder waits for one with every segment; and how long whoever was due had to
//! wait for the processor, since so did the recorder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::chance::Chance;
use super::sound::{RATE_HZ, heard, steps};
use crate::support::prepared::quick_home;
use crate::support::sound::Pcm;
use crate::support::tally::{Begun, Budget};
use crate::support::{Finished, Home, library};

/// Rounds of `make test`, and the least of `make torture` and `benches/kill`.
const FEW: usize = 24;
const MANY: usize = 1_000;

/// Vaults, and recorders side by side in each.
const VAULTS: usize = 4;
const RECORDERS: usize = 3;

/// For how long sound is fed before the kill, at least and at most.
const FED_S: (f64, f64) = (0.2, 4.0);

/// What a kill may cost where an fsync, and a turn on the processor, takes no
/// longer than this. It is counted and printed: on a busy machine short waits add
/// up that no probe sees.
const MOST_LOST_S: f64 = 1.0;
const QUICK: Duration = Duration::from_millis(150);

/// What no wait of a machine explains: the open segment and two that should have
/// been on the disk.
const NEVER_LOST_S: f64 = 2.4;

/// How far back an fsync may have delayed what was lost.
const WINDOW: Duration = Duration::from_millis(2_500);

const PROBE_EVERY: Duration = Duration::from_millis(60);
const FEED_EVERY: Duration = Duration::from_millis(10);

/// One kill and what it cost.
struct Round {
    fed_s: f64,
    kept_s: f64,
    /// The slowest fsync about that time.
    fsync: Duration,
    /// The longest that somebody who was due had to wait for the processor.
    turn: Duration,
}

impl Round {
    fn lost_s(&self) -> f64 {
        self.fed_s - self.kept_s
    }

    /// Lost more than it may, on a machine that did its part.
    fn is_dear(&self) -> bool {
        self.lost_s() > MOST_LOST_S && self.fsync < QUICK && self.turn < QUICK
    }
}

/// How long the machine took for an fsync, and for a turn on the processor.
struct Probe {
    ended: Instant,
    fsync: Duration,
    turn: Duration,
}

/// What is left of a recording.
struct Kept {
    id: String,
    seconds: f64,
}

/// A vault that recorders are killed in.
struct Field {
    home: Home,
    number: usize,
    /// What is known to be in the vault: titles, and seconds.
    known: Mutex<BTreeMap<String, f64>>,
    /// What the machine took for its part, beside the vault.
    probes: Mutex<Vec<Probe>>,
    /// Starts that failed, and what was missing or wrong.
    complaints: Mutex<Vec<String>>,
}

impl Field {
    fn new(number: usize) -> Self {
        Self {
            home: quick_home(),
            number,
            known: Mutex::default(),
            probes: Mutex::default(),
            complaints: Mutex::default(),
        }
    }

    fn complain(&self, what: String) {
        eprintln!("vault {}: {what}", self.number);
        self.complaints.lock().unwrap().push(what);
    }

    /// Measures what an fsync costs here until it is told to stop.
    fn probe(&self, stop: &AtomicBool) {
        let file = File::create(self.home.path("probe")).unwrap();
        let bytes = [7; 4096];
        while !stop.load(Ordering::Relaxed) {
            let start = Instant::now();
            file.write_all_at(&bytes, 0).unwrap();
            file.sync_all().unwrap();
            let fsync = start.elapsed();
            let due = Instant::now() + PROBE_EVERY;
            thread::sleep(PROBE_EVERY);
            let ended = Instant::now();
            let turn = ended.saturating_duration_since(due);
            let probe = Probe { ended, fsync, turn };
            self.probes.lock().unwrap().push(probe);
        }
    }

    /// The slowest fsync and turn in the window before now.
    fn slowest(&self) -> (Duration, Duration) {
        let since = Instant::now().checked_sub(WINDOW);
        let probes = self.probes.lock().unwrap();
        let is_recent = |probe: &&Probe| since.is_none_or(|since| probe.ended > since);
        let recent = probes.iter().rev().take_while(is_recent);
        recent.fold(Default::default(), |(fsync, turn), probe| {
            (probe.fsync.max(fsync), probe.turn.max(turn))
        })
    }

    /// Records, kills, starts again, and says what was lost.
    fn round(&self, number: usize, fed_s: f64, chance: &mut Chance) -> Round {
        let title = format!("round {number}");
        let sound = steps(fed_s + 0.5);
        let recorder = ["record", "-", "--format", "s16le", "--title", &title];
        let mut recorder = self
            .home
            .voxvault(recorder)
            .locked()
            .spawn_with_open_stdin();
        let raw = sound.raw();
        let (start, mut fed, mut late) = (Instant::now(), 0, Duration::ZERO);
        while start.elapsed().as_secs_f64() < fed_s {
            let due = Instant::now() + FEED_EVERY;
            thread::sleep(FEED_EVERY);
            late = late.max(due.elapsed());
            let spoken = (start.elapsed().as_secs_f64() * f64::from(RATE_HZ)) as usize * 2;
            let spoken = spoken.min(raw.len());
            recorder.write(&raw[fed..spoken]);
            fed = spoken;
        }
        recorder.signal(Signal::KILL);
        let (fsync, turn) = self.slowest();
        let ended = recorder.wait();
        if ended.code().is_some() {
            self.complain(format!("{title} ended before it was killed: {ended}"));
        }
        let kept = self.restart(&title);
        let round = Round {
            fed_s: fed as f64 / 2.0 / f64::from(RATE_HZ),
            kept_s: kept.as_ref().map_or(0.0, |kept| kept.seconds),
            fsync,
            turn: turn.max(late),
        };
        if round.kept_s > round.fed_s + 0.001 {
            let (kept, fed) = (round.kept_s, round.fed_s);
            self.complain(format!("{title}: {kept} s came from {fed} s"));
        }
        if let Some(kept) = kept.filter(|_| chance.below(8) == 0) {
            self.listen(&title, &kept.id);
        }
        round
    }

    /// The next start: everything that was there is, and so much of this one.
    fn restart(&self, title: &str) -> Option<Kept> {
        let known = self.known.lock().unwrap().clone();
        let listed = self.run(&["list", "--json"])?.json();
        let listed = listed["recordings"].as_array().unwrap();
        let there: BTreeMap<&str, f64> = listed
            .iter()
            .map(|one| {
                let title = one["title"].as_str().unwrap();
                (title, one["duration_s"].as_f64().unwrap())
            })
            .collect();
        for (title, seconds) in &known {
            if there.get(title.as_str()) != Some(seconds) {
                let now = there.get(title.as_str());
                self.complain(format!("{title} had {seconds} s and has {now:?}"));
            }
        }
        let own = listed.iter().find(|one| one["title"] == title)?;
        let kept = Kept {
            id: own["id"].as_str().unwrap().to_owned(),
            seconds: own["duration_s"].as_f64().unwrap(),
        };
        let mut known = self.known.lock().unwrap();
        known.insert(title.to_owned(), kept.seconds);
        Some(kept)
    }

    /// Runs a command until nobody else holds the vault. That it fails is noted.
    fn run(&self, args: &[&str]) -> Option<Finished> {
        loop {
            let ended = self.home.voxvault(args.iter().copied()).run();
            match ended.code() {
                Some(0) => return Some(ended),
                Some(6) => {}
                _ => {
                    self.complain(format!("the vault did not open: {ended}"));
                    return None;
                }
            }
        }
    }

    /// What was kept is the sound itself, in its place.
    fn listen(&self, title: &str, id: &str) {
        let file = format!("{id}.wav");
        let export = ["export", id, "--format", "wav", "-o", &file];
        if self.run(&export).is_none() {
            return;
        }
        let (whole, wrong) = heard(&Pcm::decode(&self.home.path(&file)));
        fs::remove_file(self.home.path(&file)).unwrap();
        if !wrong.is_empty() {
            self.complain(format!(
                "{title}: of {whole} steps, {wrong:?} sound otherwise"
            ));
        }
    }

    /// Reads everything there is, segment by segment.
    fn read_through(&self) {
        let open = library::unlock(&self.home.vault(), crate::support::PASSPHRASE);
        let listing = open.listing().unwrap();
        for damage in &listing.damaged {
            self.complain(format!("damaged: {damage:?}"));
        }
        let known = self.known.lock().unwrap();
        for recording in &listing.recordings {
            let mut samples = 0;
            let mut sound = open.sound(recording.id).unwrap();
            while let Some(segment) = sound.next_segment().unwrap() {
                samples += u64::from(segment.samples);
            }
            if samples != recording.card.samples {
                let said = recording.card.samples;
                self.complain(format!("{samples} of {said} samples are there"));
            }
        }
        if listing.recordings.len() != known.len() {
            let count = listing.recordings.len();
            self.complain(format!("{count} recordings, {} are known", known.len()));
        }
    }
}

/// `p` of a hundred, of what is in order.
fn percentile<T: Copy + Default>(sorted: &[T], p: usize) -> T {
    let at = (sorted.len() * p / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// The figures that N9 of the documentation comes from.
fn sum_up(rounds: &[Round]) -> String {
    let mut lost: Vec<f64> = rounds.iter().map(Round::lost_s).collect();
    lost.sort_by(f64::total_cmp);
    let mut text = String::new();
    let (median, p99, worst) = (
        percentile(&lost, 50),
        percentile(&lost, 99),
        percentile(&lost, 100),
    );
    writeln!(text, "kill -9 while recording: {} rounds", rounds.len()).unwrap();
    writeln!(
        text,
        "  sound lost:    median {median:.3} s, p99 {p99:.3} s, worst {worst:.3} s"
    )
    .unwrap();
    for (what, of) in [
        (
            "slowest fsync: ",
            (|round| round.fsync) as fn(&Round) -> Duration,
        ),
        ("slowest turn:  ", |round| round.turn),
    ] {
        let mut took: Vec<Duration> = rounds.iter().map(of).collect();
        took.sort();
        let slow = took.iter().filter(|took| **took >= QUICK).count();
        let ms = |p| percentile(&took, p).as_secs_f64() * 1e3;
        let (median, p99, worst) = (ms(50), ms(99), ms(100));
        writeln!(
            text,
            "  {what}median {median:.0} ms, p99 {p99:.0} ms, worst {worst:.0} ms; of 150 ms or more in {slow} rounds"
        )
        .unwrap();
    }
    let over = rounds
        .iter()
        .filter(|round| round.lost_s() > MOST_LOST_S)
        .count();
    let dear = rounds.iter().filter(|round| round.is_dear()).count();
    writeln!(
        text,
        "  more than a second lost: in {over} rounds, in {dear} of them with both under 150 ms"
    )
    .unwrap();
    text
}

#[test]
fn kill_nine_costs_the_open_segment_and_nothing_that_was_there() {
    let mut tally = Begun::new("kills of recorders");
    let budget = Budget::begin();
    let least = if budget.is_long() { MANY } else { FEW };
    let fields: Vec<Field> = (0..VAULTS).map(Field::new).collect();
    let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let rounds = Mutex::new(Vec::new());
    // Where every single round can be looked up.
    let lines = std::env::var_os("VOXVAULT_KILL_LOG").map(PathBuf::from);
    let lines = lines.map(|path| Arc::new(Mutex::new(File::create(path).unwrap())));
    let seed = Mutex::new(Chance::new("kills"));
    thread::scope(|scope| {
        let probes: Vec<_> = fields
            .iter()
            .map(|field| scope.spawn(|| field.probe(&ended)))
            .collect();
        let lanes: Vec<_> = fields
            .iter()
            .flat_map(|field| std::iter::repeat_n(field, RECORDERS))
            .map(|field| {
                let (next, budget, rounds, seed) = (&next, &budget, &rounds, &seed);
                let lines = lines.clone();
                scope.spawn(move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= least && !budget.more() {
                            return;
                        }
                        let mut chance =
                            Chance::seeded(seed.lock().unwrap().below(usize::MAX) as u64);
                        let fed_s = chance.between(FED_S.0, FED_S.1);
                        let round = field.round(number, fed_s, &mut chance);
                        if let Some(lines) = &lines {
                            let line = format!(
                                "round {number}: fed {:.3} s, lost {:.3} s, fsync {:.0} ms, turn {:.0} ms\n",
                                round.fed_s,
                                round.lost_s(),
                                round.fsync.as_secs_f64() * 1e3,
                                round.turn.as_secs_f64() * 1e3
                            );
                            lines.lock().unwrap().write_all(line.as_bytes()).unwrap();
                        }
                        rounds.lock().unwrap().push(round);
                    }
                })
            })
            .collect();
        let lanes: Vec<_> = lanes.into_iter().map(|lane| lane.join()).collect();
        ended.store(true, Ordering::Relaxed);
        for probe in probes {
            probe.join().unwrap();
        }
        for lane in lanes {
            lane.unwrap();
        }
    });
    fields.iter().for_each(Field::read_through);
    let rounds = rounds.into_inner().unwrap();
    eprint!("{}", sum_up(&rounds));

    let lost: Vec<f64> = rounds
        .iter()
        .map(Round::lost_s)
        .filter(|lost_s| *lost_s > NEVER_LOST_S)
        .collect();
    let complaints: Vec<String> = fields
        .iter()
        .flat_map(|field| std::mem::take(&mut *field.complaints.lock().unwrap()))
        .collect();
    tally.kills = rounds.len() as u64;
    tally.lost = (lost.len() + complaints.len()) as u64;
    tally.report();
    assert!(lost.is_empty(), "lost, in seconds: {lost:?}");
    assert!(complaints.is_empty(), "{complaints:#?}");
}
