//! Files cut short, blocks that are gone, and a repair that is cut short itself.

use super::*;
use crate::vault::ground::sim_disk::Cut;

#[test]
fn a_file_cut_short_anywhere_costs_what_was_cut_off_and_no_more() {
    const STEP: usize = 512;
    let tally = Begun::new("files cut short");
    let small = Small::new();
    let files: Vec<Places> = small
        .disk
        .files()
        .into_iter()
        .map(|(path, bytes)| {
            let least = if path.ends_with("store.redb") { 24 } else { 8 };
            (path, bytes.len().div_ceil(STEP), least)
        })
        .collect();
    let mut counts: BTreeMap<PathBuf, Counts> = BTreeMap::new();
    each_place(&files, |path, place| {
        let length = place * STEP;
        let disk = small.with(path, |bytes| bytes.truncate(length));
        let what = format!("{} cut to {length} bytes", path.display());
        let counts = counts.entry(path.to_owned()).or_default();
        if path.ends_with("store.redb") {
            // What was cut off is gone, of several recordings perhaps.
            cut_store(&small, &disk, &what, counts);
        } else if path.to_string_lossy().contains("inbox") {
            // This is what a power cut leaves: the recording is interrupted.
            counts.tried += 1;
            let open = open(&disk).unwrap();
            repair(&open);
            for one in small.merged {
                assert_eq!(read(&open, one), Whole::All, "{what}");
            }
        } else {
            survives(&small, &disk, &what, counts);
            assert_eq!(counts.cost_one, 0, "{what}");
        }
    });
    report(tally, &files, &counts);
}

fn cut_store(small: &Small, disk: &SimDisk, what: &str, counts: &mut Counts) {
    counts.tried += 1;
    let open = open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = verify(&open).flaws;
    assert!(!found.is_empty(), "{what}: nothing is named");
    counts.named += 1;
    let repaired = repair(&open).flaws;
    assert_eq!(verify(&open).flaws, [], "{what}");
    assert_eq!(read(&open, small.waiting), Whole::All, "{what}");
    for one in small.merged {
        let told = repaired
            .iter()
            .any(|flaw| flaw.id == Some(one.0) && !flaw.mended);
        // Where the newest card and the transcript that only it names were cut off
        // together, what is left is the recording before it was transcribed.
        let is_older = open
            .recording(one.0)
            .is_ok_and(|found| found.versions.is_empty());
        let is_part = read(&open, one) == Whole::Part;
        assert!(!is_part || told || is_older, "{what}: {repaired:?}");
        assert!(open.recording(one.0).is_ok(), "{what}: it is still listed");
    }
}

#[test]
fn a_block_that_is_gone_costs_one_recording_at_most() {
    const KINDS: [&str; 3] = ["zeros", "noise", "a bad sector"];
    let tally = Begun::new("blocks gone");
    let small = Small::new();
    let files: Vec<Places> = small
        .disk
        .files()
        .into_iter()
        .map(|(path, bytes)| {
            let blocks = bytes.len().div_ceil(BLOCK);
            let least = if path.ends_with("store.redb") { 60 } else { 9 };
            (path, blocks * KINDS.len(), least)
        })
        .collect();
    let mut counts: BTreeMap<PathBuf, Counts> = BTreeMap::new();
    each_place(&files, |path, place| {
        let length = small.disk.files()[path].len();
        let blocks = length.div_ceil(BLOCK);
        let (block, kind) = (place % blocks, KINDS[place / blocks]);
        let span = block * BLOCK..((block + 1) * BLOCK).min(length);
        let disk = small.disk.fork();
        match kind {
            "zeros" => disk.tamper(path, |bytes| bytes[span.clone()].fill(0)),
            "noise" => disk.tamper(path, |bytes| {
                crate::crypto::fill_random(&mut bytes[span.clone()]).unwrap();
            }),
            _ => disk.break_reads(path, span.clone()),
        }
        let what = format!("{kind} in block {block} of {}", path.display());
        let counts = counts.entry(path.to_owned()).or_default();
        let lies_in_inbox = path.to_string_lossy().contains("inbox");
        if !lies_in_inbox || kind == "noise" {
            survives(&small, &disk, &what, counts);
            return;
        }
        // Zeros up to the end are what a power cut leaves; and a file that the disk
        // does not give is left for another day.
        counts.tried += 1;
        let open = open(&disk).unwrap();
        let is_named = !verify(&open).flaws.is_empty();
        counts.named += u64::from(is_named);
        assert!(is_named || kind == "zeros", "{what}");
        repair(&open);
        for one in small.merged {
            assert_eq!(read(&open, one), Whole::All, "{what}");
        }
    });
    report(tally, &files, &counts);
}

#[test]
fn a_repair_that_is_cut_anywhere_loses_nothing_and_can_be_done_again() {
    let mut tally = Begun::new("repair cut short");
    let small = Small::new();
    let store = PathBuf::from(DIR).join("store.redb");
    let disk = small.with(&store, |bytes| bytes[0] ^= 1);
    let every = if Budget::begin().is_long() { 1 } else { 9 };
    for operations in (0..).step_by(every) {
        let disk = disk.fork();
        let vault = open(&disk).unwrap();
        disk.cut_after(operations);
        let done = vault.repair(now(), &|_, _| ());
        if !disk.was_cut() {
            assert!(done.is_ok());
            break;
        }
        for cut in [Cut::Kill, Cut::LoseUnsynced, Cut::Tear(operations as u64)] {
            let after = disk.after(cut);
            repair(&open(&after).unwrap());
            let open = open(&after).unwrap();
            assert_eq!(verify(&open).flaws, [], "cut after {operations}, {cut:?}");
            for one in small.all() {
                assert_eq!(
                    read(&open, one),
                    Whole::All,
                    "cut after {operations}, {cut:?}"
                );
            }
            tally.images += 1;
        }
    }
    assert!(tally.images > 20);
    tally.report();
}
