//! A disk that is full, an identity service that is down, a clock that is set, a second process.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::house::{House, Tokens, claims, cookie, fails, house, send};
use super::revocation::sid;
use crate::support::{Client, free_address};

/// Sets how large a file the process may write; the hard limit stays, so that it can be lifted again.
fn limit_files(house: &House, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let id = house.gateway.pid().to_string();
    let set = Command::new("prlimit")
        .args(["--pid", &id, &limit])
        .status();
    assert!(set.unwrap().success());
}

#[test]
fn a_disk_without_room_refuses_what_must_be_kept_and_takes_nothing_away() {
    let house = house();
    let tokens = house.login();
    let web = cookie(&house.web("/auth/login", None, &[]));
    limit_files(&house, "1");
    let refused = [
        house.try_login(),
        house.refresh(&tokens.refresh),
        house.bearer("POST", "/auth/logout", &tokens.access),
        house.web("/auth/login", None, &[]),
        house.web("/auth/refresh", Some(&web), &[]),
        house.web("/auth/logout", Some(&web), &[]),
    ];
    let told = house
        .gateway
        .metric("tollgate_sessions_total", &["event=\"store_unavailable\""]);
    assert_eq!(told as usize, refused.len());
    for answer in refused {
        fails(&answer, 503, "temporarily_unavailable");
        assert!(answer.field("retry-after").is_some(), "{answer:?}");
        assert_eq!(answer.field("set-cookie"), None);
    }
    assert_eq!(house.api(&tokens.access), 200, "the API goes on");
    limit_files(&house, "unlimited");
    assert_eq!(house.api(&tokens.access), 200);
    let next = house.rotated(&tokens.refresh);
    assert_eq!(house.api(&next.access), 200);
    assert_eq!(house.web("/auth/refresh", Some(&web), &[]).status, 200);
    assert_eq!(
        house.bearer("POST", "/auth/logout", &next.access).status,
        200
    );
    assert_eq!(house.api(&next.access), 401);
}

#[test]
fn a_store_that_does_not_answer_is_not_asked_with_every_request() {
    let house = house();
    let spent = house.login().refresh;
    let access = house.rotated(&spent).access;
    limit_files(&house, "1");
    for _ in 0..30 {
        assert_eq!(house.api(&access), 200);
    }
    let asked = house.gateway.metric(
        "tollgate_store_duration_seconds_count",
        &["operation=\"confirm\""],
    );
    assert!((1.0..10.0).contains(&asked), "{asked} times");
    limit_files(&house, "unlimited");
    // Behind the grace, the spent token counts until the store has heard that the next one arrived.
    house.wait(5);
    let since = Instant::now();
    while house.refresh(&spent).status != 400 {
        assert!(since.elapsed() < Duration::from_secs(20), "never heard");
        assert_eq!(house.api(&access), 200);
    }
}

#[test]
fn what_is_revoked_while_the_disk_is_full_counts_at_once_and_is_kept_when_there_is_room() {
    let mut house = house();
    let [operators, clients, bystander] = [house.login(), house.login(), house.login()];
    limit_files(&house, "1");
    let body = json!({ "session": sid(&operators.access) }).to_string();
    let answer = house.gateway.admin_post("/api/revocations", &body);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.text().contains("counts here already"), "{answer:?}");
    let body = format!("client_id=mobile&token={}", clients.refresh);
    let answer = house.form("/oauth/revoke", &body);
    fails(&answer, 503, "temporarily_unavailable");
    let counts = |house: &House| {
        assert_eq!(house.api(&operators.access), 401);
        assert_eq!(house.api(&clients.access), 401);
        assert_eq!(house.api(&bystander.access), 200);
    };
    counts(&house);
    limit_files(&house, "unlimited");
    house
        .gateway
        .told("that waited for the session store are kept");
    house.restart();
    counts(&house);
    fails(&house.refresh(&operators.refresh), 400, "invalid_grant");
    fails(&house.refresh(&clients.refresh), 400, "invalid_grant");
    house.rotated(&bystander.refresh);
}

