//! The README keeps its word: its tour shows what it says, every TOML block passes `check`, and the reference file does.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Gateway, Process, output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn readme() -> String {
    fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap()
}

/// The first block of `language` behind `heading`.
fn block_behind(readme: &str, heading: &str, language: &str) -> String {
    let (_, behind) = readme.split_once(heading).expect(heading);
    let fence = format!("```{language}\n");
    let (_, block) = behind.split_once(&fence).expect("a block");
    block.split("```").next().unwrap().to_owned()
}

/// What a shell prints that finds `tollgate` on its path.
fn shell(script: &str, folder: &Path) -> String {
    let tollgate = Path::new(env!("CARGO_BIN_EXE_tollgate"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", tollgate.parent().unwrap().display());
    let mut bash = Command::new("bash");
    output(
        bash.args(["-ec", script])
            .env("PATH", path)
            .current_dir(folder),
    )
}

#[test]
fn the_tour_shows_what_it_says() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    // It is killed in the end, and then what it wrote stays.
    let folder = tempfile::tempdir().unwrap();
    demo.env("TMPDIR", folder.path());
    let mut demo = Process::spawn(demo.args(["demo", "--port", "0", "--admin-port", "0"]));
    let first = demo.line();
    let (_, address) = first.split_once("http://").expect("an address");
    let address = address.split(',').next().unwrap();

    let readme = readme();
    let (_, tour) = readme.split_once("## Five minutes").unwrap();
    let (tour, _) = tour.split_once("\n## ").unwrap();
    let blocks = tour.split("```sh\n").skip(1);
    let script: String = blocks
        .map(|block| block.split("```").next().unwrap())
        .collect();
    let script = script
        .replace("127.0.0.1:8080", address)
        .replace("target/release/tollgate", "tollgate");
    let mut expected = 0;
    let said = shell(&format!("{} || true", script.trim_end()), Path::new(ROOT));
    for line in script.lines().filter(|line| line.starts_with("curl")) {
        let (_, promise) = line.split_once(" # ").expect("what it shows");
        let mut words = promise.split([' ', ',']);
        let (status, reason) = (words.next().unwrap(), words.next().unwrap());
        assert!(
            said.contains(&format!("HTTP/1.1 {status} ")),
            "{line}\n{said}"
        );
        if status != "200" {
            assert!(
                said.contains(&format!("\"reason\":\"{reason}\"")),
                "{line}\n{said}"
            );
        }
        expected += 1;
    }
    assert!(expected >= 4, "{script}");
    assert_eq!(said.matches("HTTP/1.1 ").count(), expected, "{said}");
    assert!(said.contains("\"X-Identity-Subject\": \"ada\""), "{said}");
    assert!(
        said.contains("verdict     refuse  product_missing"),
        "{said}"
    );
}

/// The digest is the one that the gate makes of the same (`control::hook`).
#[test]
fn the_readme_tells_how_a_hook_checks_its_calls() {
    let recipe = block_behind(&readme(), "### The identity service", "sh");
    let digest = "b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163";
    let said = shell(&recipe, Path::new(ROOT));
    assert!(said.contains(digest), "{said}");
}

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
    let readme = readme();
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
    shell(
        &block_behind(&readme, "### The session side", "sh"),
        folder.path(),
    );
    for block in blocks {
        let path = folder.path().join("gateway.toml");
        fs::write(&path, block).unwrap();
        assert_eq!(check(&path).0, Some(0), "{}\n{block}", check(&path).1);
    }
}

#[test]
fn the_readme_names_metrics_and_log_fields_that_there_are() {
    let gateway = Gateway::start(OPEN, &[]);
    let answer = gateway.get("/", &[]);
    let line = gateway.log_line(answer.field("x-request-id").unwrap());
    let readme = readme();
    let (_, logs) = readme.split_once("- **Logs**").unwrap();
    let (logs, metrics) = logs.split_once("- **Metrics**").unwrap();
    for name in line.as_object().unwrap().keys() {
        assert!(logs.contains(&format!("`{name}`")), "{name}: {line}");
    }
    let families = include_str!("../../src/telemetry/families.rs");
    let (metrics, _) = metrics.split_once("\n- ").unwrap();
    for name in metrics
        .split('`')
        .filter(|word| word.starts_with("tollgate_"))
    {
        let name = name.split('{').next().unwrap();
        assert!(families.contains(&format!("\"{name}\"")), "{name}");
    }
}

const OPEN: &str = r#"
[upstreams.gone]
servers = ["127.0.0.1:1"]
[routes.all]
path = "/*"
access = "public"
upstream = "gone"
"#;

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
