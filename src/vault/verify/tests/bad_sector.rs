//! Sectors of an inbox file that the disk does not give: a repair keeps all that lies beside
//! them, and nobody else touches the file.

use super::*;
use crate::vault::{MergeReport, ShredScope, inbox};

const BLOCK: usize = 4096;
const SEGMENTS: u32 = 24;

/// As many as a block of 4 KiB can lie in.
const MOST_LOST: u32 = 3;

/// A vault with a merged recording, and one that waits and has many blocks.
struct Long {
    disk: SimDisk,
    merged: RecordingId,
    id: RecordingId,
    file: PathBuf,
}

impl Long {
    fn new() -> Self {
        let disk = SimDisk::default();
        let open = new_vault(&disk);
        let merged = record(open.vault(), 1, 3);
        open.merge().unwrap();
        let id = record(open.vault(), 9, SEGMENTS);
        let file = inbox::path(Path::new(DIR), id);
        Self {
            disk,
            merged,
            id,
            file,
        }
    }

    fn blocks(&self) -> usize {
        self.disk.files()[&self.file].len().div_ceil(BLOCK)
    }

    /// The vault on a disk that does not give this block of the file.
    fn without(&self, block: usize) -> SimDisk {
        let disk = self.disk.fork();
        disk.break_reads(&self.file, block * BLOCK..(block + 1) * BLOCK);
        disk
    }

    /// Whether the refusal is told with this as what helps.
    fn assert_refused(&self, report: &MergeReport, remedy: &str) {
        assert_eq!(report.merged, []);
        let [refused] = report.refused.as_slice() else {
            panic!("{report:?}");
        };
        assert_eq!(refused.file, format!("{}.rec", self.id));
        let told = refused.remedy.as_deref().unwrap_or_default();
        assert!(told.contains(remedy), "{refused:?}");
    }
}

/// How many segments are silence; all others are what was recorded.
fn lost(open: &OpenVault, id: RecordingId) -> u32 {
    let mut sound = open.sound(id).unwrap();
    let mut lost = 0;
    for segment in 0..SEGMENTS {
        match sound.next_segment().unwrap() {
            Some(read) if !read.packets.is_empty() => {
                assert_eq!(*read.packets, packets(9, segment));
            }
            _ => lost += 1,
        }
    }
    lost
}

#[test]
fn a_sector_that_can_not_be_read_costs_what_lies_in_it_once_it_is_repaired() {
    let long = Long::new();
    let (mut all, blocks) = (0, long.blocks());
    for block in 1..blocks {
        let disk = long.without(block);
        let open = open(&disk).unwrap();
        let before = disk.files()[&long.file].clone();
        let report = open.merge().unwrap();
        long.assert_refused(&report, "voxvault verify --repair");
        assert!(disk.files()[&long.file] == before, "it is left alone");

        let repaired = repair(&open);
        let is_told = |flaw: &Flaw| {
            let what = &flaw.what;
            flaw.id == Some(long.id) && what.contains("a block of it can't be read")
        };
        assert!(repaired.flaws.iter().any(is_told), "{block}: {repaired:?}");
        assert!(!disk.files().contains_key(&long.file), "{block}");
        let lost = lost(&open, long.id);
        assert!(lost <= MOST_LOST, "{lost} lost for block {block}");
        all += lost;
        assert_sound(&open, long.merged, 1, 3);
        assert_eq!(verify(&open).flaws, [], "{block}: it is noted");
    }
    assert!(all as usize >= blocks, "the control: {all} in {blocks}");
}

#[test]
fn a_disk_that_gives_a_sector_again_costs_nothing() {
    let long = Long::new();
    let disk = long.without(5);
    let open = open(&disk).unwrap();
    long.assert_refused(&open.merge().unwrap(), "verify --repair");
    disk.break_reads(Path::new("/nothing"), 0..0);
    assert_eq!(open.merge().unwrap().merged, [long.id]);
    assert_sound(&open, long.id, 9, SEGMENTS);
}

#[test]
fn keys_that_can_not_be_read_leave_the_file_and_are_named_with_what_gives_it_up() {
    let long = Long::new();
    let disk = long.without(0);
    let open = open(&disk).unwrap();
    let before = disk.files()[&long.file].clone();
    let repaired = repair(&open);
    let is_told = |flaw: &Flaw| {
        let hint = format!("voxvault shred {}", long.id);
        flaw.id == Some(long.id) && !flaw.mended && flaw.what.contains(&hint)
    };
    assert!(repaired.flaws.iter().any(is_told), "{repaired:?}");
    assert!(disk.files()[&long.file] == before, "it may be read later");
    assert_sound(&open, long.merged, 1, 3);
}

#[test]
fn keys_that_a_rotation_took_before_need_not_be_read() {
    let long = Long::new();
    {
        let open = open(&long.disk).unwrap();
        let shredded = open.shred(&[long.merged], ShredScope::Sound, &mut |_, _| ());
        assert_eq!(shredded.unwrap().failure(), None);
    }
    let disk = long.without(0);
    let open = open(&disk).unwrap();
    long.assert_refused(&open.merge().unwrap(), "verify --repair");
    repair(&open);
    assert!(lost(&open, long.id) <= 1);
    assert!(!disk.files().contains_key(&long.file));
}

/// The keys stand in the first block, and more is read with them.
#[test]
fn a_bad_sector_behind_the_keys_holds_up_no_change_of_the_keys() {
    let long = Long::new();
    let disk = long.without(1);
    let open = open(&disk).unwrap();
    let shredded = open.shred(&[long.merged], ShredScope::Everything, &mut |_, _| ());
    assert_eq!(shredded.unwrap().failure(), None);
    // By now the bag has its keys.
    repair(&open);
    assert!(lost(&open, long.id) <= MOST_LOST);
}
