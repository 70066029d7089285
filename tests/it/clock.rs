//! A machine whose clock is behind: what comes in is dated by the latest time that the
//! vault has seen, good dates of files are kept, and it is said.
//!
//! The program's clock is this machine's, so it is the vault that lies ahead here.

use std::fs::File;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use voxvault::recording::Moment;
use voxvault::vault::site::{Clock, Site};

use crate::support::prepared::quick_home;
use crate::support::sound::Pcm;
use crate::support::{Home, PASSPHRASE, library};

const DAY: Duration = Duration::from_hours(24);

/// A home whose vault was seen last so long after now, and that moment.
fn home_ahead(by: Duration) -> (Home, String) {
    let home = Home::new();
    let seen = SystemTime::now() + by;
    let since = seen.duration_since(UNIX_EPOCH).unwrap();
    let at = Moment {
        unix_ms: i64::try_from(since.as_millis()).unwrap(),
        offset_s: 0,
    };
    let site = Site::new(&home.vault(), None).with_clock(Clock::new(move || at));
    drop(library::init(site));
    for root in ["root.a", "root.b"] {
        let file = File::options().write(true).open(home.vault().join(root));
        file.unwrap().set_modified(seen).unwrap();
    }
    (home, day_of(seen))
}

fn day_of(moment: SystemTime) -> String {
    let moment = jiff::Timestamp::try_from(moment).unwrap();
    let moment = moment.to_zoned(jiff::tz::TimeZone::system());
    moment.strftime("%Y-%m-%d").to_string()
}

#[test]
fn what_a_clock_that_is_behind_records_is_dated_by_what_the_vault_has_seen() {
    let (home, seen) = home_ahead(40 * DAY);
    let doctor = home.voxvault(["doctor", "--json"]).locked().run().json();
    let checks = doctor["checks"].as_array().unwrap().iter();
    let clock = checks.clone().find(|check| check["name"] == "clock");
    let clock = clock.unwrap();
    assert_eq!(clock["ok"], false, "{clock}");
    assert!(clock["found"].to_string().contains(&seen), "{clock}");

    let tone = Pcm::tone(16_000, 1.0).wav();
    let record = ["record", "-", "--title", "spoken", "--no-transcribe"];
    let recorded = home.voxvault(record).locked().stdin(tone).run().ok();
    assert!(recorded.stderr.contains("the clock says"), "{recorded}");
    // A date that this clock takes for one that is still to come, and no date at all.
    let day = day_of(SystemTime::now() + 20 * DAY);
    let later = home.write(
        &format!("{day} 10.11.12.wav"),
        &Pcm::tone(16_000, 1.1).wav(),
    );
    let dateless = home.write("memo.wav", &Pcm::tone(16_000, 1.2).wav());
    let changed = SystemTime::now() + 400 * DAY;
    for file in [&later, &dateless] {
        let file = File::options().write(true).open(file).unwrap();
        file.set_modified(changed).unwrap();
    }
    let [later, dateless] = [later, dateless].map(|file| file.display().to_string());
    let import = ["import", &later, &dateless, "--no-transcribe"];
    let imported = home.voxvault(import).run().ok();

    let listed = home.voxvault(["list", "--json"]).run().ok();
    assert!(
        imported.stderr.contains("it is dated by that"),
        "{imported}"
    );
    assert!(listed.stderr.contains("--clock-is-right"), "{listed}");
    let all = library::unlock(&home.vault(), PASSPHRASE)
        .recordings()
        .unwrap();
    let date = |title: &str| {
        let one = all.iter().find(|one| one.card.title == title);
        let card = &one.unwrap_or_else(|| panic!("{title}: {listed}")).card;
        let since = |moment: Moment| Duration::from_millis(moment.unix_ms.unsigned_abs());
        [card.recorded_at, card.added_at].map(|moment| day_of(UNIX_EPOCH + since(moment)))
    };
    assert_eq!(date("spoken"), [seen.clone(), seen.clone()]);
    assert_eq!(date("memo"), [seen.clone(), seen.clone()]);
    assert_eq!(date(&format!("{day} 10.11.12")), [day, seen]);
}

#[test]
fn the_times_of_the_vaults_files_date_nothing() {
    let home = quick_home();
    let copied = SystemTime::now() + 800 * DAY;
    let today = SystemTime::now();
    for (name, seconds) in [("open", 1.1), ("locked", 1.2)] {
        for root in ["root.a", "root.b"] {
            let file = File::options().write(true).open(home.vault().join(root));
            file.unwrap().set_modified(copied).unwrap();
        }
        let file = home.write(&format!("{name}.wav"), &Pcm::tone(16_000, seconds).wav());
        let later = File::options().write(true).open(&file).unwrap();
        later.set_modified(today + 400 * DAY).unwrap();
        let file = file.display().to_string();
        let import = home.voxvault(["import", &file, "--no-transcribe"]);
        let import = match name {
            "locked" => import.locked(),
            _ => import,
        };
        let imported = import.run().ok();
        assert!(imported.stderr.contains("the clock says"), "{imported}");
    }
    let open = library::unlock(&home.vault(), PASSPHRASE);
    open.merge().unwrap();
    let all = open.recordings().unwrap();
    assert_eq!(all.len(), 2);
    for one in all {
        for at in [one.card.recorded_at, one.card.added_at] {
            let at = UNIX_EPOCH + Duration::from_millis(at.unix_ms.unsigned_abs());
            assert!(at < today + DAY, "{}: {at:?}", one.card.title);
        }
    }
}

#[test]
fn a_clock_that_is_a_few_hours_behind_is_taken_at_its_word() {
    let (home, _) = home_ahead(DAY / 12);
    let tone = Pcm::tone(16_000, 1.0).wav();
    let record = ["record", "-", "--no-transcribe"];
    let recorded = home.voxvault(record).stdin(tone).run().ok();
    assert!(!recorded.stderr.contains("clock"), "{recorded}");
    let recorded_at = home.list()[0]["recorded_at"].as_str().unwrap().to_owned();
    let moment: jiff::Timestamp = recorded_at.parse().unwrap();
    assert!(SystemTime::from(moment) <= SystemTime::now());
}
