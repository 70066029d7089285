//! Shredding from the command line: every way to say what is meant, and nothing
//! else is destroyed.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use crate::support::library::spoil_card;
use crate::support::prepared::{copy_dir, quick_home};
use crate::support::sound::Pcm;
use crate::support::{Home, Voxvault, can_require, eventually, require_tool};

/// Makes a recording of this title with a tag, and answers with its id.
fn take(home: &Home, title: &str, tag: &str) -> String {
    let args = [
        "record",
        "-",
        "--title",
        title,
        "--tag",
        tag,
        "--no-transcribe",
    ];
    let sound = Pcm::tone(8_000, 1.7).wav();
    let ended = home.voxvault(args).locked().stdin(sound).run().ok();
    ended.text().trim().to_owned()
}

fn ids(document: &serde_json::Value, field: &str) -> BTreeSet<String> {
    let all = document[field].as_array().unwrap();
    all.iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_way_to_name_recordings_means_exactly_those_that_a_dry_run_lists() {
    let home = quick_home();
    let made: Vec<String> = ["a", "b", "c", "d", "e", "f"]
        .iter()
        .zip(["work", "work", "home", "home", "home", "home"])
        .map(|(title, tag)| take(&home, title, tag))
        .collect();
    let all: BTreeSet<String> = made.iter().cloned().collect();
    let listed = || ids(&serde_json::json!({ "r": home.list() }), "r");
    assert_eq!(listed(), all);
    let mut left = all.clone();
    let ways: [(&[&str], &[&str]); 5] = [
        (&["tag:work"], &[&made[0], &made[1]]),
        (&[&made[2][..8], &made[3]], &[&made[2], &made[3]]),
        (&["last"], &[&made[5]]),
        (&["after:1d", "before:2100-01-01", "title:e"], &[&made[4]]),
        (&["yesterday"], &[]),
    ];
    for (way, meant) in ways {
        let meant: BTreeSet<String> = meant.iter().map(|id| (*id).to_owned()).collect();
        let run = |flag: &[&str]| {
            let args = [&["shred"], way, flag].concat();
            home.voxvault(args.iter().copied()).run()
        };
        if meant.is_empty() {
            run(&["--dry-run"]).ended_with(4);
            run(&["--yes"]).ended_with(4);
            continue;
        }
        let dry = run(&["--dry-run", "--json"]).ok().json();
        assert_eq!(ids(&dry, "recordings"), meant, "{way:?}");
        let lines = run(&["--dry-run"]).ok().text();
        assert_eq!(lines.lines().count(), meant.len(), "{lines}");
        assert_eq!(listed(), left, "a dry run changes nothing");
        let receipt = run(&["--yes", "--json"]).ok().json();
        assert_eq!(ids(&receipt, "shredded"), meant, "{way:?}");
        left = left.difference(&meant).cloned().collect();
        assert_eq!(listed(), left, "{way:?}");
    }
    let today = take(&home, "today", "now");
    let receipt = home
        .voxvault(["shred", "today", "--yes", "--json"])
        .run()
        .ok()
        .json();
    assert!(ids(&receipt, "shredded").contains(&today), "{receipt}");
}

#[test]
fn free_words_are_refused_whatever_stands_beside_them() {
    let home = quick_home();
    take(&home, "landlord", "calls");
    for words in [
        &["landlord"][..],
        &["tag:calls", "landlord"],
        &["last", "heater"],
    ] {
        let args = [&["shred", "--yes"], words].concat();
        home.voxvault(args.iter().copied()).run().ended_with(2);
    }
    assert_eq!(home.list().len(), 1);
}

#[test]
fn a_running_recording_is_refused_by_id_and_by_filter_and_nothing_is_destroyed() {
    let home = quick_home();
    let kept = take(&home, "kept", "work");
    home.list();
    let args = ["record", "-", "--title", "running", "--tag", "work"];
    let raw = ["--format", "s16le", "--no-transcribe"];
    let mut recorder = home
        .voxvault([&args[..], &raw].concat())
        .locked()
        .spawn_with_open_stdin();
    recorder.write(&vec![0x11; 32_000 * 3]);
    eventually("it is listed as running", Duration::from_secs(60), || {
        let list = home.list();
        list.iter()
            .any(|one| one["state"] == "recording")
            .then_some(())
    });
    let running = home.id_of("running");
    for way in [&[running.as_str()][..], &["tag:work"], &[&kept, &running]] {
        for flag in ["--yes", "--dry-run"] {
            let args = [&["shred", flag], way].concat();
            let refused = home.voxvault(args.iter().copied()).run().ended_with(1);
            assert!(refused.stderr.contains("being recorded"), "{refused}");
            assert!(refused.stderr.contains("stop it first"), "{refused}");
        }
    }
    assert_eq!(home.list().len(), 2);
    // What only others are meant by is destroyed beside it.
    home.voxvault(["shred", &kept, "--yes"]).run().ok();
    recorder.wait().ok();
    home.voxvault(["shred", "tag:work", "--yes"]).run().ok();
    assert!(home.list().is_empty());
}

#[test]
fn the_last_one_is_not_guessed_where_one_that_can_not_be_read_may_be_it() {
    let home = quick_home();
    let [first, second, lost] = ["first", "second", "lost"].map(|title| take(&home, title, "work"));
    assert_eq!(home.list().len(), 3);
    spoil_card(&home.vault().join("store.redb"), lost.parse().unwrap());
    let left = || {
        let list = home.voxvault(["list", "--json"]).run().ended_with(5);
        assert!(list.stderr.contains(&lost[..8]), "{list}");
        ids(&list.json(), "recordings")
    };
    let readable = BTreeSet::from([first.clone(), second.clone()]);
    let commands: [&[&str]; 6] = [
        &["shred", "last", "--yes"],
        &["shred", "last", "tag:work", "--yes"],
        &["shred", "tag:work", "-last", "--yes"],
        &["shred", "last", "--dry-run"],
        &["edit", "last", "--title", "another"],
        &["redact", "last", "0", "0.5", "--yes"],
    ];
    for command in commands {
        let refused = home.voxvault(command).run().ended_with(5);
        let said = "can't tell which recordings are meant";
        assert!(refused.stderr.contains(said), "{refused}");
        assert!(refused.stderr.contains(&lost[..8]), "{refused}");
        assert!(refused.text().is_empty(), "{refused}");
        assert_eq!(left(), readable);
    }
    // What asks for nothing of the others goes by what can be read; that something can't
    // be is told.
    for (way, meant) in [("title:first", &first), ("today", &second)] {
        let shred = home.voxvault(["shred", way, "--yes", "--json"]).run();
        let shred = shred.ended_with(5);
        assert!(shred.stderr.contains(&lost[..8]), "{shred}");
        assert_eq!(
            ids(&shred.json(), "shredded"),
            BTreeSet::from([meant.clone()])
        );
    }
    home.voxvault(["shred", &lost, "--yes"]).run().ended_with(5);
    assert!(home.list().is_empty());
}

#[test]
fn sound_that_is_gone_is_not_shredded_again_and_the_rest_is_listed_as_what_it_is() {
    let home = quick_home();
    let [one, two] = ["one", "two"].map(|title| take(&home, title, "work"));
    let sound_of = |which: &str, flag: &str| {
        let args = ["shred", which, "--audio-only", "--json", flag];
        home.voxvault(args).run()
    };
    let keys = || ["root.a", "root.b"].map(|name| fs::read(home.vault().join(name)).unwrap());
    let before = keys();
    sound_of(&one, "--yes").ok();
    let after = keys();
    assert_ne!(after, before, "the control");
    for flag in ["--yes", "--dry-run"] {
        let refused = sound_of(&one, flag).ended_with(4);
        let said = "its sound was shredded before";
        assert!(refused.stderr.contains(said), "{refused}");
    }
    assert_eq!(keys(), after, "nothing was to be destroyed");
    let shred = sound_of("tag:work", "--yes").ok();
    let said = format!("{}: its sound was shredded before", &one[..8]);
    assert!(shred.stderr.contains(&said), "{shred}");
    let [two_alone, both] = [vec![two.clone()], vec![one.clone(), two.clone()]];
    let set = |ids: Vec<String>| ids.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(ids(&shred.json(), "shredded"), set(two_alone));
    sound_of("tag:work", "--yes").ended_with(4);

    let lines = home.voxvault(["list"]).run().ok().text();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    for line in lines.lines() {
        assert!(line.contains("  no text "), "{lines}");
        assert!(line.ends_with("(sound shredded)"), "{lines}");
    }
    for listed in home.list() {
        assert_eq!(listed["shredded"], serde_json::json!(["sound"]), "{listed}");
    }
    let shown = home.voxvault(["show", &one]).run().ended_with(4);
    let said = "its sound was shredded before it was transcribed";
    assert!(shown.stderr.contains(said), "{shown}");
    // All of it still goes.
    let shred = home
        .voxvault(["shred", "tag:work", "--yes", "--json"])
        .run();
    assert_eq!(ids(&shred.ok().json(), "shredded"), set(both));
}

#[test]
fn with_a_store_that_nobody_can_read_an_id_is_enough() {
    let home = quick_home();
    let id = take(&home, "doomed", "work");
    home.list();
    let store = home.vault().join("store.redb");
    fs::write(&store, vec![7; 100_000]).unwrap();
    home.voxvault(["list"]).run().ended_with(5);
    home.voxvault(["shred", "tag:work", "--yes"])
        .run()
        .ended_with(5);
    // Damage was found, so it ends with 5; what was asked for is done.
    let dry = home.voxvault(["shred", &id, "--dry-run", "--json"]).run();
    let dry = dry.ended_with(5).json();
    assert_eq!(dry["recordings"][0]["id"], id.as_str());
    assert!(dry["recordings"][0]["damaged"].is_string(), "{dry}");
    let receipt = home.voxvault(["shred", &id, "--yes", "--json"]).run();
    let receipt = receipt.ended_with(5).json();
    assert_eq!(receipt["shredded"][0]["key_destroyed"], true, "{receipt}");
    assert!(receipt["not_final"].is_null(), "{receipt}");
    home.voxvault(["shred", &id, "--yes"]).run().ended_with(4);
}

/// Has a copy of a vault (its first argument) on a file system (its second) that is full,
/// in the vault's place while it runs the others; what they left of it stays.
const ON_A_FULL_DISK: &str = r#"
disk=$1; shift
mkdir -p "$disk" && mount -t tmpfs -o size=3m,mode=700 none "$disk" || exit 99
mkdir -m 700 "$disk/vault" && cp -a "$0/." "$disk/vault/" || exit 99
cat /dev/zero > "$disk/filler" 2>/dev/null
mount --bind "$disk/vault" "$0" || exit 99
"$@"; ended=$?
umount "$0" && rm "$disk/filler" && rm -r "$0"/* && cp -a "$disk/vault/." "$0/" || exit 99
exit $ended
"#;

fn on_a_full_disk(home: &Home, args: &[&str]) -> Voxvault {
    let (vault, disk) = (home.vault(), home.path("full"));
    let (vault, disk) = (vault.display().to_string(), disk.display().to_string());
    home.voxvault(args.iter().copied()).under(
        "unshare",
        ["-rm", "sh", "-c", ON_A_FULL_DISK, &vault, &disk],
    )
}

/// A home with one recording in the vault and two that wait, of a minute each.
fn home_with_two_that_wait() -> (Home, [String; 3]) {
    let home = quick_home();
    let sound = Pcm::tone(8_000, 60.0).wav();
    let take = |title, tag| {
        let args = ["record", "-", "--title", title, "--tag", tag];
        let run = home.voxvault([&args[..], &["--no-transcribe"]].concat());
        let ended = run.locked().stdin(sound.clone()).run().ok();
        ended.text().trim().to_owned()
    };
    let merged = take("merged", "old");
    assert_eq!(home.list().len(), 1);
    let waiting = [take("first", "new"), take("second", "new")];
    let [first, second] = waiting;
    (home, [merged, first, second])
}

fn require_full_disks() -> bool {
    require_tool("unshare") && {
        let mount = ["-rm", "mount", "-t", "tmpfs", "none", "/tmp"];
        let status = std::process::Command::new("unshare").args(mount).status();
        can_require(
            status.is_ok_and(|status| status.success()),
            "can't mount in a name space of one's own",
        )
    }
}

#[test]
fn on_a_full_disk_what_waits_in_the_inbox_is_counted_and_meant_like_everything_else() {
    if !require_full_disks() {
        return;
    }
    let (prepared, [merged, first, second]) = home_with_two_that_wait();
    let fresh = || {
        let home = quick_home();
        fs::remove_dir_all(home.vault()).unwrap();
        copy_dir(&prepared.vault(), &home.vault());
        home
    };
    let home = fresh();
    for args in [&["list", "--json"][..], &["search", "nothing"]] {
        let ended = on_a_full_disk(&home, args).run();
        let said = "2 recordings wait in the inbox";
        assert!(ended.stderr.contains(said), "{args:?}: {ended}");
    }
    let ways: [(&[&str], &[&String]); 5] = [
        (&["today"], &[&merged, &first, &second]),
        (&["last"], &[&second]),
        (&["tag:new", "longer:50s"], &[&first, &second]),
        (&["title:first"], &[&first]),
        (&["after:1d", "-tag:new"], &[&merged]),
    ];
    for (way, meant) in ways {
        let home = fresh();
        let meant: BTreeSet<String> = meant.iter().map(|id| (*id).clone()).collect();
        let run = |flag: &[&str]| on_a_full_disk(&home, &[&["shred"], way, flag].concat()).run();
        let dry = run(&["--dry-run", "--json"]).ok().json();
        assert_eq!(ids(&dry, "recordings"), meant, "{way:?}");
        let receipt = run(&["--yes", "--json"]).ok().json();
        assert_eq!(ids(&receipt, "shredded"), meant, "{way:?}");
        // With room again what was not meant is there, and nothing else.
        let left = ids(&serde_json::json!({ "r": home.list() }), "r");
        let all = [&merged, &first, &second].map(String::clone);
        let all = BTreeSet::from(all);
        assert_eq!(left, all.difference(&meant).cloned().collect(), "{way:?}");
    }
}

#[test]
fn on_a_full_disk_nothing_is_shredded_by_a_filter_that_can_not_be_asked_of_all() {
    if !require_full_disks() {
        return;
    }
    let (home, [merged, first, second]) = home_with_two_that_wait();
    // No card of the second opens any more: what a filter says of it is not known.
    let file = home.vault().join(format!("inbox/{second}.rec"));
    let mut bytes = fs::read(&file).unwrap();
    let end = bytes.len();
    bytes[end - 100..].fill(7);
    fs::write(&file, bytes).unwrap();
    for way in ["today", "last", "tag:old"] {
        let run = on_a_full_disk(&home, &["shred", way, "--yes"]).run();
        let refused = run.ended_with(9);
        let said = "1 recording waits in the inbox and can't be looked at";
        assert!(refused.stderr.contains(said), "{way}: {refused}");
        assert!(refused.stderr.contains("hint: "), "{refused}");
    }
    for id in [&merged, &first] {
        let shown = on_a_full_disk(&home, &["shred", id, "--dry-run"]);
        shown.run().ok();
    }
    // By their ids all of them go.
    let by_id = ["shred", &merged, &first, &second, "--yes", "--json"];
    let receipt = on_a_full_disk(&home, &by_id).run().json();
    assert_eq!(ids(&receipt, "shredded").len(), 3, "{receipt}");
    assert!(home.list().is_empty());
}

/// Has a vault (its first argument) lie in the lower layer of an overlay (its second, a
/// folder for the layers) in its own place, while it runs the others.
const ON_AN_OVERLAY: &str = r#"
layers=$1; shift
mkdir -p "$layers" && mount -t tmpfs none "$layers" && mkdir "$layers/u" "$layers/w" || exit 99
mount -t overlay overlay -o "lowerdir=$0,upperdir=$layers/u,workdir=$layers/w" "$0" || exit 99
exec "$@"
"#;

#[test]
fn on_an_overlay_doctor_and_the_receipt_say_that_a_lower_layer_may_keep_a_copy() {
    if !require_full_disks() {
        return;
    }
    let home = quick_home();
    let id = take(&home, "doomed", "work");
    assert_eq!(home.list().len(), 1);
    let (vault, layers) = (home.vault(), home.path("layers"));
    let (vault, layers) = (vault.display().to_string(), layers.display().to_string());
    let run = |args: &[&str]| {
        let run = home.voxvault(args.iter().copied());
        let script = ["-rm", "sh", "-c", ON_AN_OVERLAY, &vault, &layers];
        run.under("unshare", script).run()
    };
    let said = "overlay does not overwrite in place: a lower layer may keep a copy";
    let doctor = run(&["doctor"]);
    assert!(doctor.text().contains(said), "{doctor}");
    let receipt = run(&["shred", &id, "--yes"]).ok();
    assert!(receipt.text().contains(said), "{receipt}");
    // That is so: the lower layer has it as before.
    assert_eq!(home.id_of("doomed"), id);
}
