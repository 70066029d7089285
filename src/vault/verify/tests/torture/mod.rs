//! Every byte of a small vault changed, every file cut short, every block gone.
//!
//! The short run takes a sample, spread over all of each file; the long one goes on
//! with the places between until its time is used up.

use super::tally::{Begun, Budget};
use super::*;
use crate::vault::inbox;
use crate::vault::keys::root::{RootSlot, SLOT_LEN};
use crate::vault::sealed::scan;

mod gone;
mod slots;

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
