//! Retention from the command line: rules are set and shown, previews say exactly what
//! goes, sweeps do it, and a clock that leapt is not believed.

use std::collections::BTreeMap;
use std::time::Duration;

use voxvault::recording::{Card, Moment, RecordingId};
use voxvault::retention::{Keep, set_rule};
use voxvault::vault::OpenVault;
use voxvault::vault::site::{Clock, Site};

use crate::support::{Home, Key, PASSPHRASE, Terminal, library};

const HOUR_MS: i64 = 3_600_000;

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}

/// A home whose vault was made so many hours ago, and has seen no time since. What it
/// holds came in then: three recordings, of which the first two have a transcript.
fn home_from(hours_ago: i64) -> (Home, OpenVault, Vec<RecordingId>) {
    let home = Home::new();
    let at = Moment {
        unix_ms: now_ms() - hours_ago * HOUR_MS,
        offset_s: 0,
    };
    let site = Site::new(&home.vault(), None).with_clock(Clock::new(move || at));
    let open = library::init(site);
    let titles = ["first", "second", "third"];
    let ids = titles.map(|title| library::record(open.vault(), title, 2));
    open.merge().unwrap();
    for id in &ids[..2] {
        let said = library::transcript("said");
        open.add_transcript(*id, 0, &said).unwrap();
    }
    (home, open, ids.to_vec())
}

fn rule(open: &OpenVault, audio: &str, text: &str) {
    let keep = |text: &str| Some(text.parse::<Keep>().unwrap());
    open.change_settings(&mut |settings| {
        set_rule(&mut settings.retention, None, keep(audio), keep(text));
    })
    .unwrap();
}

/// What went, or would go: ids and how much.
fn what(document: &serde_json::Value, field: &str) -> BTreeMap<String, String> {
    let all = document[field].as_array().unwrap();
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap().to_owned();
    all.iter()
        .map(|one| (text(one, "id"), text(one, "what")))
        .collect()
}

#[test]
fn rules_are_set_shown_and_taken_away() {
    let (home, _, _) = home_from(1);
    let run = |args: &[&str]| {
        let args = [&["retain"], args].concat();
        home.voxvault(args).run()
    };
    let shown = run(&["--show"]).ok().text();
    assert!(shown.contains("everything is kept forever"), "{shown}");
    run(&["--audio", "90d", "--text", "forever"]).ok();
    run(&["--tag", "work", "--audio", "18mo"]).ok();
    run(&["--tag", "#work", "--text", "2y"]).ok();
    let json = run(&["--show", "--json"]).ok().json();
    let expected = serde_json::json!([
        { "tag": null, "audio": "90d", "text": "forever" },
        { "tag": "work", "audio": "18mo", "text": "2y" },
    ]);
    assert_eq!(json["rules"], expected);
    assert_eq!(json["clock"], "right");
    let list = home.list();
    assert!(list[0]["keep_audio_until"].is_string(), "{list:?}");
    assert!(list[0]["keep_text_until"].is_null());
    run(&["--tag", "WORK", "--remove"]).ok();
    run(&["--tag", "work", "--remove"]).ended_with(4);
    run(&["--remove"]).ok();
    assert_eq!(run(&["--json"]).ok().json()["rules"], serde_json::json!([]));
    for unusable in [
        &["--audio", "soon"][..],
        &["--tag", "two words", "--audio", "1d"],
        &["--tag", "work"],
        &["--apply", "--audio", "1d"],
        &["--dry-run"],
        &["--remove", "--text", "1d"],
        &["--clock-is-right"],
    ] {
        run(unusable).ended_with(2);
    }
}

