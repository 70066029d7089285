//! How fast what was said is found: a vault of ten years, ten recordings a day.
//!
//! Builds the index of 36,500 recordings of 200 words in memory, types queries
//! of one to three words letter by letter and times every keystroke to ranked
//! hits with their moments. Where `rg` is on the PATH it reads the same text from
//! plain files, in the same run. The vocabulary is made up from a fixed seed:
//! frequencies after Zipf, first letters as often as in English, so that short
//! beginnings stand for as much text as they really do.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench is a program that reports"
)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Zoned;
use voxvault::recording::{
    Card, Ending, KeptUntil, Moment, Recording, RecordingId, Signal, Source, VersionInfo,
};
use voxvault::search::{Index, Query};
use voxvault::transcript::{Segment, Transcript, Word};

const RECORDINGS: u32 = 36_500;
const WORDS: usize = 200;
const VOCABULARY: usize = 50_000;
const QUERIES: usize = 400;
/// Hits shown at once: a tall terminal.
const SHOWN: usize = 50;

fn main() {
    let vocabulary = Vocabulary::new(&mut Random(2));
    let now: Zoned = "2026-11-22T18:00:00+01:00[Europe/Berlin]".parse().unwrap();
    let before_kb = resident_kb();
    let (index, built_in) = build(&vocabulary);
    let grown_kb = resident_kb().saturating_sub(before_kb);
    println!("{RECORDINGS} recordings of {WORDS} words, {VOCABULARY} different words");
    println!(
        "index built in {built_in:.0?}, resident memory grew by {} MB",
        grown_kb / 1024
    );

    let mut random = Random(3);
    let mut keystrokes = Vec::new();
    let mut slowest = (Duration::ZERO, String::new());
    for _ in 0..QUERIES {
        let typed = vocabulary.query(&mut random);
        for (end, c) in typed.char_indices() {
            let so_far = &typed[..end + c.len_utf8()];
            let took = time(|| index.search(&Query::parse(so_far), &now, SHOWN));
            if took > slowest.0 {
                slowest = (took, so_far.to_owned());
            }
            keystrokes.push(took);
        }
    }
    report("keystroke to ranked hits", &mut keystrokes);
    println!("  slowest: “{}”", slowest.1);
    for (name, query) in special(&vocabulary) {
        let mut times: Vec<Duration> = (0..50)
            .map(|_| time(|| index.search(&Query::parse(&query), &now, SHOWN)))
            .collect();
        report(&format!("{name} ({query})"), &mut times);
    }
    let (p50, p99) = (percentile(&keystrokes, 50), percentile(&keystrokes, 99));
    against_ripgrep(&vocabulary, p50, p99);
    let mut index = index;
    println!("sweep: {:.0?}", time(|| index.sweep()));
}

/// Times only the index's own work, not the making of what goes in.
fn build(vocabulary: &Vocabulary) -> (Index, Duration) {
    let mut random = Random(1);
    let mut index = Index::new();
    let mut took = Duration::ZERO;
    for number in 0..RECORDINGS {
        let transcript = vocabulary.transcript(&mut random);
        let recording = recording(number, vocabulary, &mut random);
        took += time(|| index.insert(&recording, Some(&transcript)));
    }
    (index, took)
}

fn special(vocabulary: &Vocabulary) -> Vec<(&'static str, String)> {
    let word = |rank: usize| vocabulary.words[rank].as_str();
    vec![
        (
            "phrase of two common words",
            format!("\"{} {}\"", word(0), word(1)),
        ),
        (
            "phrase of four common words",
            format!("\"{} {} {} {}\"", word(0), word(1), word(2), word(3)),
        ),
        (
            "phrase, last word open",
            format!("\"{} {}", word(0), &word(1)[..1]),
        ),
        ("exclusion", format!("{} -{}", word(50), word(0))),
        (
            "alternatives",
            format!("{} OR {} {}", word(20), word(30), word(40)),
        ),
        ("misspelled", format!("{}x~", word(3000))),
        ("filter alone", "tag:work longer:1m".to_owned()),
        ("everything", String::new()),
    ]
}

fn against_ripgrep(vocabulary: &Vocabulary, p50: Duration, p99: Duration) {
    if Command::new("rg").arg("--version").output().is_err() {
        println!("skipped: rg is not on the PATH");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(1);
    for number in 0..RECORDINGS {
        let text = vocabulary.transcript(&mut random).text();
        let _ = recording(number, vocabulary, &mut random);
        fs::write(folder.path().join(format!("{number}.txt")), text).unwrap();
    }
    let words = [10, 100, 1_000, 10_000].map(|rank| vocabulary.words[rank].as_str());
    let mut times: Vec<Duration> = (0..3)
        .flat_map(|_| words)
        .map(|word| time(|| ripgrep(word, folder.path())))
        .collect();
    report("ripgrep over the same text in plain files", &mut times);
    let rg = percentile(&times, 50).as_secs_f64();
    println!(
        "  {:.0} times our p50, {:.0} times our p99",
        rg / p50.as_secs_f64(),
        rg / p99.as_secs_f64()
    );
}

fn ripgrep(word: &str, folder: &Path) {
    let output = Command::new("rg")
        .args(["-i", "-l", "-e", word])
        .arg(folder)
        .output()
        .unwrap();
    black_box(output);
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let (p50, p99) = (percentile(times, 50), percentile(times, 99));
    println!("{what}: p50 {p50:.2?}, p99 {p99:.2?} of {}", times.len());
}

/// Of sorted times.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() - 1) * percent / 100]
}

