//! What lies in the folder, or is none of a vault's: strangers, links, folders that can't
//! be read.

use super::*;

#[test]
fn links_are_removed_and_not_followed_and_strangers_are_left() {
    let (home, open) = new_vault();
    let dir = open.vault().dir().to_owned();
    drop(open);
    let outside = home.path().join("mine.age");
    let folder = home.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(&outside, "mine").unwrap();
    fs::write(folder.join("mine.rec"), "mine").unwrap();
    std::os::unix::fs::symlink(&outside, dir.join("keys/linked.age")).unwrap();
    fs::remove_dir(dir.join("inbox")).ok();
    std::os::unix::fs::symlink(&folder, dir.join("inbox")).unwrap();
    fs::write(dir.join("letter.txt"), "mine").unwrap();
    let receipt = wipe(&Site::new(&dir, None), &mut nobody).unwrap();
    assert_eq!(receipt.not_final, None);
    for file in [outside, folder.join("mine.rec"), dir.join("letter.txt")] {
        assert_eq!(fs::read(&file).unwrap(), b"mine", "{}", file.display());
    }
    let told = |text: &str| {
        receipt
            .not_erased
            .iter()
            .any(|left| left.where_.ends_with(text))
    };
    assert!(told("letter.txt") && told("keys/linked.age"), "{receipt:?}");
    // The folder too, and where it led: what is there is for others to destroy.
    assert!(told("vault/inbox"), "{receipt:?}");
    let led = |left: &crate::vault::NotErased| left.why.ends_with(&*folder.to_string_lossy());
    assert!(receipt.not_erased.iter().any(led), "{receipt:?}");
    assert!(fs::symlink_metadata(dir.join("inbox")).is_err());
    assert!(matches!(require(&dir), Err(Error::NoVault { .. })));
}

#[test]
fn a_directory_that_is_no_vault_is_left_alone_whatever_its_files_are_called() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("dotfiles");
    let files = ["keys/deploy.age", "inbox/x.rec", "reserve", "init", "lock"];
    for folder in ["keys", "inbox"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
    }
    for file in files {
        fs::write(dir.join(file), "mine").unwrap();
    }
    fs::write(dir.join("gate"), "").unwrap();
    let refused = wipe(&Site::new(&dir, None), &mut nobody);
    assert!(matches!(refused, Err(Error::NoVault { .. })), "{refused:?}");
    assert!(matches!(require(&dir), Err(Error::NoVault { .. })));
    for file in files {
        assert_eq!(fs::read(dir.join(file)).unwrap(), b"mine", "{file}");
    }
    // The control: with both locks empty it is what a wipe left that was cut short.
    fs::write(dir.join("lock"), "").unwrap();
    require(&dir).unwrap();
    let receipt = wipe(&Site::new(&dir, None), &mut nobody).unwrap();
    assert_eq!(receipt.not_final, None);
    assert!(!dir.join("keys").exists() && !dir.join("lock").exists());
    assert_eq!(fs::read(dir.join("init")).unwrap(), b"mine");
    let named = |text: &str| {
        let mut lines = receipt.not_erased.iter();
        lines.any(|left| left.where_.ends_with(text))
    };
    assert!(named("/init"), "{receipt:?}");
}

#[test]
fn a_folder_that_cannot_be_listed_is_named_and_the_rest_is_destroyed() {
    for (closed, leaves) in [
        ("/vault/keys", "/vault/keys/passphrase.age"),
        ("/vault/inbox", ".rec"),
        ("/vault", "bag."),
    ] {
        let disk = simulated();
        let odd = Odd {
            disk: disk.clone(),
            closed: Some(closed.into()),
            back: Vec::new(),
        };
        for _ in 0..2 {
            let receipt = wipe(&site_on(odd.clone()), &mut nobody).unwrap();
            let why = receipt.not_final.unwrap();
            assert!(
                why.contains(&format!("{closed}: it can't be listed")),
                "{why}"
            );
            assert_eq!(receipt.not_erased[0].where_, closed);
            let left = disk.files();
            let is_left = |text: &str| {
                left.keys()
                    .any(|path| path.to_string_lossy().contains(text))
            };
            assert!(is_left(leaves), "the control: {left:?}");
            assert!(!is_left("root.") && !is_left("store.redb"));
            assert!(opens(&disk).is_err());
        }
    }
    // Once it can be listed, once more finishes it.
    let disk = simulated();
    let odd = Odd {
        disk: disk.clone(),
        closed: Some("/vault/keys".into()),
        back: Vec::new(),
    };
    wipe(&site_on(odd), &mut nobody).unwrap();
    assert_eq!(wipe(&site(&disk), &mut nobody).unwrap().not_final, None);
    is_gone(&disk);
}

#[test]
fn a_directory_that_may_not_be_looked_into_is_not_said_to_be_without_a_vault() {
    let disk = SimDisk::default();
    let odd = Odd {
        disk: disk.clone(),
        closed: Some("/vault".into()),
        back: Vec::new(),
    };
    let refused = wipe(&site_on(odd), &mut nobody).unwrap_err();
    let is_told = matches!(&refused, Error::Io { path, .. } if path == Path::new("/vault"));
    assert!(is_told, "{refused:?}");
    let failure = crate::error::Failure::from(refused);
    assert_eq!(failure.exit, Exit::Failed);
    assert!(
        failure.why.to_lowercase().contains("permission"),
        "{failure}"
    );
    let refused = wipe(&site(&disk), &mut nobody);
    let is_none = matches!(refused, Err(Error::NoVault { .. }));
    assert!(is_none, "the control: {refused:?}");
}
