//! A recording of many hours, made through a microphone that gives sound as fast
//! as it is taken: memory stays flat, and every sample is accounted for.
//!
//! Part of the tests is one of some minutes; `benches/eight-hours` makes it long
//! with `VOXVAULT_SOUND_HOURS`, and prints what it costs.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{new_vault, now, only};
use crate::audio::{StoredRate, StoredSound, simulated};
use crate::recording::{Card, Ending, Recording};
use crate::vault::OpenVault;
use crate::worker::recorder::clock::Clock;
use crate::worker::recorder::ear::Ear;
use crate::worker::recorder::{Options, Recorder};
use crate::worker::samples::shape_of;

const HOURS: &str = "VOXVAULT_SOUND_HOURS";

/// The short run: as much as is done in a few seconds.
const SHORT_S: u64 = 6 * 60;

/// By then everything has the size that it keeps.
const WARM_S: f64 = 2.0 * 60.0;

/// What may be added to memory afterwards: a level of one byte for every 20 ms,
/// 0.18 MB an hour, in a vector that doubles; and what an allocator leaves lying
/// about. The short run would show samples that are kept (23 MB a minute), the
/// long one segments too (13 MB an hour).
fn growth_kb(hours: f64) -> u64 {
    1_536 + (hours * 640.0) as u64
}

/// What a merge may take besides: the store's cache of 8 MiB and a row, whatever
/// is merged. Eight hours have 110 MB.
const MERGE_KB: u64 = 40 * 1_024;

/// Memory of this process that is in use, KiB.
fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.unwrap().parse().unwrap()
}

/// Processor time of this process, seconds.
fn processor_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    // utime and stime, in ticks of a hundredth of a second.
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// The most memory that is in use while something is done, KiB.
fn most_resident_kb<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let (done, most) = (AtomicBool::new(false), AtomicU64::new(0));
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                most.fetch_max(resident_kb(), Ordering::AcqRel);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let result = work();
        done.store(true, Ordering::Release);
        result
    });
    (most.load(Ordering::Acquire), result)
}

/// What a recorder does at the least: takes the sound from the ring and writes it
/// as it is, mono and 16 bits, durable every 0.8 s. Processor time and bytes.
fn plain_recorder(file: &Path, seconds: u64) -> (f64, u64) {
    let (mut microphone, speaker) = simulated::microphone(seconds);
    let began = processor_s();
    let mut out = fs::File::create(file).unwrap();
    let (mut block, mut bytes) = (Vec::new(), Vec::new());
    let mut written = 0;
    while written < seconds * 96_000 {
        block.clear();
        microphone
            .read(&mut block, Duration::from_millis(50))
            .unwrap();
        for frame in block.chunks_exact(2) {
            let mono = (frame[0] + frame[1]) / 2.0;
            bytes.extend(((mono * 32_767.0) as i16).to_le_bytes());
        }
        while bytes.len() >= 76_800 || written + bytes.len() as u64 == seconds * 96_000 {
            let rest = bytes.split_off(bytes.len().min(76_800));
            out.write_all(&bytes).unwrap();
            out.sync_data().unwrap();
            written += bytes.len() as u64;
            bytes = rest;
            if bytes.is_empty() {
                break;
            }
        }
    }
    drop(speaker);
    fs::remove_file(file).unwrap();
    (processor_s() - began, written)
}

/// Decodes a tenth of a second from this sample on.
fn tenth_from(open: &OpenVault, recording: &Recording, sample: u64) -> Vec<f32> {
    let shape = shape_of(&recording.card);
    let mut decoder = StoredSound::from_sample(shape, StoredRate::Full, sample).unwrap();
    let mut reader = open.sound(recording.id).unwrap();
    let mut pcm = Vec::new();
    while let Some(number) = decoder.next_segment().filter(|_| pcm.len() < 4_800) {
        reader.seek(number);
        let segment = reader.next_segment().unwrap().unwrap();
        decoder.push(&segment.packets, &mut pcm).unwrap();
    }
    pcm.truncate(4_800);
    pcm
}

/// At the border of two seconds there is the one's pitch before it and the
/// other's behind it, and not the other way round.
fn assert_border(open: &OpenVault, recording: &Recording, second: u64) {
    let border = second * 48_000;
    for (from, here) in [(border - 6_000, second - 1), (border + 1_200, second)] {
        let pcm = tenth_from(open, recording, from);
        let present = simulated::presence_db(&pcm, here);
        assert!(present > -6.0, "second {here} at {second}: {present} dB");
        let other = 2 * second - 1 - here;
        if (simulated::pitch_hz(other) - simulated::pitch_hz(here)).abs() > 100.0 {
            let absent = simulated::presence_db(&pcm, other);
            assert!(absent < -15.0, "second {other} at {second}: {absent} dB");
        }
    }
}

