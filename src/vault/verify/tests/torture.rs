//! Every byte of a small vault changed, every file cut short, every block gone.
//!
//! The short run takes a sample, spread over all of each file; the long one goes on
//! with the places between until its time is used up.

use super::tally::{Begun, Budget};
use super::*;
use crate::vault::ground::sim_disk::Cut;
use crate::vault::inbox;
use crate::vault::keys::root::{NoSlot, RootSlot, SLOT_LEN};
use crate::vault::sealed::scan;

const BLOCK: usize = 4096;

/// What became of a change.
#[derive(Debug, Default)]
struct Counts {
    tried: u64,
    named: u64,
    harmless: u64,
    /// Named, and a recording is less than it was.
    cost_one: u64,
}

impl Counts {
    fn print(&self, what: &str, of: usize) {
        let Self {
            tried,
            named,
            harmless,
            cost_one,
        } = self;
        eprintln!(
            "{what}: {tried} of {of} changed: {named} named, of which {cost_one} cost one recording something; {harmless} harmless"
        );
    }
}

/// A file, how many places it has, and how many of them are tried at the least.
type Places = (PathBuf, usize, usize);

/// Gives every file's least number of places, evenly spread, to `each`; then those
/// between, a place of each file at a time, until the time is used up. (But for the
/// roots: of these every byte has a test of its own.)
fn each_place(files: &[Places], mut each: impl FnMut(&Path, usize)) {
    let budget = Budget::begin();
    let order = |length: usize, least: usize| {
        let step = (length / least.max(1)).max(1);
        (0..step).flat_map(move |first| (first..length).step_by(step))
    };
    let mut orders: Vec<_> = files
        .iter()
        .map(|(path, length, least)| (path, order(*length, *least)))
        .collect();
    for ((path, order), (_, _, least)) in orders.iter_mut().zip(files) {
        order.by_ref().take(*least).for_each(|at| each(path, at));
    }
    orders.retain(|(path, _)| !is_root(path));
    let mut any = true;
    while any && budget.more() {
        any = false;
        for (path, order) in &mut orders {
            if let Some(at) = order.next().filter(|_| budget.more()) {
                each(path, at);
                any = true;
            }
        }
    }
}

/// The counts of each file, printed and reported.
fn report(mut tally: Begun, files: &[Places], counts: &BTreeMap<PathBuf, Counts>) {
    for (path, of, _) in files {
        if let Some(counts) = counts.get(path) {
            counts.print(&path.display().to_string(), *of);
            tally.flips += counts.tried;
        }
    }
    tally.report();
}

/// Opens a damaged vault, looks, repairs, and looks again. Whatever was changed
/// that carries something is named; it costs at most one recording; nothing is
/// wrong that is given out; the second look finds nothing, but for a file of the
/// inbox that nothing opens.
fn survives(small: &Small, disk: &SimDisk, what: &str, counts: &mut Counts) {
    counts.tried += 1;
    let mut vault = open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = verify(&vault);
    let is_named = !found.flaws.is_empty();
    if is_named {
        counts.named += 1;
        let repaired = repair(&vault);
        assert!(!repaired.flaws.is_empty(), "{what}");
        vault = open(disk).unwrap();
        let left = verify(&vault).flaws;
        let stays = |flaw: &Flaw| flaw.id == Some(small.waiting.0) && flaw.place.contains("inbox");
        assert!(left.iter().all(stays), "{what}: {left:?}");
    } else {
        counts.harmless += 1;
        vault.merge().unwrap();
    }
    let parts: Vec<_> = small
        .all()
        .into_iter()
        .filter(|one| read(&vault, *one) == Whole::Part)
        .collect();
    match parts.as_slice() {
        [] => {}
        [(id, ..)] if is_named => {
            counts.cost_one += 1;
            let tells = |flaw: &Flaw| flaw.id == Some(*id) && !flaw.mended;
            assert!(found.flaws.iter().any(tells), "{what}: {:?}", found.flaws);
        }
        _ => panic!(
            "{what}: {parts:?} are less than they were: {:?}",
            found.flaws
        ),
    }
}

