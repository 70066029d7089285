//! Stores that could not be read whole while they were repaired: nothing of what the disk
//! gives again another day is lost by that, and nothing comes back that was destroyed.

use super::*;
use crate::recording::Card;
use crate::retention::{Keep, Trust, set_rule};
use crate::vault::frame::Kind;
use crate::vault::ground::sim_disk::Cut;
use crate::vault::{ShredScope, Sweep, scan};

fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

/// A vault on a disk that does not give a part of the store, and has been repaired.
struct Kept {
    small: Small,
    disk: SimDisk,
    open: OpenVault,
    repaired: Verified,
}

impl Kept {
    /// Without what lies 100 bytes behind the start of this record of the first recording.
    fn without(kind: Kind, number: u32) -> Self {
        let small = Small::new();
        let disk = small.with(&path("store.redb"), |_| ());
        let bytes = disk.files()[&path("store.redb")].clone();
        let id = small.merged[0].0;
        let places = scan::frames(&bytes).filter(|(_, frame)| {
            let facts = frame.facts;
            let is_number = kind == Kind::Card || facts.number == number;
            facts.id == id && facts.kind == kind && is_number
        });
        let (at, _) = places
            .max_by_key(|(_, frame)| frame.facts.revision)
            .unwrap();
        disk.break_reads(&path("store.redb"), at + 100..at + 110);
        let open = open(&disk).unwrap();
        let repaired = repair(&open);
        Self {
            small,
            disk,
            open,
            repaired,
        }
    }

    /// The disk gives what it did not.
    fn heal(&self) {
        self.disk.break_reads(Path::new("/nothing"), 0..0);
    }

    fn is_kept(&self) -> bool {
        is_kept(&self.disk)
    }

    /// The disk gives all of it, and what is kept is the store as it is once this was done to
    /// the vault before the repair.
    fn keep_instead(&self, done: impl FnOnce(&OpenVault)) {
        self.heal();
        let there = self.small.disk.fork();
        done(&open(&there).unwrap());
        let store = there.files()[&path("store.redb")].clone();
        self.disk
            .tamper(&path("store.redb.aside"), |bytes| *bytes = store);
    }

    /// Changes the card of the first recording.
    fn edit(&self, open: &OpenVault, mut change: impl FnMut(&mut Card)) {
        open.update_card(self.id(), &mut change).unwrap();
    }

    fn id(&self) -> RecordingId {
        self.small.merged[0].0
    }
}

fn is_kept(disk: &SimDisk) -> bool {
    disk.files().contains_key(&path("store.redb.aside"))
}

fn says(verified: &Verified, what: &str) -> bool {
    verified.notes.iter().any(|note| note.contains(what))
}

#[test]
fn what_a_disk_gives_again_comes_back_with_the_next_repair() {
    let kept = Kept::without(Kind::Sound, 4);
    let of_it = |flaw: &Flaw| flaw.id == Some(kept.id()) && !flaw.mended;
    assert!(kept.repaired.flaws.iter().any(of_it), "{:?}", kept.repaired);
    assert!(says(&kept.repaired, "is kept as /vault/store.redb.aside"));
    assert_eq!(read(&kept.open, kept.small.merged[0]), Whole::Part);
    assert_eq!(read(&kept.open, kept.small.merged[1]), Whole::All);
    assert_eq!(verify(&kept.open).flaws, [], "it is said once");

    let again = repair(&kept.open);
    assert_eq!(again.flaws, []);
    assert!(
        says(&again, "1 blocks of it still can't be read"),
        "{again:?}"
    );
    assert!(kept.is_kept());
    let unfit = kept.open.vault().unfit();
    assert!(unfit.iter().any(|one| one.path == path("store.redb.aside")));
    assert_eq!(read(&kept.open, kept.small.merged[0]), Whole::Part);

    kept.heal();
    let healed = repair(&kept.open);
    assert_eq!(healed.flaws, []);
    assert!(
        says(&healed, "what was missing of it is back"),
        "{healed:?}"
    );
    assert!(!kept.is_kept(), "{healed:?}");
    for one in kept.small.all() {
        assert_eq!(read(&kept.open, one), Whole::All);
    }
    assert_eq!(verify(&kept.open), verify(&open(&kept.disk).unwrap()));
    assert_eq!(verify(&kept.open).flaws, []);
}

#[test]
fn a_card_and_a_transcript_that_are_given_again_come_back_as_well() {
    for (kind, number) in [(Kind::Card, 0), (Kind::Words, 1)] {
        let kept = Kept::without(kind, number);
        assert!(kept.is_kept(), "{kind:?}");
        kept.heal();
        let healed = repair(&kept.open);
        assert_eq!(healed.flaws, [], "{kind:?}");
        for one in kept.small.all() {
            assert_eq!(read(&kept.open, one), Whole::All, "{kind:?}: {healed:?}");
        }
        assert_eq!(verify(&kept.open).flaws, [], "{kind:?}");
    }
}

#[test]
fn an_edit_from_after_a_repair_is_not_taken_back() {
    let kept = Kept::without(Kind::Sound, 4);
    kept.edit(&kept.open, |card| card.title = "edited".into());
    kept.heal();
    let healed = repair(&kept.open);
    assert_eq!(kept.open.recording(kept.id()).unwrap().card.title, "edited");
    // Which of them is the later one, nobody knows.
    assert!(kept.is_kept());
    assert!(says(&healed, "title \"recording 1\""), "{healed:?}");
}

