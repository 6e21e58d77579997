//! The invariants that the compiler does not see.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors from the ground up; rooms of one line stand side by side.
const FLOORS: [&[&str]; 13] = [
    &["principal", "secret", "time"],
    &["token"],
    &["policy", "session", "traffic", "wire"],
    &["identity"],
    &["config"],
    &["gate"],
    &["telemetry", "store"],
    &["control"],
    &["api"],
    &["proxy"],
    &["server"],
    &["cli"],
    &["main"],
];

/// What tests of several rooms share; not part of the house.
const TEST_ROOM: &str = "corpus";

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|rooms| rooms.contains(&room))
        .unwrap_or_else(|| panic!("`{room}` is on no floor"))
}

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert!(
        found.len() > 40,
        "the house is larger than {} files",
        found.len()
    );
    found
}

fn room_of(path: &Path) -> String {
    let inside = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The rooms that a source imports by `crate::room`.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| {
        line.match_indices("crate::")
            .map(move |(at, _)| &line[at + 7..])
    })
    .map(|rest| {
        rest.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or_default()
    })
    .filter(|room| !room.is_empty() && *room != TEST_ROOM)
}

#[test]
fn no_room_imports_a_room_on_its_floor_or_above() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let room = room_of(&path);
        if room == "lib" {
            continue;
        }
        for other in imports(&text).filter(|other| *other != room) {
            if floor(other) >= floor(&room) {
                wrong.push(format!("{} imports crate::{other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_what_it_knows() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn lib_defines_and_exports_nothing_but_rooms() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let house = text
        .split("// What the rooms' own tests share")
        .next()
        .unwrap_or_default();
    let code = house
        .lines()
        .filter(|line| !line.starts_with("//!") && !line.is_empty() && !line.starts_with("#["));
    let other: Vec<_> = code
        .filter(|line| !(line.starts_with("pub mod ") && line.ends_with(';')))
        .collect();
    assert!(other.is_empty(), "{other:#?}");
}

#[test]
fn a_door_holds_no_furniture() {
    for (path, text) in sources()
        .into_iter()
        .filter(|(path, _)| path.ends_with("mod.rs"))
    {
        let furniture = ["fn ", "struct ", "enum ", "impl ", "trait "];
        let found = text.lines().find(|line| {
            furniture.iter().any(|word| {
                line.trim_start()
                    .trim_start_matches("pub ")
                    .starts_with(word)
            })
        });
        assert_eq!(found, None, "{} defines something", path.display());
    }
}

#[test]
fn the_readme_lists_every_reason() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for reason in tollgate::gate::Reason::ALL {
        assert!(
            readme.contains(&format!("`{}`", reason.as_str())),
            "the README does not name {}",
            reason.as_str()
        );
    }
}

#[test]
fn the_binary_holds_no_key_material() {
    // How PKCS#8 and SEC 1 keys begin in base64, and a private JWK.
    let markers = [
        "MIIEv", "MIIEo", "MIGHAgEA", "MIG2AgEA", "MC4CAQAw", "MHcCAQEE", "\"d\":\"",
    ];
    for (path, text) in sources()
        .into_iter()
        .filter(|(path, _)| !path.to_string_lossy().contains("tests"))
    {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for marker in markers {
            assert!(!code.contains(marker), "{} holds {marker}", path.display());
        }
    }
}
