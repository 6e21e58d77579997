//! Many at once, and kills in between: whoever holds the newest token he was given stays logged in, chains have one end,
//! and what was revoked stays revoked.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::house::{House, claims, login, post, refresh, text};
use super::line::Line;
use crate::support::{ADMIN_TOKEN, Answer};

const CALLERS: usize = 50;

fn refresh_in_parallel(rounds: u32) {
    let house = House::start();
    let mut token = text(&house.login(), "refresh_token").to_owned();
    let mut lines: Vec<Line> = (0..CALLERS)
        .map(|_| Line::new(house.gateway.public))
        .collect();
    for round in 1..=rounds {
        let answers = ask_at_once(&mut lines, &refresh(&token));
        let successors: HashSet<String> = answers
            .iter()
            .map(|answer| {
                assert_eq!(answer.status, 200, "round {round}: {answer:?}");
                let tokens = answer.json();
                assert_eq!(claims(text(&tokens, "access_token"))["rtg"], round);
                text(&tokens, "refresh_token").to_owned()
            })
            .collect();
        assert_eq!(successors.len(), 1, "round {round}: {successors:?}");
        let successor = successors.into_iter().next().unwrap();
        assert_ne!(successor, token);
        token = successor;
    }
    assert_eq!(house.events("refresh"), rounds, "a rotation each round");
    assert_eq!(house.events("replay"), rounds * (CALLERS as u32 - 1));
}

/// Sends one request on every line at the same moment.
fn ask_at_once(lines: &mut [Line], request: &str) -> Vec<Answer> {
    let together = Barrier::new(lines.len());
    thread::scope(|scope| {
        let callers: Vec<_> = lines
            .iter_mut()
            .map(|line| {
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    line.ask(request)
                })
            })
            .collect();
        let answers = callers.into_iter().map(|caller| caller.join().unwrap());
        answers.map(|answer| answer.expect("an answer")).collect()
    })
}

#[test]
fn fifty_callers_with_one_token_get_one_successor_each_round() {
    refresh_in_parallel(100);
}

#[test]
#[ignore = "a thousand rounds take minutes"]
fn fifty_callers_with_one_token_get_one_successor_each_of_a_thousand_rounds() {
    refresh_in_parallel(1000);
}

/// What the threads of a storm share.
struct Storm {
    up: Mutex<bool>,
    is_up: Condvar,
    is_over: AtomicBool,
    refreshed: AtomicU64,
    cut: AtomicU64,
    gone: Mutex<Vec<Gone>>,
}

/// A session that was ended, and the 200 that said so.
struct Gone {
    access: String,
    refresh: String,
    how: &'static str,
}

impl Storm {
    fn new() -> Self {
        Self {
            up: Mutex::new(true),
            is_up: Condvar::new(),
            is_over: AtomicBool::new(false),
            refreshed: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            gone: Mutex::new(Vec::new()),
        }
    }

    /// Nobody knocks while nobody listens: a port without a listener may be given away.
    fn wait_until_up(&self) {
        let up = self.up.lock().unwrap();
        drop(self.is_up.wait_while(up, |up| !*up).unwrap());
    }

