//! What a rotation that was cut short leaves of `root.b`, and how it is told from damage.

use super::*;
use crate::vault::ground::sim_disk::Cut;
use crate::vault::keys::root::NoSlot;

/// Where the second copy of a generation stands.
fn second(disk: &SimDisk, generation: u64) -> Result<RootSlot, NoSlot> {
    Position::of(Copy::B, generation).read(disk, Path::new(DIR))
}

/// Everything that is told when the vault is opened and unlocked, whichever passphrase
/// is in force.
fn told(disk: &SimDisk) -> Vec<Notice> {
    let site = site(disk);
    let (_, mut notices) = recover::open(&*site.disk, &site.dir).unwrap();
    let unlocked = [old(), new()]
        .iter()
        .find_map(|passphrase| KeyRing::unlock(&site, passphrase).ok());
    notices.extend(unlocked.unwrap().1);
    notices
}

fn is_mending_of_root_b(notices: &[Notice]) -> bool {
    let path = Copy::B.root_file(Path::new(DIR));
    notices == [Notice::Mended { path }]
}

/// A vault whose shred was stopped behind this step.
fn stopped(step: Step) -> (SimDisk, u64) {
    let (disk, mut ring) = vault();
    let generation = ring.generation() + 1;
    let watched = Site {
        observer: Arc::new(StopAfter(step)),
        ..site(&disk)
    };
    shred(&watched, &mut ring, 2).unwrap_err();
    (disk, generation)
}

#[test]
fn a_second_root_that_two_rotations_could_not_write_is_whole_after_the_next_unlock() {
    let (disk, mut ring) = vault();
    let root_b = Copy::B.root_file(Path::new(DIR));
    let before = disk.files()[&root_b].clone();
    for number in [4, 5] {
        disk.break_writes(Some(&root_b));
        add(&site(&disk), &mut ring, number).unwrap_err();
    }
    disk.break_writes(None);
    // Here a write that fails is done in part; on most disks nothing of it is.
    disk.tamper(&root_b, |bytes| *bytes = before);
    let in_force = ring.generation();
    // An earlier generation is whole where this one should stand.
    let earlier = second(&disk, in_force).unwrap().facts().generation;
    assert_eq!(earlier, in_force - 2);
    assert!(is_mending_of_root_b(&told(&disk)));
    let slot = second(&disk, in_force).unwrap();
    assert_eq!(slot.facts().generation, in_force);
    only_this_generation_is_left(&disk, &ring);
    assert_eq!(told(&disk), []);
}

type Work = fn(&Site, &mut KeyRing) -> Result<()>;

#[test]
fn a_cut_in_any_rotation_is_put_in_order_without_a_word_unless_a_write_was_torn() {
    let works: [Work; 2] = [
        |site, ring| shred(site, ring, 2),
        |site, ring| change(site, ring, &Lock::take(&*site.disk, &site.dir)?).map(drop),
    ];
    let (whole, ring) = vault();
    let next = ring.generation() + 1;
    for work in works {
        let (mut never_written, mut torn) = (0, 0);
        for operations in 0.. {
            let disk = whole.fork();
            let mut ring = KeyRing::unlock(&site(&disk), &old()).unwrap().0;
            disk.cut_after(operations);
            let _ = work(&site(&disk), &mut ring);
            let is_durable = second(&disk.after(Cut::LoseUnsynced), next).is_ok();
            let tears = (0..2).map(|tear| Cut::Tear(2 * operations as u64 + tear));
            for cut in [Cut::Kill, Cut::LoseUnsynced].into_iter().chain(tears) {
                let after = disk.after(cut);
                let is_committed = Survey::read(&after, Path::new(DIR))
                    .and_then(|survey| Ok(survey.newest(Path::new(DIR))?.generation == next))
                    .unwrap();
                // Where there is no second copy yet, or a durable one, some of it is enough.
                if is_committed == is_durable && operations % 8 != 0 {
                    continue;
                }
                let left = second(&after, next).err().filter(|_| is_committed);
                let told = told(&after);
                let when = format!("{cut:?} after {operations}: {told:?}");
                if left == Some(NoSlot::Damaged) {
                    assert!(is_mending_of_root_b(&told), "{when}");
                    torn += 1;
                } else {
                    assert_eq!(told, [], "{when}");
                    never_written += usize::from(left == Some(NoSlot::Noise));
                }
            }
            if !disk.was_cut() {
                break;
            }
        }
        assert!(never_written > 0 && torn > 0, "{never_written}, {torn}");
    }
}

#[test]
fn what_a_cut_leaves_of_the_second_root_is_told_as_soon_as_anything_else_speaks_against_it() {
    let dir = Path::new(DIR);
    let (cut, generation) = stopped(Step::Committed);
    assert_eq!(second(&cut, generation).err(), Some(NoSlot::Noise));
    assert_eq!(told(&cut.fork()), []);
    // The generation before is gone from the first copy: the second was put back.
    for copy in Copy::BOTH {
        let disk = cut.fork();
        let position = Position::of(copy, generation - 1);
        position.wipe(&disk, dir).unwrap();
        assert!(is_mending_of_root_b(&told(&disk)), "{copy:?}");
    }
    // Its bag is gone.
    let disk = cut.fork();
    for copy in Copy::BOTH {
        disk.unlink(&copy.bag_file(dir, generation - 1)).unwrap();
    }
    assert!(is_mending_of_root_b(&told(&disk)));
    // Once it was written, the rest of it shows that its beginning is damaged.
    let (cut, generation) = stopped(Step::Doubled);
    assert_eq!(told(&cut.fork()), []);
    let start = (generation % 2) as usize * SLOT_LEN;
    for at in 0..8 {
        let disk = cut.fork();
        disk.tamper(&Copy::B.root_file(dir), |bytes| bytes[start + at] ^= 4);
        assert!(is_mending_of_root_b(&told(&disk)), "byte {at}");
    }
}
