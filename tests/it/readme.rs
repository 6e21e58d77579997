//! The README keeps its word: every TOML block passes `check`, and the reference file does.

use std::fs;
use std::path::Path;
use std::process::Command;

use tollgate::token::{Algorithm, SigningKey};

fn check(path: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["check", "--config"])
        .arg(path)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn every_configuration_in_the_readme_passes_check() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks: Vec<&str> = readme
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(
        blocks.len() >= 3,
        "the README shows {} configurations",
        blocks.len()
    );
    let folder = tempfile::tempdir().unwrap();
    let pem = |algorithm| SigningKey::generate_pem(algorithm).unwrap();
    fs::write(
        folder.path().join("sign.pem"),
        pem(Algorithm::Es256).expose(),
    )
    .unwrap();
    fs::write(
        folder.path().join("identity.pem"),
        pem(Algorithm::EdDsa).expose(),
    )
    .unwrap();
    for secret in ["refresh.key", "admin.token", "hook.secret"] {
        fs::write(
            folder.path().join(secret),
            "00112233445566778899aabbccddeeff".repeat(2),
        )
        .unwrap();
    }
    for block in blocks {
        let path = folder.path().join("gateway.toml");
        fs::write(&path, block).unwrap();
        assert_eq!(check(&path).0, Some(0), "{}\n{block}", check(&path).1);
    }
}

#[test]
fn the_reference_passes_check() {
    let (code, said) = check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("gateway.toml"));
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn check_tells_faults_from_a_file_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    assert_eq!(check(&path).0, Some(2));
    fs::write(&path, "[routes.x]\npath = \"/x\"\n").unwrap();
    let (code, said) = check(&path);
    assert_eq!(code, Some(1));
    assert!(said.contains("gateway.toml:1:"), "{said}");
}
