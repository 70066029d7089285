//! A recording whose card can't be read is there: who names it is told that it is damaged
//! and how to mend that, and never that there is none of that name.

use crate::support::library::{record, spoil_card, transcript, unlock};
use crate::support::prepared::quick_home;
use crate::support::{Finished, Home, PASSPHRASE};

/// A vault of two recordings with words, the card of the second of which can't be read.
struct Scene {
    home: Home,
    whole: String,
    damaged: String,
}

impl Scene {
    fn new() -> Self {
        let home = quick_home();
        let open = unlock(&home.vault(), PASSPHRASE);
        let ids = ["whole", "damaged"].map(|title| record(open.vault(), title, 2));
        open.merge().unwrap();
        for id in ids {
            open.add_transcript(id, 0, &transcript("said in it"))
                .unwrap();
        }
        drop(open);
        spoil_card(&home.vault().join("store.redb"), ids[1]);
        let [whole, damaged] = ids.map(|id| id.to_string());
        Self {
            home,
            whole,
            damaged,
        }
    }

    fn run(&self, args: &[&str]) -> Finished {
        self.home.voxvault(args.iter().copied()).run()
    }

    /// What is damaged is said once, and how to mend it.
    fn assert_told(&self, ended: &Finished) {
        let id = &self.damaged[..8];
        let named: Vec<_> = ended
            .stderr
            .lines()
            .filter(|line| line.contains(id))
            .collect();
        assert_eq!(named.len(), 1, "{ended}");
        assert!(
            ended.stderr.contains("hint: voxvault verify --repair"),
            "{ended}"
        );
        assert!(!ended.stderr.contains("no such recording"), "{ended}");
    }
}

#[test]
fn who_names_one_whose_card_can_not_be_read_is_told_so() {
    let scene = Scene::new();
    let id = scene.damaged.as_str();
    let commands: [&[&str]; 8] = [
        &["show", id],
        &["show", &id[..6], "--format", "srt"],
        &["play", id, "--stdout"],
        &["export", id, "--format", "wav"],
        &["export", id, "--format", "txt", "-o", "-"],
        &["transcribe", id],
        &["edit", id, "--title", "another"],
        &["redact", id, "0", "0.5", "--yes"],
    ];
    for command in commands {
        let ended = scene.run(command).ended_with(5);
        scene.assert_told(&ended);
        assert!(ended.stderr.contains("its card can't be read"), "{ended}");
        assert_eq!(ended.text(), "", "{command:?}");
    }
    // What there is not is still told from that.
    scene.run(&["show", "0123456789abcdef"]).ended_with(4);
    scene.run(&["verify", "--repair"]).ended_with(5);
    assert_eq!(scene.run(&["show", id]).ok().text().trim(), "said in it");
}

#[test]
fn of_several_that_are_named_those_that_can_be_read_are_given() {
    let scene = Scene::new();
    let (whole, damaged) = (scene.whole.as_str(), scene.damaged.as_str());
    let args = ["export", damaged, whole, "--format", "txt", "-o", "out"];
    let ended = scene.run(&args).ended_with(5);
    scene.assert_told(&ended);
    let written: Vec<_> = std::fs::read_dir(scene.home.path("out")).unwrap().collect();
    assert_eq!(written.len(), 1);
    // Two were named, whatever can be read of them.
    scene
        .run(&["export", damaged, whole, "--format", "txt", "-o", "-"])
        .ended_with(2);
}