#[test]
fn a_store_with_another_card_is_kept_however_often_the_one_in_force_was_edited() {
    let kept = Kept::without(Kind::Sound, 4);
    kept.keep_instead(|there| {
        kept.edit(there, |card| {
            card.title = "edited before".into();
            card.tags = vec!["law".into()];
            card.note = "as agreed".into();
            card.markers = vec![48_000];
        });
    });
    for tag in ["one", "two", "three", "four"] {
        kept.edit(&kept.open, |card| card.tags = vec![tag.into()]);
    }
    let healed = repair(&kept.open);
    assert!(kept.is_kept(), "{healed:?}");
    let card = format!("the card of {} in it is another one", kept.id());
    for what in [
        &card,
        "title \"edited before\"",
        "tags \"law\"",
        "note \"as agreed\"",
        "markers",
    ] {
        assert!(says(&healed, what), "{what}: {healed:?}");
    }
    assert!(!says(&healed, "pinned"), "{healed:?}");

    kept.edit(&kept.open, |card| {
        card.title = "edited before".into();
        card.tags = vec!["law".into()];
        card.note = "as agreed".into();
    });
    let healed = repair(&kept.open);
    assert!(kept.is_kept(), "there are the markers: {healed:?}");
    kept.edit(&kept.open, |card| card.markers = vec![48_000]);
    let healed = repair(&kept.open);
    assert!(!kept.is_kept(), "nothing else differs: {healed:?}");
}

#[test]
fn a_transcript_whose_number_another_one_has_by_now_comes_back_beside_it() {
    let kept = Kept::without(Kind::Sound, 4);
    let add = |open: &OpenVault, text: &str| {
        let added = open.add_transcript(kept.id(), 0, &transcript(text));
        assert_eq!(added.unwrap(), 2);
    };
    kept.keep_instead(|there| add(there, "from before"));
    add(&kept.open, "from after");
    let healed = repair(&kept.open);
    assert!(!kept.is_kept(), "{healed:?}");
    for (number, said) in [(1, "said in 1"), (2, "from after"), (3, "from before")] {
        let found = kept.open.transcript(kept.id(), number).unwrap();
        assert_eq!(found.text(), said);
    }
    let versions = kept.open.recording(kept.id()).unwrap().versions;
    let numbers: Vec<u32> = versions.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(verify(&kept.open).flaws, []);
}

#[test]
fn an_edit_takes_no_pin_off_what_came_back() {
    let kept = Kept::without(Kind::Sound, 4);
    kept.edit(&kept.open, |card| card.pinned = false);
    kept.heal();
    repair(&kept.open);
    assert_eq!(read(&kept.open, kept.small.merged[0]), Whole::All);
    kept.edit(&kept.open, |card| card.note = "looked at".into());
    let card = kept.open.recording(kept.id()).unwrap().card;
    assert!(card.pinned);
}

#[test]
fn what_was_shredded_does_not_come_back_from_a_store_that_is_kept() {
    let kept = Kept::without(Kind::Sound, 4);
    let receipt = kept
        .open
        .shred(&[kept.id()], ShredScope::Everything, &mut |_, _| ())
        .unwrap();
    assert_eq!(receipt.failure(), None);
    let aside = path("store.redb.aside").display().to_string();
    assert!(receipt.not_erased.iter().any(|one| one.where_ == aside));
    kept.heal();
    let healed = repair(&kept.open);
    assert!(kept.open.recording(kept.id()).is_err(), "{healed:?}");
    assert!(!kept.is_kept(), "{healed:?}");
    assert_eq!(read(&kept.open, kept.small.merged[1]), Whole::All);
}

#[test]
fn no_rule_takes_sound_that_may_come_back_before_somebody_has_looked() {
    let kept = Kept::without(Kind::Sound, 4);
    let rules = &mut |settings: &mut crate::vault::bag::Settings| {
        let nothing: Keep = "0s".parse().unwrap();
        set_rule(&mut settings.retention, None, Some(nothing), None);
    };
    kept.open.change_settings(rules).unwrap();
    let sweep = || {
        let swept = kept
            .open
            .sweep(now(), Trust::Confirmed, &[], &mut |_, _| ());
        match swept.unwrap() {
            Sweep::Done(swept) => swept.gone.iter().map(|one| one.id).collect(),
            _ => Vec::new(),
        }
    };
    assert_eq!(sweep(), [kept.small.merged[1].0], "the control");
    kept.heal();
    repair(&kept.open);
    assert_eq!(sweep(), []);
    assert_eq!(read(&kept.open, kept.small.merged[0]), Whole::All);
}

#[test]
fn taking_in_from_a_store_that_is_kept_can_be_cut_anywhere() {
    let kept = Kept::without(Kind::Sound, 4);
    kept.heal();
    let mut images = 0;
    for operations in (0..).step_by(2) {
        let disk = kept.disk.fork();
        let vault = open(&disk).unwrap();
        disk.cut_after(operations);
        let done = vault.repair(now(), &|_, _| ());
        if !disk.was_cut() {
            assert!(done.is_ok());
            break;
        }
        for cut in [Cut::Kill, Cut::LoseUnsynced, Cut::Tear(operations as u64)] {
            let after = disk.after(cut);
            let vault = open(&after).unwrap();
            // A slot that was being written is made anew as the vault is opened.
            let flaws = verify(&vault).flaws;
            let is_well = flaws.iter().all(|flaw| flaw.mended);
            assert!(is_well, "cut after {operations}, {cut:?}: {flaws:?}");
            repair(&vault);
            for one in kept.small.all() {
                let whole = read(&vault, one);
                assert_eq!(whole, Whole::All, "cut after {operations}, {cut:?}");
            }
            let vault = open(&after).unwrap();
            assert_eq!(verify(&vault).flaws, [], "cut after {operations}, {cut:?}");
            assert!(!is_kept(&after), "cut after {operations}, {cut:?}");
            images += 1;
        }
    }
    assert!(images > 10, "{images}");
}