fn is_root(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.starts_with("root.")
}

/// Whether no byte is spare there: a change that is not named is one that is not seen.
/// Spare are free pages of the store, the reserve, and the slots of a root that hold no
/// generation.
fn is_full(small: &Small, path: &Path, at: usize) -> bool {
    let text = path.to_string_lossy();
    if is_root(path) {
        let slot = at / SLOT_LEN * SLOT_LEN;
        let slot = small.disk.files()[path][slot..slot + SLOT_LEN].to_vec();
        return RootSlot::decode(slot).is_ok();
    }
    is_kept_twice(path) || text.contains("/inbox/")
}

fn is_kept_twice(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["/root.", "/bag.", "/keys/"]
        .iter()
        .any(|part| text.contains(part))
}

#[test]
fn every_changed_byte_that_carries_something_is_named_and_costs_one_recording_at_most() {
    let tally = Begun::new("changed bytes");
    let small = Small::new();
    let files: Vec<Places> = small
        .disk
        .files()
        .into_iter()
        .map(|(path, bytes)| {
            let least = if path.ends_with("store.redb") { 80 } else { 16 };
            (path, bytes.len(), least)
        })
        .collect();
    let mut counts: BTreeMap<PathBuf, Counts> = BTreeMap::new();
    // Of those that no change may pass unnamed, so many were tried.
    let (mut roots, mut full) = (0, 0);
    each_place(&files, |path, at| {
        let disk = small.with(path, |bytes| bytes[at] ^= 1 << (at % 8));
        let what = format!("byte {at} of {}", path.display());
        let counts = counts.entry(path.to_owned()).or_default();
        let before = counts.harmless;
        survives(&small, &disk, &what, counts);
        assert!(!is_kept_twice(path) || counts.cost_one == 0, "{what}");
        let is_named = counts.harmless == before;
        assert!(
            is_named || !is_full(&small, path, at),
            "{what}: it is not named"
        );
        let kind = if is_root(path) { &mut roots } else { &mut full };
        *kind += u64::from(is_full(&small, path, at));
    });
    assert!(roots > 10 && full > 60, "{roots} {full}");
    report(tally, &files, &counts);
}

/// The card of a recording that waits is the last there is of it. A length that reaches
/// behind the end of the file must not pass for what a power cut leaves.
#[test]
fn every_changed_bit_of_the_length_of_the_last_frame_is_named() {
    let small = Small::new();
    let path = inbox::path(Path::new(DIR), small.waiting.0);
    let bytes = small.disk.files()[&path].clone();
    let (last, _) = scan::frames(&bytes).last().unwrap();
    let mut counts = Counts::default();
    for bit in 0..32 {
        let disk = small.with(&path, |bytes| bytes[last + 40 + bit / 8] ^= 1 << (bit % 8));
        survives(&small, &disk, &format!("bit {bit}"), &mut counts);
    }
    assert_eq!((counts.named, counts.harmless), (32, 0));
}

