//! What a running process cannot change about itself: sockets, threads and files that were opened at the start.

use crate::config::Config;

/// The keys of `next` that take effect after a restart alone, and differ from `serving`.
pub(super) fn needed(serving: &Config, next: &Config) -> Vec<String> {
    let mut keys = Vec::new();
    let mut unless = |same: bool, key: String| {
        if !same {
            keys.push(key);
        }
    };
    let (old, new) = (&serving.server, &next.server);
    unless(old.threads == new.threads, "server.threads".to_owned());
    unless(
        old.state_dir == new.state_dir,
        "server.state_dir".to_owned(),
    );
    let address = |config: &Config| config.admin.as_ref().map(|admin| admin.address);
    unless(
        address(serving) == address(next),
        "admin.address".to_owned(),
    );
    let store = |config: &Config| Some(config.sessions.as_ref()?.store.clone());
    unless(store(serving) == store(next), "sessions.store".to_owned());
    for listener in &next.listeners {
        let name = &listener.name;
        let Some(before) = serving.listeners.iter().find(|one| one.name == *name) else {
            unless(false, format!("listeners.{name}"));
            continue;
        };
        unless(
            before.address == listener.address,
            format!("listeners.{name}.address"),
        );
        unless(
            before.tls.is_some() == listener.tls.is_some(),
            format!("listeners.{name}.certificate"),
        );
    }
    for before in &serving.listeners {
        let stays = next.listeners.iter().any(|one| one.name == before.name);
        unless(stays, format!("listeners.{}", before.name));
    }
    keys
}
