//! The switch to another protocol: both connections of an exchange become a tunnel.

use super::passing::Passing;
use crate::gate::Admission;
use crate::proxy::answer::Answer;
use crate::proxy::body::Source;
use crate::proxy::connection::Reuse;
use crate::proxy::failure::{Failure, Heard, client_fault, upstream_fault};
use crate::proxy::http1::{Tunnel, tunnel};
use crate::proxy::record::Meter;
use crate::proxy::turn::Turn;
use crate::proxy::upstream::{AnswerFault, Head, Link};

/// Turns both connections into a tunnel.
pub(super) async fn switch(
    turn: &Turn<'_>,
    admission: &Admission,
    link: &mut Link,
    source: &mut Source<'_>,
    answer: &mut Answer<'_>,
    head: &Head,
    meter: &mut Meter,
) -> Result<Reuse, Failure> {
    let unasked = || upstream_fault(AnswerFault::Malformed("no switch here"), Heard::Some);
    let read = head
        .read(false)
        .map_err(|fault| upstream_fault(fault, Heard::Some))?;
    let protocol = read.value("upgrade").ok_or_else(unasked)?;
    let wished = turn.asked.upgrade.unwrap_or_default();
    if !protocol.eq_ignore_ascii_case(wished.as_bytes()) {
        return Err(unasked());
    }
    let passing = Passing::new(turn, admission, &read);
    answer
        .switch(protocol, &passing.fields(&read))
        .await
        .map_err(client_fault)?;
    let (server, client_in, client_out) = match (link.http1(), source.http1()) {
        (Some(server), Some(body)) => (server, &mut *body.reader, answer.http1_writer()),
        _ => return Err(unasked()),
    };
    let lifetime = turn.lifetime(admission);
    let ended = tunnel(
        Tunnel {
            client: (client_in, client_out.ok_or_else(unasked)?),
            server,
            idle_timeout: admission.upstream.idle_timeout,
            is_websocket: protocol.eq_ignore_ascii_case(b"websocket"),
            bytes_in: &mut meter.bytes_in,
            bytes_out: &mut meter.bytes_out,
        },
        lifetime.ended(),
    )
    .await;
    ended.map_or(Ok(Reuse::No), Err)
}
