//! Two connections as one: bytes go both ways until both ends are done, nothing moves, or it may not go on. A half that is
//! shut down is shut down on the other side, and the other direction goes on.

use std::pin::pin;
use std::time::Duration;

use tokio::task::coop::unconstrained;
use tokio::time::{Instant, sleep_until, timeout};

use super::websocket::{CLOSE_1001, CLOSE_4401, Frames};
use crate::proxy::connection::{Reader, Writer};
use crate::proxy::failure::Failure;
use crate::proxy::moved::Moved;

/// How long a tunnel that may not go on does so to reach the end of a frame.
const GRACE: Duration = Duration::from_millis(400);

/// Both ends of a tunnel.
pub(in crate::proxy) struct Tunnel<'t> {
    pub(in crate::proxy) client: (&'t mut Reader, &'t mut Writer),
    pub(in crate::proxy) server: (&'t mut Reader, &'t mut Writer),
    /// How long nothing may move.
    pub(in crate::proxy) idle_timeout: Duration,
    /// Whether the server's bytes are WebSocket frames.
    pub(in crate::proxy) is_websocket: bool,
    pub(in crate::proxy) bytes_in: &'t mut u64,
    pub(in crate::proxy) bytes_out: &'t mut u64,
}

/// Serves a tunnel to its end; `Some` when it might not go on.
pub(in crate::proxy) async fn tunnel(
    tunnel: Tunnel<'_>,
    ended: impl Future<Output = Failure>,
) -> Option<Failure> {
    let Tunnel {
        client: (client_in, client_out),
        server: (server_in, server_out),
        ..
    } = tunnel;
    let moved = Moved::new();
    let mut frames = tunnel.is_websocket.then(Frames::default);
    let failure = {
        let up = pour(client_in, server_out, &moved, tunnel.bytes_in, None);
        let down = pour(
            server_in,
            client_out,
            &moved,
            tunnel.bytes_out,
            frames.as_mut(),
        );
        let mut both = pin!(async { tokio::try_join!(up, down).is_ok() });
        tokio::select! {
            biased;
            _ = &mut both => return None,
            // Whoever pours without a pause leaves nothing of the task's turn, and is ended all the same.
            failure = unconstrained(ended) => failure,
            () = stands_still(&moved, tunnel.idle_timeout) => return None,
        }
    };
    if let Some(frames) = &mut frames {
        // Late is as good as never: the connection is cut all the same.
        let close = match failure {
            Failure::Stopped => CLOSE_1001,
            _ => CLOSE_4401,
        };
        let _ = timeout(GRACE, say_goodbye(server_in, client_out, frames, close)).await;
    }
    Some(failure)
}

/// Neither end can be reached any more.
struct Broken;

/// Moves bytes one way until their end.
async fn pour(
    from: &mut Reader,
    to: &mut Writer,
    moved: &Moved,
    count: &mut u64,
    mut frames: Option<&mut Frames>,
) -> Result<(), Broken> {
    loop {
        if !from.buffer.is_empty() {
            if let Some(frames) = &mut frames {
                frames.follow(&from.buffer);
            }
            *count += from.buffer.len() as u64;
            to.pending.extend_from_slice(&from.buffer);
            from.buffer.clear();
            to.flush().await.map_err(|_| Broken)?;
        }
        moved.moves();
        if from.fill().await.map_err(|_| Broken)? == 0 {
            to.shut().await;
            return Ok(());
        }
    }
}

/// Waits until nothing moved for `span`.
async fn stands_still(moved: &Moved, span: Duration) {
    loop {
        let due = moved.at() + span;
        if due <= Instant::now() {
            return;
        }
        sleep_until(due).await;
    }
}

/// Sends the close frame at the end of the frame that is on its way.
async fn say_goodbye(from: &mut Reader, to: &mut Writer, frames: &mut Frames, close: [u8; 4]) {
    while !frames.is_between() {
        if from.buffer.is_empty() && !matches!(from.fill().await, Ok(1..)) {
            return;
        }
        let mut follower = frames.clone();
        match follower.follow(&from.buffer) {
            // The first end would do; the last is as good, and all before it is whole.
            Some(end) => {
                to.pending.extend_from_slice(&from.buffer[..end]);
                *frames = Frames::default();
            }
            None => {
                to.pending.extend_from_slice(&from.buffer);
                *frames = follower;
            }
        }
        from.buffer.clear();
    }
    to.pending.extend_from_slice(&close);
    if to.flush().await.is_ok() {
        to.shut().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::{Moved, stands_still};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn nothing_may_move_for_its_span_and_no_longer() {
        let (start, moved) = (Instant::now(), Moved::new());
        let moves = async {
            sleep(6 * SECOND).await;
            moved.moves();
        };
        tokio::join!(stands_still(&moved, 10 * SECOND), moves);
        assert_eq!(start.elapsed(), 16 * SECOND);
    }
}