#[test]
fn a_recording_of_many_hours_takes_no_more_memory_and_loses_no_sample() {
    let hours: Option<f64> = std::env::var(HOURS).ok().map(|text| text.parse().unwrap());
    let seconds = hours.map_or(SHORT_S, |hours| (hours * 3_600.0) as u64);
    let hours = seconds as f64 / 3_600.0;

    let (dir, open) = new_vault();
    let before_kb = resident_kb();
    let (began, processor) = (Instant::now(), processor_s());
    let (microphone, speaker) = simulated::microphone(seconds);
    let vault = open.vault();
    let options = Options::default();
    // It gives sound faster than time goes: by the machine's clock what comes late at its
    // end would be missing.
    let ear = Ear::new(Box::new(microphone), Clock::by_hand(Arc::default()));
    let recorder = Recorder::hear(vault, ear, options, Box::new(now), None).unwrap();
    let (mut warm_kb, mut most_kb) = (0, 0);
    loop {
        let at_s = recorder.status().elapsed_s;
        let now_kb = resident_kb();
        if at_s >= WARM_S {
            warm_kb = if warm_kb == 0 { now_kb } else { warm_kb };
            most_kb = most_kb.max(now_kb);
        }
        if at_s >= seconds as f64 || !recorder.wait(Duration::from_millis(50)) {
            break;
        }
    }
    let recorded = recorder.stop().unwrap();
    let took_s = began.elapsed().as_secs_f64();
    let processor = processor_s() - processor;
    assert!(recorded.shortfall.is_none(), "{recorded:?}");
    let delivered = speaker.delivered();
    drop(speaker);
    assert_eq!(delivered, seconds * 48_000);

    let inbox_file = dir.path().join("vault/inbox").read_dir().unwrap();
    let inbox_bytes: u64 = inbox_file
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    let before_merge_kb = resident_kb();
    let merging = Instant::now();
    let (merge_kb, recording) = most_resident_kb(|| only(&open));
    let merge_s = merging.elapsed().as_secs_f64();
    let Card {
        samples,
        gaps,
        ending,
        ..
    } = &recording.card;
    let missing: u64 = gaps.iter().map(|gap| gap.samples).sum();
    assert_eq!((*samples, missing), (delivered, 0), "{gaps:?}");
    assert_eq!(*ending, Ending::Complete);
    let store_bytes = fs::metadata(dir.path().join("vault/store.redb"))
        .unwrap()
        .len();
    let looked = open.verify(&|_, _| ()).unwrap();
    assert_eq!(looked.flaws, []);
    let used_bytes = looked.bytes - looked.idle_bytes;
    let mb = |bytes: u64| bytes as f64 / 1e6;
    let mut report = vec![
        format!("sound              {hours:.2} h"),
        format!("samples in         {delivered}"),
        format!("samples kept       {samples}"),
        format!("samples missing    {missing}"),
        format!("took               {took_s:.1} s"),
        format!(
            "processor          {processor:.1} s, {:.2} % of a core",
            processor / (hours * 36.0)
        ),
        format!("memory at start    {:.1} MB", before_kb as f64 / 1_024.0),
        format!("memory when warm   {:.1} MB", warm_kb as f64 / 1_024.0),
        format!("memory at most     {:.1} MB", most_kb as f64 / 1_024.0),
        format!(
            "inbox file         {:.2} MB, {:.2} MB an hour",
            mb(inbox_bytes),
            mb(inbox_bytes) / hours
        ),
        format!(
            "merge              {merge_s:.1} s, {:.1} MB more memory",
            (merge_kb - before_merge_kb.min(merge_kb)) as f64 / 1_024.0
        ),
        format!(
            "store file         {:.2} MB, {:.2} MB an hour",
            mb(store_bytes),
            mb(store_bytes) / hours
        ),
        format!(
            "of all files used  {:.2} MB, {:.2} MB an hour",
            mb(used_bytes),
            mb(used_bytes) / hours
        ),
    ];
    let is_bench = std::env::var_os(HOURS).is_some();
    if is_bench {
        let (peer_s, peer_bytes) = plain_recorder(&dir.path().join("plain.pcm"), SHORT_S);
        let peer_hours = SHORT_S as f64 / 3_600.0;
        let (ours, peers) = (processor / hours, peer_s / peer_hours);
        report.push(format!(
            "a plain recorder   {:.2} % of a core, {:.2} MB an hour; here {:.1} times the processor, 1/{:.0} of the disk",
            peers / 36.0,
            mb(peer_bytes) / peer_hours,
            ours / peers.max(0.01),
            (mb(peer_bytes) / peer_hours) / (mb(store_bytes) / hours),
        ));
    }
    let mut err = std::io::stderr().lock();
    for line in &report {
        writeln!(err, "{line}").unwrap();
    }
    let mut checked = vec![1, 2, seconds / 2, seconds - 1];
    checked.extend((1..=20).map(|part| (part * (seconds - 1) / 20).max(1)));
    for second in &checked {
        assert_border(&open, &recording, *second);
    }
    assert!(warm_kb > 0, "it was never warm");
    let grown = most_kb - warm_kb;
    assert!(grown <= growth_kb(hours), "memory grew by {grown} KiB");
    let for_merge = merge_kb.saturating_sub(before_merge_kb);
    assert!(for_merge <= MERGE_KB, "the merge took {for_merge} KiB");
}
