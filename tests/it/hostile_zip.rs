//! Archives that mean no good are refused with a reason, and what is sound in them is
//! taken.

use super::support::Home;
use super::support::prepared::quick_home;
use super::support::sound::Pcm;
use super::support::zip::{Packed, deflated, stored};

fn wav(number: u32) -> Vec<u8> {
    Pcm::tone(16_000, 1.0 + f64::from(number) / 100.0).wav()
}

fn sound(name: &str, number: u32) -> Packed {
    Packed::new(name, &wav(number))
}

/// Imports an archive that is refused whole; what was said.
fn refused_whole(home: &Home, bytes: &[u8]) -> String {
    home.write("x.zip", bytes);
    let run = home
        .voxvault(["import", "x.zip", "--json"])
        .run()
        .ended_with(1);
    let told = run.json();
    assert!(told["recordings"].as_array().unwrap().is_empty(), "{run}");
    told["refused"][0]["why"].as_str().unwrap().to_owned()
}

#[test]
fn one_bad_entry_costs_itself_only() {
    let home = quick_home();
    let mut encrypted = sound("encrypted.wav", 2);
    encrypted.flags |= 1;
    let mut link = Packed::new("link.wav", b"/etc/passwd");
    link.mode = 0o120_777;
    let mut lying = sound("lying.wav", 3);
    lying.claimed += 100;
    let mut bomb = sound("bomb.wav", 4);
    bomb.claimed = 0xf000_0000;
    let entries = [
        sound("good.wav", 0),
        sound("../up.wav", 1),
        sound("/etc/absolute.wav", 1),
        sound("C:drive.wav", 1),
        sound("back\\slash.wav", 1),
        encrypted,
        link,
        lying,
        bomb,
        Packed::new("inner.zip", &deflated(&[("a.wav", &wav(5))])),
        sound("Same.wav", 6),
        sound("same.WAV", 7),
    ];
    home.write("x.zip", &stored(&entries));
    let run = home
        .voxvault(["import", "x.zip", "--json"])
        .run()
        .ended_with(1);
    let told = run.json();
    assert_eq!(told["recordings"].as_array().unwrap().len(), 1, "{run}");
    assert_eq!(told["recordings"][0]["file"], "x.zip: good.wav");
    let refused: Vec<(&str, &str)> = told["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["file"].as_str().unwrap(), one["why"].as_str().unwrap()))
        .collect();
    for (name, why) in [
        ("../up.wav", "leads out"),
        ("/etc/absolute.wav", "leads out"),
        ("C:drive.wav", "leads out"),
        ("back\\slash.wav", "leads out"),
        ("encrypted.wav", "encrypted"),
        ("link.wav", "a link"),
        ("lying.wav", ""),
        ("bomb.wav", "it unpacks from"),
        ("inner.zip", "an archive itself"),
        ("Same.wav", "but for its case"),
        ("same.WAV", "but for its case"),
    ] {
        let file = format!("x.zip: {name}");
        let found = refused.iter().find(|(shown, _)| *shown == file);
        let (_, told) = found.unwrap_or_else(|| panic!("{name} was not refused\n{run}"));
        assert!(told.contains(why), "{name}: {told}");
    }
    assert_eq!(refused.len(), 11, "{run}");
    assert!(!home.path("up.wav").exists() && !home.path("../up.wav").exists());
}

#[test]
fn a_directory_that_is_not_to_be_trusted_costs_the_archive() {
    let home = quick_home();
    let twice = [sound("a.wav", 0), sound("a.wav", 1)];
    assert!(refused_whole(&home, &stored(&twice)).contains("same name"));

    let one = stored(&[sound("a.wav", 0)]);
    for cut in [one.len() - 1, one.len() / 2, 30, 4] {
        assert!(
            !refused_whole(&home, &one[..cut]).is_empty(),
            "cut at {cut}"
        );
    }

    // Two entries of different names in the same place.
    let mut over = stored(&[sound("a.wav", 0), sound("b.wav", 1)]);
    let second = over
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x01\x02")
        .unwrap();
    over[second + 42..second + 46].copy_from_slice(&[0; 4]);
    assert!(!refused_whole(&home, &over).is_empty());

    let mut many = stored(&[sound("a.wav", 0)]);
    let end = many
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x05\x06")
        .unwrap();
    let mut record = b"PK\x06\x06".to_vec();
    record.extend(44u64.to_le_bytes());
    record.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    record.extend(5_000_000u64.to_le_bytes());
    record.extend(5_000_000u64.to_le_bytes());
    record.extend(300_000_000u64.to_le_bytes());
    record.extend(0u64.to_le_bytes());
    let mut locator = b"PK\x06\x07\0\0\0\0".to_vec();
    locator.extend((end as u64).to_le_bytes());
    locator.extend(1u32.to_le_bytes());
    many.splice(end..end, [record, locator].concat());
    assert!(refused_whole(&home, &many).contains("5000000 entries"));

    let entries: Vec<Packed> = (0..2).map(|n| sound(&format!("{n}.wav"), n)).collect();
    home.write("good.zip", &stored(&entries));
    let good = home.voxvault(["import", "good.zip"]).run().ok();
    assert_eq!(good.text().lines().count(), 2, "the control is taken");
}

#[test]
fn an_archive_that_is_damaged_anywhere_is_taken_or_refused_and_nothing_else() {
    let home = quick_home();
    let whole = deflated(&[
        ("a.wav", &wav(0)),
        ("a.srt", b"1\n00:00:00,000 --> 00:00:01,000\nhi\n"),
    ]);
    let mut taken = 0;
    for place in (0..whole.len()).step_by(whole.len() / 24) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x55;
        home.write("x.zip", &bytes);
        let run = home.voxvault(["import", "x.zip"]).locked().run();
        assert!(matches!(run.code(), Some(0 | 1)), "byte {place}: {run}");
        assert!(!run.stderr.contains("panicked"), "byte {place}: {run}");
        taken += run.text().lines().count();
    }
    assert!(taken < 24, "damage in the sound was not noticed");
}

#[test]
fn long_sound_comes_out_of_an_archive_as_a_stream_whole_or_not_at_all() {
    let home = quick_home();
    // More than is read into memory at once, of which little is sound.
    const JUNK_BYTES: u32 = 33 << 20;
    let sound = wav(0);
    let mut file = sound[..12].to_vec();
    file.extend(b"JUNK");
    file.extend(JUNK_BYTES.to_le_bytes());
    file.resize(file.len() + JUNK_BYTES as usize, 0);
    file.extend(&sound[12..]);
    // Behind the sound, where nobody looks for more of it.
    file.extend(b"note\x20\0\0\0a remark of some programs ........");
    let whole = deflated(&[("2019-05-03 14.23.12.wav", &file)]);
    home.write("x.zip", &whole);
    let told = home
        .voxvault(["import", "x.zip", "--json"])
        .run()
        .ok()
        .json();
    assert_eq!(told["recordings"][0]["duration_s"], 1.0);
    assert_eq!(home.list()[0]["recorded_at"], "2019-05-03T14:23:12+00:00");

    let directory = whole
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x01\x02")
        .unwrap();
    let other = quick_home();
    for (what, place) in [("its checksum", 16), ("its length", 24)] {
        let mut bytes = whole.clone();
        bytes[directory + place] ^= 2;
        other.write("x.zip", &bytes);
        let run = other.voxvault(["import", "x.zip"]).run().ended_with(1);
        assert!(run.stdout.is_empty(), "{what}: {run}");
        assert!(run.stderr.contains("x.zip"), "{what}: {run}");
    }
    assert!(other.list().is_empty());
}
