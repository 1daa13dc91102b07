//! Backups: what comes back is what was there, and nothing that is there is ever overwritten.

use std::path::{Path, PathBuf};

use crate::platform::small_channel;
use crate::server::{Data, Server};

fn platform() -> Data {
    let data = Data::new();
    let events = data.file("events.ndjson", small_channel());
    data.import(&[&events], &["--seal"]);
    data.key(&["operator"]);
    Server::start(&data).stop();
    data
}

fn place(data: &Data, name: &str) -> PathBuf {
    data.path().with_file_name(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn refused(data: &Data, arguments: &[&str], part: &str) {
    let output = data.run(arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && message.contains(part), "{part}: {message}");
}

#[test]
fn a_backup_holds_no_secret_unless_asked_for() {
    let data = platform();
    let (plain, with_keys) = (place(&data, "plain"), place(&data, "with-keys"));
    let made = data.run(&["backup", text(&plain)]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(String::from_utf8_lossy(&made.stderr).contains("data.noise-key"), "it says what to keep besides");
    data.json(&["backup", text(&with_keys), "--with-keys"]);
    for name in ["viewer-key", "noise-key"] {
        let key = std::fs::read(data.path().with_extension(name)).unwrap();
        assert!(!crate::world::any_file_holds(&plain, &key), "{name}");
        assert_eq!(std::fs::read(with_keys.join("keys").join(name)).unwrap(), key, "{name}");
    }
    assert!(plain.join("data/keys.json").exists());
}

#[test]
fn a_backup_without_keys_comes_back_only_beside_them() {
    let data = platform();
    let backup = place(&data, "backup");
    data.json(&["backup", text(&backup)]);
    let fresh = Data::new();
    refused(&fresh, &["restore", text(&backup)], "the viewer key file");
    assert_eq!(std::fs::read_dir(fresh.path()).unwrap().count(), 0, "what was not restored leaves nothing");
    let put = |name: &str| std::fs::copy(data.path().with_extension(name), fresh.path().with_extension(name)).unwrap();
    put("viewer-key");
    refused(&fresh, &["restore", text(&backup)], "noise-key is missing");
    put("noise-key");
    fresh.json(&["restore", text(&backup)]);
    assert_eq!(fresh.json(&["verify"]), data.json(&["verify"]));
    assert_eq!(fresh.json(&["key", "list"]), data.json(&["key", "list"]));
    Server::start(&fresh).stop();
}

#[test]
fn nothing_is_ever_overwritten() {
    let data = platform();
    let backup = place(&data, "backup");
    data.json(&["backup", text(&backup), "--with-keys"]);
    refused(&data, &["backup", text(&backup)], "is not empty");
    refused(&data, &["restore", text(&backup)], "is not empty");
    // Keys of another platform where the backup's would go.
    let other = platform();
    std::fs::remove_dir_all(other.path()).unwrap();
    let key = std::fs::read(other.path().with_extension("viewer-key")).unwrap();
    refused(&other, &["restore", text(&backup)], "the viewer key is not the one");
    assert_eq!(std::fs::read(other.path().with_extension("viewer-key")).unwrap(), key);
    assert_eq!(data.json(&["verify"])["events"], 60);
}

#[test]
fn what_is_no_whole_backup_is_refused() {
    let data = platform();
    let (backup, fresh) = (place(&data, "backup"), Data::new());
    data.json(&["backup", text(&backup), "--with-keys"]);
    refused(&fresh, &["restore", text(&place(&data, "nowhere"))], "holds no finished backup");
    refused(&fresh, &["restore", text(&data.path())], "holds no finished backup");
    std::fs::remove_file(backup.join("data/generation")).unwrap();
    refused(&fresh, &["restore", text(&backup)], "nothing was restored");
    assert_eq!(std::fs::read_dir(fresh.path()).unwrap().count(), 0);
}