#[test]
fn an_identity_service_that_is_down_is_bridged_for_a_while_and_logs_nobody_out() {
    let house = House::with(|config| config.replace("/claims\"", "/claims\"\nstale_ok = \"10s\""));
    let jar = cookie(&house.web("/auth/login", None, &[]));
    let first = house.login().refresh;
    house.service.answers("/claims", 500, &json!(null));
    let second = house.rotated(&first).refresh;
    house.wait(11);
    let refused = house.refresh(&second);
    fails(&refused, 503, "temporarily_unavailable");
    assert!(refused.field("retry-after").is_some());
    let refused = house.web("/auth/refresh", Some(&jar), &[]);
    fails(&refused, 503, "temporarily_unavailable");
    assert_eq!(refused.field("set-cookie"), None);
    house.service.answers("/claims", 204, &json!(null));
    let third = house.rotated(&second).refresh;
    // What it says of somebody else is no outage, and is not bridged.
    let other = json!({ "subject": "u_2", "products": ["crm"] });
    house.service.answers("/claims", 200, &other);
    fails(&house.refresh(&third), 503, "temporarily_unavailable");
    house.service.answers("/claims", 204, &json!(null));
    let fourth = house.rotated(&third);
    assert_eq!(claims(&fourth.access)["rtg"], 3, "each was spent once");
    assert_eq!(house.web("/auth/refresh", Some(&jar), &[]).status, 200);
}

#[test]
fn a_machine_without_root_certificates_asks_its_identity_service_over_plain_http() {
    let mut house = house();
    house.gateway.kill();
    let empty = house.gateway.folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    house.gateway.set("SSL_CERT_FILE", empty.join("absent.pem"));
    house.gateway.set("SSL_CERT_DIR", empty);
    house.gateway.spawn();
    assert_eq!(house.try_login().status, 200);
}

#[test]
fn no_outage_is_bridged_where_the_operator_says_so() {
    let house = House::with(|config| config.replace("/claims\"", "/claims\"\nstale_ok = \"0s\""));
    let token = house.login().refresh;
    house.service.answers("/claims", 500, &json!(null));
    fails(&house.refresh(&token), 503, "temporarily_unavailable");
    house.service.answers("/claims", 204, &json!(null));
    assert_eq!(house.refresh(&token).status, 200);
}

#[test]
fn a_file_that_is_no_store_is_refused_with_what_is_wrong_with_it() {
    let mut house = house();
    house.gateway.kill();
    let folder = house.gateway.folder.path();
    for name in ["sessions.db-wal", "sessions.db-shm"] {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    std::fs::write(folder.join("sessions.db"), "no database".repeat(500)).unwrap();
    let run = house.tollgate(&["run"]);
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("sessions.db cannot be opened: "), "{said}");
    assert!(said.contains("not a database"), "{said}");
}