    fn set_up(&self, up: bool) {
        *self.up.lock().unwrap() = up;
        self.is_up.notify_all();
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.set_up(true);
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Asks until there is an answer; also says whether a connection was cut before. A 503 asks to come again, and nothing was
    /// spent: on a machine that has no time left a store may be too slow.
    fn ask(&self, line: &mut Line, request: &str) -> Option<(Answer, bool)> {
        let mut was_cut = false;
        while self.goes_on() {
            self.wait_until_up();
            match line.ask(request) {
                Some(answer) if answer.status == 503 => thread::sleep(PAUSE),
                Some(answer) => return Some((answer, was_cut)),
                None => {
                    was_cut = true;
                    self.cut.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        None
    }

    /// A client that does nothing but refresh. What it was answered last must always do.
    fn keep_refreshing(&self, line: &mut Line, first: &str) -> Result<(), String> {
        let mut newest = first.to_owned();
        let mut generation = 0;
        while let Some((answer, was_cut)) = self.ask(line, &refresh(&newest)) {
            let (access, successor) = self.successor(&answer, generation + 1)?;
            // Asked twice, also behind a kill, it is the same one: the chain has no second end.
            if was_cut && let Some((again, _)) = self.ask(line, &refresh(&newest)) {
                let (_, again) = self.successor(&again, generation + 1)?;
                if again != successor {
                    return Err(format!("a fork behind generation {generation}"));
                }
            }
            if generation % 8 == 7
                && let Some((answer, _)) = self.ask(line, &api(&access))
            {
                expect(&answer, 200, "the newest access token")?;
            }
            (newest, generation) = (successor, generation + 1);
        }
        Ok(())
    }

    fn successor(&self, answer: &Answer, generation: u64) -> Result<(String, String), String> {
        expect(answer, 200, "the newest refresh token")?;
        self.refreshed.fetch_add(1, Ordering::Relaxed);
        let tokens = answer.json();
        let access = text(&tokens, "access_token").to_owned();
        match claims(&access)["rtg"].as_u64() {
            Some(found) if found == generation => {
                Ok((access, text(&tokens, "refresh_token").to_owned()))
            }
            found => Err(format!("generation {found:?} instead of {generation}")),
        }
    }

    /// Logs in and out again, each time in another way, and notes what was acknowledged.
    fn keep_leaving(&self, line: &mut Line, admin: &mut Line, name: &str) -> Result<(), String> {
        for turn in 0_u64.. {
            // Whoever checks them is one, and the leavers are several: without a bound each check takes longer than the last.
            while self.goes_on() && self.gone.lock().unwrap().len() >= GONE_MAX {
                thread::sleep(PAUSE);
            }
            let user = format!("{name}-{turn}");
            let Some((answer, _)) = self.ask(line, &login(&user)) else {
                break;
            };
            expect(&answer, 200, "a login")?;
            let tokens = answer.json();
            let (access, token) = (
                text(&tokens, "access_token"),
                text(&tokens, "refresh_token"),
            );
            let sid = claims(access)["sid"].clone();
            let bearer = format!("Authorization: Bearer {access}");
            let body = format!("client_id=mobile&token={token}");
            let (line, how, request) = match turn % 4 {
                0 => (
                    &mut *line,
                    "logout",
                    post("/auth/logout", &[&bearer], JSON, ""),
                ),
                1 => (
                    &mut *line,
                    "returned",
                    post("/oauth/revoke", &[], FORM, &body),
                ),
                2 => (
                    &mut *admin,
                    "session",
                    revocation(&format!("{{\"session\":{sid}}}")),
                ),
                _ => (
                    &mut *admin,
                    "subject",
                    revocation(&format!("{{\"subject\":\"{user}\"}}")),
                ),
            };
            self.wait_until_up();
            match line.ask(&request) {
                // Without an answer, or with a 503, nothing was promised.
                Some(answer) if answer.status != 503 => expect(&answer, 200, how)?,
                _ => continue,
            }
            let (access, refresh) = (access.to_owned(), token.to_owned());
            self.gone.lock().unwrap().push(Gone {
                access,
                refresh,
                how,
            });
        }
        Ok(())
    }

    /// Whoever has gone so far is still gone.
    fn check_gone(&self, line: &mut Line) -> usize {
        let gone = std::mem::take(&mut *self.gone.lock().unwrap());
        for gone in &gone {
            let (access, _) = self.ask(line, &api(&gone.access)).expect("an answer");
            assert_eq!(access.status, 401, "{} was forgotten: {access:?}", gone.how);
            let (again, _) = self.ask(line, &refresh(&gone.refresh)).expect("an answer");
            assert_eq!(again.status, 400, "{} was forgotten: {again:?}", gone.how);
        }
        gone.len()
    }
}

fn expect(answer: &Answer, status: u16, what: &str) -> Result<(), String> {
    match answer.status == status {
        true => Ok(()),
        false => Err(format!("{what}: {answer:?}")),
    }
}

fn api(access: &str) -> String {
    format!(
        "GET /crm/x HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer {access}\r\n\r\n"
    )
}

fn revocation(body: &str) -> String {
    let admin = format!("Authorization: Bearer {ADMIN_TOKEN}");
    post("/api/revocations", &[&admin], JSON, body).replace("auth.example.com", "localhost")
}

const JSON: &str = "application/json";
const FORM: &str = super::house::FORM;
const REFRESHING: usize = 200;
const PAUSE: Duration = Duration::from_millis(100);
const LEAVING: usize = 4;
const GONE_MAX: usize = 20;

fn kill_under_load(kills: u64) {
    let mut house = House::start();
    let (public, admin) = (house.gateway.public, house.gateway.admin);
    let first: Vec<String> = (0..REFRESHING)
        .map(|user| text(&house.login_of(&format!("u_{user}")), "refresh_token").to_owned())
        .collect();
    let storm = Storm::new();
    let gone = thread::scope(|scope| {
        let storm = &storm;
        let mut clients = Vec::new();
        for token in &first {
            clients.push(scope.spawn(move || storm.keep_refreshing(&mut Line::new(public), token)));
        }
        for name in 0..LEAVING {
            clients.push(scope.spawn(move || {
                let (mut line, mut admin) = (Line::new(public), Line::new(admin));
                storm.keep_leaving(&mut line, &mut admin, &format!("leaver_{name}"))
            }));
        }
        let _ended_by_a_panic_too = EndOnDrop(storm);
        let mut gone = 0;
        for kill in 0..kills {
            if !got_on(storm, 100 + 37 * (kill % 7), &clients) {
                break;
            }
            storm.set_up(false);
            house.gateway.kill();
            house.gateway.spawn();
            storm.set_up(true);
            gone += storm.check_gone(&mut Line::new(public));
        }
        storm.end();
        for client in clients {
            client.join().unwrap().unwrap();
        }
        gone
    });
    let cut = storm.cut.load(Ordering::Relaxed);
    assert!(cut >= kills, "{cut} connections were cut by {kills} kills");
    assert!(gone as u64 >= kills, "{gone} sessions were ended");
    for event in ["recovered", "reuse", "foreign_replay"] {
        assert_eq!(house.events(event), 0, "{event}");
    }
}

/// Threads that wait for the end of a storm must not wait for ever where the test fails.
struct EndOnDrop<'a>(&'a Storm);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Waits until so many more refreshes were answered. `false`: a client ended, which it does by a fault alone.
fn got_on<T>(storm: &Storm, more: u64, clients: &[thread::ScopedJoinHandle<'_, T>]) -> bool {
    let until = storm.refreshed.load(Ordering::Relaxed) + more;
    let deadline = Instant::now() + Duration::from_secs(60);
    while storm.refreshed.load(Ordering::Relaxed) < until {
        if clients.iter().any(thread::ScopedJoinHandle::is_finished) {
            return false;
        }
        assert!(Instant::now() < deadline, "the storm does not get on");
        thread::sleep(Duration::from_millis(2));
    }
    true
}

#[test]
fn ten_kills_under_load_log_nobody_out_and_bring_nobody_back() {
    kill_under_load(10);
}

#[test]
#[ignore = "two hundred kills take minutes"]
fn two_hundred_kills_under_load_log_nobody_out_and_bring_nobody_back() {
    kill_under_load(200);
}