/// All that opening asks of a slot is whether it is whole and what it says. So a
/// changed byte that makes it no slot is the same change as every other one that
/// does, and of those the test above opens a sample; that each of them does makes
/// it no slot is shown here, byte by byte.
#[test]
fn every_changed_byte_of_a_root_slot_makes_it_no_slot_or_changes_noise_into_noise() {
    let tally = Begun::new("bytes of root slots");
    let small = Small::new();
    // The MAC stands outside the hash; the key finds it, as the test below shows.
    const COVERED: usize = SLOT_LEN - 32;
    let mut slots = BTreeMap::new();
    for (path, bytes) in small
        .disk
        .files()
        .into_iter()
        .filter(|(path, _)| is_root(path))
    {
        for (number, slot) in bytes.chunks_exact(SLOT_LEN).enumerate() {
            let name = path.join(format!("slot {number}"));
            slots.insert(name, (slot.to_vec(), RootSlot::decode(slot.to_vec()).err()));
        }
    }
    assert_eq!(slots.values().filter(|(_, why)| why.is_none()).count(), 2);
    let files: Vec<Places> = slots
        .iter()
        .map(|(name, (_, why))| {
            let least = if why.is_none() { 600 } else { 2000 };
            (name.clone(), COVERED, least)
        })
        .collect();
    let mut counts: BTreeMap<PathBuf, Counts> = BTreeMap::new();
    each_place(&files, |name, at| {
        let (slot, was) = &slots[name];
        let mut changed = slot.clone();
        changed[at] ^= 1 << (at % 8);
        let counts = counts.entry(name.to_owned()).or_default();
        counts.tried += 1;
        match (was, RootSlot::decode(changed).err()) {
            (None, Some(_)) => counts.named += 1,
            (Some(NoSlot::Noise), Some(NoSlot::Noise)) => counts.harmless += 1,
            (_, now) => panic!("{}, byte {at}: {now:?}", name.display()),
        }
    });
    report(tally, &files, &counts);
}

#[test]
fn a_changed_mac_of_one_copy_is_found_by_the_key_and_mended() {
    let small = Small::new();
    for (path, bytes) in small
        .disk
        .files()
        .into_iter()
        .filter(|(path, _)| is_root(path))
    {
        for (number, slot) in bytes.chunks_exact(SLOT_LEN).enumerate() {
            if RootSlot::decode(slot.to_vec()).is_err() {
                continue;
            }
            for at in SLOT_LEN - 32..SLOT_LEN {
                let disk = small.with(&path, |bytes| bytes[number * SLOT_LEN + at] ^= 1);
                let open = open(&disk).unwrap();
                let found = verify(&open).flaws;
                let place = path.display().to_string();
                assert!(
                    matches!(&*found, [flaw] if flaw.mended && flaw.place == place),
                    "{found:?}"
                );
                drop(open);
                assert_eq!(verify(&super::open(&disk).unwrap()).flaws, []);
            }
        }
    }
}

#[test]
fn whatever_lies_where_a_root_slot_was_is_named_and_mended_in_either_copy() {
    const SECTOR: usize = 512;
    let small = Small::new();
    let roots = small
        .disk
        .files()
        .into_iter()
        .filter(|(path, _)| is_root(path));
    for (path, bytes) in roots {
        let slots = bytes.chunks_exact(SLOT_LEN);
        let in_force = slots.map(|slot| RootSlot::decode(slot.to_vec()).is_ok());
        let start = SLOT_LEN * in_force.clone().position(|is| is).unwrap();
        assert_eq!(in_force.filter(|is| *is).count(), 1);
        let mut spans: Vec<_> = (0..8).map(|at| start + at..start + at + 1).collect();
        for length in [8, SECTOR, BLOCK, SLOT_LEN] {
            spans.push(start..start + length);
        }
        spans.push(0..bytes.len());
        for span in spans {
            for kind in ["ones", "zeros", "noise"] {
                let disk = small.with(&path, |bytes| match kind {
                    "ones" => bytes[span.clone()].fill(0xff),
                    "zeros" => bytes[span.clone()].fill(0),
                    _ if span.len() == 1 => bytes[span.start] ^= 0x80,
                    _ => crate::crypto::fill_random(&mut bytes[span.clone()]).unwrap(),
                });
                let open = open(&disk).unwrap();
                let found = verify(&open).flaws;
                let place = path.display().to_string();
                assert!(
                    matches!(&*found, [flaw] if flaw.mended && flaw.place == place),
                    "{kind} at {span:?} of {place}: {found:?}"
                );
                drop(open);
                assert_eq!(verify(&super::open(&disk).unwrap()).flaws, []);
            }
        }
    }
}

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