#[test]
fn what_had_expired_stays_expired_when_the_clock_is_set_back_a_day() {
    let mut house = house();
    let (idle, spent, alive) = (house.login(), house.login(), house.login());
    house.wait(20);
    let second = house.rotated(&spent.refresh);
    let alive = house.rotated(&alive.refresh);
    house.wait(15);
    fails(&house.refresh(&idle.refresh), 400, "invalid_grant");
    house.wait(35);
    let late = house.login();
    house.gateway.kill();
    house.clock.shift(-86_400);
    house.gateway.spawn();
    fails(&house.refresh(&idle.refresh), 400, "invalid_grant");
    fails(&house.refresh(&spent.refresh), 400, "invalid_grant");
    fails(&house.refresh(&second.refresh), 400, "invalid_grant");
    fails(&house.refresh(&alive.refresh), 400, "invalid_grant");
    assert_eq!(house.api(&idle.access), 401, "an access token neither");
    let next = house.rotated(&late.refresh);
    assert_eq!(house.api(&next.access), 200, "who was logged in still is");
    let listed = house.bearer("GET", "/auth/sessions", &next.access).json();
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn nothing_reopens_though_nobody_wrote_before_the_clock_was_set_back() {
    let mut house = house();
    let tokens = house.login();
    house.wait(31);
    // The store learns every five seconds what time it is.
    std::thread::sleep(Duration::from_secs(6));
    house.gateway.kill();
    house.clock.shift(-86_400);
    house.gateway.spawn();
    fails(&house.refresh(&tokens.refresh), 400, "invalid_grant");
}

#[test]
fn a_clock_that_jumps_stops_what_cannot_be_undone_and_nothing_else() {
    let house = house();
    let tokens = house.login();
    for jump in [86_400, -86_400] {
        house.clock.shift(jump);
        for answer in [house.try_login(), house.refresh(&tokens.refresh)] {
            fails(&answer, 503, "temporarily_unavailable");
            assert!(answer.field("retry-after").is_some());
        }
        assert_eq!(house.jwks().status, 200);
        house.clock.shift(-jump);
        assert_eq!(house.try_login().status, 200, "the time is right again");
    }
}

#[test]
fn a_clock_that_is_set_back_a_little_keeps_nobody_out() {
    let rate = |config: String| config.replace(r#"login = "1000/s""#, r#"login = "5/s""#);
    let house = House::with(rate);
    house.login();
    // The gateway's time stands still until the system's is there again.
    house.clock.shift(-240);
    let is_limited = || house.try_login().status == 429;
    assert!((0..100).any(|_| is_limited()), "the burst is used up");
    let began = Instant::now();
    while is_limited() {
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "nothing comes back"
        );
    }
}

#[test]
fn two_processes_on_one_store_hear_of_each_other_within_a_second() {
    let old = house();
    let text = std::fs::read_to_string(old.gateway.config_path()).unwrap();
    let (public, admin) = (free_address(), free_address());
    let text = text
        .replace(&old.gateway.public.to_string(), &public.to_string())
        .replace(&old.gateway.admin.to_string(), &admin.to_string())
        .replace("access.log", "second.log");
    let path = old.gateway.folder.path().join("second.toml");
    std::fs::write(&path, text).unwrap();
    let mut second = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    second.args(["run", "--config"]).arg(&path);
    second.envs(old.clock.variables());
    second
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let new = Killed(second.spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(public).is_err() {
        assert!(Instant::now() < deadline, "the second process starts");
        std::thread::sleep(Duration::from_millis(20));
    }
    let tokens = old.login();
    let ask = |method: &str, path: &str, fields: &[&str], body: &str| {
        let mut client = Client::connect(public);
        send(&mut client, method, path, fields, body);
        client.answer_to(method).unwrap()
    };
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    let body = format!(
        "grant_type=refresh_token&client_id=mobile&refresh_token={}",
        tokens.refresh
    );
    let next = Tokens::of(&ask("POST", "/oauth/token", &form, &body));
    let bearer = format!("Authorization: Bearer {}", next.access);
    let mut kept_alive = old.gateway.client();
    send(&mut kept_alive, "GET", "/crm/x", &[&bearer], "");
    assert_eq!(kept_alive.answer().unwrap().status, 200);
    let logout = [&*bearer, "Content-Type: application/json"];
    assert_eq!(ask("POST", "/auth/logout", &logout, "{}").status, 200);
    let deadline = Instant::now() + Duration::from_secs(1);
    loop {
        send(&mut kept_alive, "GET", "/crm/x", &[&bearer], "");
        if kept_alive.answer().unwrap().status == 401 {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "the old process lets it pass a second later"
        );
    }
    fails(&old.refresh(&next.refresh), 400, "invalid_grant");
    drop(new);
    assert_eq!(old.try_login().status, 200);
}

struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _gone_already = self.0.wait();
    }
}