/// What the system holds in memory for this process; 0 where there is no /proc.
fn resident_kb() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

/// Made-up words, the most frequent first.
struct Vocabulary {
    words: Vec<String>,
    /// Sums of the frequencies up to each word.
    sums: Vec<f64>,
}

impl Vocabulary {
    fn new(random: &mut Random) -> Self {
        let mut words: Vec<String> = Vec::with_capacity(VOCABULARY);
        let mut known = std::collections::HashSet::new();
        while words.len() < VOCABULARY {
            let syllables = if words.len() < 300 {
                1
            } else {
                2 + random.below(3)
            };
            let mut word = pick(
                "ttttttttaaaaaassssooooowwwiiiihhhbbbbmmmfffccccdddppprrlleegnyuvjkq",
                random,
            );
            for _ in 0..syllables {
                word += &pick("aaaeeeeeiiioouuy", random);
                word += &pick("nnttrrssllddmcgpkvbfhwx", random);
            }
            if known.insert(word.clone()) {
                words.push(word);
            }
        }
        let sums = (1..=VOCABULARY).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Self {
            sums: sums.collect(),
            words,
        }
    }

    fn word(&self, random: &mut Random) -> &str {
        let at = random.unit() * self.sums[VOCABULARY - 1];
        &self.words[self
            .sums
            .partition_point(|sum| *sum < at)
            .min(VOCABULARY - 1)]
    }

    /// Half of the words as frequent as in speech, half any.
    fn query(&self, random: &mut Random) -> String {
        let words: Vec<&str> = (0..1 + random.below(3))
            .map(|_| match random.below(2) {
                0 => self.word(random),
                _ => self.words[random.below(VOCABULARY)].as_str(),
            })
            .collect();
        words.join(" ")
    }

    fn transcript(&self, random: &mut Random) -> Transcript {
        let mut segments = Vec::new();
        let mut now_ms = 0;
        let mut left = WORDS;
        while left > 0 {
            let len = (5 + random.below(16)).min(left);
            left -= len;
            let start_ms = now_ms;
            let mut words = Vec::with_capacity(len);
            for place in 0..len {
                let mut text = self.word(random).to_owned();
                if place == 0 {
                    text[..1].make_ascii_uppercase();
                }
                if place + 1 == len {
                    text.push('.');
                } else if random.below(9) == 0 {
                    text.push(',');
                }
                let end_ms = now_ms + 150 + 10 * random.below(40) as u32;
                words.push(Word {
                    start_ms: now_ms,
                    end_ms,
                    text,
                    confidence: 0.9,
                });
                now_ms = end_ms;
            }
            let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            segments.push(Segment {
                start_ms,
                end_ms: now_ms,
                text: texts.join(" "),
                words,
            });
            now_ms += 500;
        }
        Transcript {
            model: "tiny.en".to_owned(),
            settings: String::new(),
            language: "en".to_owned(),
            made_at: Moment {
                unix_ms: 0,
                offset_s: 0,
            },
            segments,
        }
    }
}

fn recording(number: u32, vocabulary: &Vocabulary, random: &mut Random) -> Recording {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&random.next().to_le_bytes());
    let recorded_at = Moment {
        unix_ms: 1_480_000_000_000 + i64::from(number) * 8_640_000,
        offset_s: 3600,
    };
    Recording {
        id: RecordingId::from_bytes(id),
        epoch: 0,
        card: Card {
            title: format!("{} {}", vocabulary.word(random), vocabulary.word(random)),
            recorded_at,
            added_at: recorded_at,
            tags: if random.below(4) == 0 {
                vec!["work".to_owned()]
            } else {
                Vec::new()
            },
            note: String::new(),
            pinned: false,
            source: Source::Mic,
            device: Some("Built-in Audio".to_owned()),
            samples: 48_000 * 75,
            pre_skip: 312,
            signal: Signal {
                peak_dbfs: -3.0,
                rms_dbfs: -20.0,
                silent_fraction: 0.2,
                clipped_fraction: 0.0,
            },
            gaps: Vec::new(),
            markers: Vec::new(),
            content_hash: None,
            ending: Ending::Complete,
            failure: None,
        },
        versions: vec![VersionInfo {
            number: 1,
            model: "tiny.en".to_owned(),
            language: "en".to_owned(),
            made_at: recorded_at,
        }],
        audio_bytes: 262_500,
        sound_shredded: false,
        text_shredded: false,
        kept_from: recorded_at,
        kept_until: KeptUntil::default(),
    }
}

fn pick(letters: &str, random: &mut Random) -> String {
    char::from(letters.as_bytes()[random.below(letters.len())]).to_string()
}

/// SplitMix64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