#[test]
fn a_preview_lists_what_goes_now_and_later_and_a_sweep_does_exactly_that() {
    let (home, open, ids) = home_from(2);
    let [first, second, third] = [0, 1, 2].map(|at| ids[at].to_string());
    let id = |at: usize| ids[at];
    open.update_card(id(0), &mut |card| card.tags = vec!["brief".to_owned()])
        .unwrap();
    open.update_card(id(2), &mut |card| card.pinned = true)
        .unwrap();
    drop(open);
    // A retain of its own does not sweep; every other command would.
    let args = ["retain", "--tag", "brief", "--audio", "1h", "--text", "1h"];
    let told = home.voxvault(args).run().ok();
    assert!(told.stderr.contains("1 recording is past"), "{told}");
    let args = ["retain", "--audio", "1h", "--text", "5d"];
    let told = home.voxvault(args).run().ok();
    assert!(
        told.text().contains("due now: 2, later: 1, pinned: 1"),
        "{told}"
    );

    let dry = ["retain", "--apply", "--dry-run", "--json"];
    let preview = home.voxvault(dry).run().ok().json();
    let of = |all: &[(&String, &str)]| -> BTreeMap<String, String> {
        let pair = |(id, what): &(&String, &str)| ((*id).clone(), (*what).to_owned());
        all.iter().map(pair).collect()
    };
    let due = of(&[(&first, "everything"), (&second, "audio")]);
    assert_eq!(what(&preview, "due"), due);
    assert_eq!(what(&preview, "later"), of(&[(&second, "everything")]));
    let all = preview["due"].as_array().unwrap();
    let brief = all.iter().find(|one| one["id"] == first.as_str()).unwrap();
    assert_eq!(brief["rule"], "tag:brief: audio 1h, text 1h");
    let lines = home.voxvault(["retain", "--apply", "--dry-run"]).run().ok();
    assert_eq!(lines.text().lines().count(), 3, "{lines}");

    let receipt = home.voxvault(["retain", "--apply", "--json"]).run().ok();
    let receipt = receipt.json();
    assert_eq!(what(&receipt, "shredded"), due);
    let is_final = |one: &serde_json::Value| one["key_destroyed"] == true;
    assert!(receipt["shredded"].as_array().unwrap().iter().all(is_final));
    for field in ["erased", "not_erased", "backups_still_holding", "failed"] {
        assert!(receipt[field].is_array(), "{field}: {receipt}");
    }
    let left = home.list();
    let left: BTreeMap<_, _> = left
        .iter()
        .map(|one| {
            (
                one["id"].as_str().unwrap(),
                one["audio_bytes"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(left.len(), 2);
    assert_eq!(left[second.as_str()], 0);
    assert!(left[third.as_str()] > 0, "a pinned one stays as it is");
    assert_eq!(home.text_of(&second).trim(), "said");
    let again = home.voxvault(["retain", "--apply"]).run().ok();
    assert!(again.stderr.contains("nothing is due"), "{again}");
}

#[test]
fn what_waits_for_its_transcript_is_foretold_and_not_destroyed_by_the_clock_of_its_text() {
    let (home, open, ids) = home_from(2);
    rule(&open, "0d", "5s");
    drop(open);
    let dry = home.voxvault(["retain", "--apply", "--dry-run"]).run().ok();
    let waits = dry.text();
    let waits = waits.lines().find(|line| line.contains("third")).unwrap();
    assert!(waits.starts_with("once transcribed"), "{waits}");
    assert!(waits.contains("everything"), "{waits}");
    let swept = home.voxvault(["retain", "--apply", "--json"]).run().ok();
    assert_eq!(what(&swept.json(), "shredded").len(), 2, "{swept}");
    for _ in 0..2 {
        let left = home.list();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0]["id"], ids[2].to_string().as_str());
        assert_eq!(left[0]["state"], "pending");
        assert!(left[0]["audio_bytes"].as_u64().unwrap() > 0);
    }
}

#[test]
fn rules_are_applied_at_unlock_by_any_command_and_said() {
    let (home, open, ids) = home_from(2);
    rule(&open, "1h", "forever");
    drop(open);
    let listed = home.voxvault(["list", "--json"]).run().ok();
    assert!(
        listed.stderr.contains("the audio of 3 recordings"),
        "{listed}"
    );
    assert!(listed.stderr.contains(&ids[0].short()), "{listed}");
    let json = listed.json();
    let all = json["recordings"].as_array().unwrap();
    assert!(all.iter().all(|one| one["audio_bytes"] == 0), "{json}");
    // Nobody heard that there was nothing to hear in the one without a transcript.
    let third = all.iter().find(|one| one["title"] == "third").unwrap();
    assert_eq!(third["state"], "failed");
    let listed = home.voxvault(["list"]).run().ok().text();
    assert_eq!(listed.matches("(sound shredded)").count(), ids.len());
}

#[test]
fn the_sound_of_one_whose_transcription_failed_goes_and_that_is_said_before_and_after() {
    let (home, open, ids) = home_from(2);
    let fails = &mut |card: &mut Card| card.failure = Some("no memory".to_owned());
    open.update_card(ids[2], fails).unwrap();
    rule(&open, "0d", "forever");
    drop(open);
    let dry = ["retain", "--apply", "--dry-run"];
    for args in [&dry[..], &dry[..2]] {
        let told = home.voxvault(args.iter().copied()).run().ok().text();
        let says = |line: &str| line.contains("its transcription failed");
        let said: Vec<_> = told.lines().filter(|line| says(line)).collect();
        assert!(said.len() == 1 && said[0].contains("third"), "{told}");
    }
}

#[test]
fn an_edit_that_is_to_save_a_recording_comes_before_the_rules() {
    let (home, open, ids) = home_from(2);
    rule(&open, "1h", "1h");
    open.change_settings(&mut |settings| {
        let keep = Some(Keep::Forever);
        set_rule(&mut settings.retention, Some("keep"), keep, keep);
    })
    .unwrap();
    drop(open);
    let [pinned, tagged, third] = [0, 1, 2].map(|at| ids[at].to_string());
    let dry = ["retain", "--apply", "--dry-run", "--json"];
    let preview = home.voxvault(dry).run().ok().json();
    assert_eq!(what(&preview, "due").len(), 3, "the control: {preview}");
    // Its unlock sweeps the others, and this one is safe by then.
    let edited = home.voxvault(["edit", &tagged, "--tag", "keep"]).run().ok();
    assert!(edited.stderr.contains("2 recordings"), "{edited}");
    let left = |name: &str| home.list().iter().any(|one| one["id"] == name);
    assert!(left(&tagged) && !left(&pinned) && !left(&third));

    let (home, open, ids) = home_from(2);
    rule(&open, "1h", "1h");
    drop(open);
    let pinned = ids[0].to_string();
    home.voxvault(["edit", &pinned, "--pin"]).run().ok();
    let left = |name: &str| home.list().iter().any(|one| one["id"] == name);
    assert!(left(&pinned) && home.list().len() == 1);
    // What is let go is destroyed by the next unlock, not by the word that lets it go.
    home.voxvault(["edit", &pinned, "--unpin"]).run().ok();
    let open = library::unlock(&home.vault(), PASSPHRASE);
    assert_eq!(open.ids().unwrap(), [ids[0]]);
    drop(open);
    assert!(!left(&pinned));
}

#[test]
fn what_just_came_in_is_left_for_the_next_unlock() {
    let (home, open, _) = home_from(2);
    rule(&open, "1h", "forever");
    let late = library::record(open.vault(), "late", 2).to_string();
    drop(open);
    let audio_of_late = || {
        let list = home.list();
        let one = list.iter().find(|one| one["id"] == late.as_str()).unwrap();
        one["audio_bytes"].as_u64().unwrap()
    };
    assert!(audio_of_late() > 0);
    assert_eq!(audio_of_late(), 0);
}

#[test]
fn what_a_sweep_takes_in_itself_is_left_for_the_next_one_and_the_preview_says_the_same() {
    let (home, open, ids) = home_from(2);
    rule(&open, "1h", "forever");
    let late = library::record(open.vault(), "late", 2).to_string();
    drop(open);
    let dry = ["retain", "--apply", "--dry-run", "--json"];
    for round in 0..2 {
        // As often as it is asked: a preview takes nothing in.
        let previews = [(); 2].map(|()| home.voxvault(dry).run().ok());
        for preview in &previews {
            let waits = preview.stderr.contains("1 recording waits in the inbox");
            assert_eq!(waits, round == 0, "{preview}");
        }
        let receipt = home.voxvault(["retain", "--apply", "--json"]).run().ok();
        let gone = what(&receipt.json(), "shredded");
        assert_eq!(gone, what(&previews[1].json(), "due"));
        assert_eq!(gone.contains_key(&late), round == 1, "{receipt}");
        assert_eq!(gone.len(), [ids.len(), 1][round]);
    }
}

#[test]
fn a_gap_in_which_nothing_came_due_ends_a_sweep_with_one_before_anything_is() {
    let (home, open, _) = home_from(72);
    rule(&open, "10d", "10d");
    drop(open);
    // Who only reads is not held up.
    let listed = home.voxvault(["list"]).run().ok();
    assert!(!listed.stderr.contains("clock"), "{listed}");
    let dry = home.voxvault(["retain", "--apply", "--dry-run"]).run().ok();
    assert!(dry.stderr.contains("no clock was confirmed"), "{dry}");
    for _ in 0..2 {
        let refused = home.voxvault(["retain", "--apply"]).run().ended_with(1);
        let said = [
            "no clock was confirmed since",
            "3 days",
            "nothing is due",
            "--clock-is-right",
        ];
        assert!(
            said.iter().all(|part| refused.stderr.contains(part)),
            "{refused}"
        );
    }
    let swept = ["retain", "--apply", "--clock-is-right"];
    home.voxvault(swept).run().ok();
    let again = home.voxvault(["retain", "--apply"]).run().ok();
    assert!(again.stderr.contains("nothing is due"), "{again}");
}

#[test]
fn on_a_terminal_a_gap_is_asked_about_before_anything_is_due() {
    let (home, open, ids) = home_from(72);
    rule(&open, "10d", "10d");
    drop(open);
    let passphrase = home.passphrase_file().display().to_string();
    let args = ["retain", "--apply", "--passphrase-file", &passphrase];
    let mut asked = Terminal::voxvault(&home, args, (80, 24), Vec::new());
    asked.wait_for("is the clock right?");
    asked.type_text("y");
    asked.press(Key::Enter);
    assert_eq!(asked.wait_for_end(Duration::from_secs(30)), Some(0));
    let again = home.voxvault(["retain", "--apply"]).run().ok();
    assert!(again.stderr.contains("nothing is due"), "{again}");
    assert_eq!(home.list().len(), ids.len());
}

#[test]
fn a_clock_that_leapt_destroys_nothing_and_ends_with_one_until_it_is_confirmed() {
    let (home, open, ids) = home_from(72);
    rule(&open, "2d", "2d");
    drop(open);
    let refused = home.voxvault(["retain", "--apply"]).run().ended_with(1);
    assert!(refused.stderr.contains("--clock-is-right"), "{refused}");
    assert!(refused.stderr.contains("3 recordings are due"), "{refused}");
    // Others only say it.
    let listed = home.voxvault(["list", "--json"]).run().ok();
    assert!(listed.stderr.contains("nothing was destroyed"), "{listed}");
    let all = listed.json()["recordings"].as_array().unwrap().len();
    assert_eq!(all, ids.len());
    let dry = ["retain", "--apply", "--dry-run", "--json"];
    let preview = home.voxvault(dry).run().ok().json();
    assert_eq!(preview["clock"], "ahead");
    assert_eq!(preview["due"].as_array().unwrap().len(), ids.len());
    let swept = ["retain", "--apply", "--clock-is-right", "--json"];
    let receipt = home.voxvault(swept).run().ok().json();
    assert_eq!(what(&receipt, "shredded").len(), ids.len());
    assert!(home.list().is_empty());
}

#[test]
fn on_a_terminal_the_owner_of_a_clock_that_leapt_is_asked_and_no_is_the_default() {
    let (home, open, ids) = home_from(72);
    rule(&open, "2d", "2d");
    drop(open);
    let passphrase = home.passphrase_file().display().to_string();
    let command = || {
        let args = ["retain", "--apply", "--passphrase-file", &passphrase];
        Terminal::voxvault(&home, args, (80, 24), Vec::new())
    };
    let patience = Duration::from_secs(30);
    let mut asked = command();
    asked.wait_for("is the clock right");
    asked.press(Key::Enter);
    assert_eq!(asked.wait_for_end(patience), Some(1));
    let held = library::unlock(&home.vault(), PASSPHRASE).ids().unwrap();
    assert_eq!(held.len(), ids.len());
    let mut asked = command();
    asked.wait_for("is the clock right");
    asked.type_text("y");
    asked.press(Key::Enter);
    assert_eq!(asked.wait_for_end(patience), Some(0));
    let held = library::unlock(&home.vault(), PASSPHRASE).ids().unwrap();
    assert!(held.is_empty());
}
