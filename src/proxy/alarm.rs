//! One alarm for all that a connection waits for. Setting it later than it was set costs nothing: it rings once too early
//! and is set again then, so a busy connection touches the runtime's timers a few times a second, not with each request.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::task::coop::{has_budget_remaining, unconstrained};
use tokio::time::{Instant, Sleep, sleep_until};

/// An alarm.
#[derive(Debug)]
pub(super) struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    /// An alarm that nobody has set yet; at `at` it will look at its clock first.
    pub(super) fn new(at: Instant) -> Self {
        Self(Box::pin(sleep_until(at)))
    }

    /// Waits until `due`. Cancel-safe.
    pub(super) async fn at(&mut self, due: Instant) {
        poll_fn(|cx| self.poll(cx, due)).await;
    }

    /// Whether it is `due`; if not, the task is woken then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        if due < self.0.deadline() {
            self.0.as_mut().reset(due);
        }
        loop {
            if self.0.as_mut().poll(cx).is_pending() {
                if has_budget_remaining() {
                    return Poll::Pending;
                }
                // A task that has moved as much as it may in one turn is told of no timer. One that finds as much to move in
                // each turn would never hear this one.
                ready!(pin!(unconstrained(self.0.as_mut())).poll(cx));
            }
            if self.0.deadline() >= due {
                return Poll::Ready(());
            }
            self.0.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::consume_budget;
    use tokio::time::{Instant, advance, timeout};

    use super::Alarm;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_rings_when_it_is_due_however_often_it_was_set() {
        let start = Instant::now();
        let mut alarm = Alarm::new(start + 60 * SECOND);
        for (due, rings) in [(5, 5), (3, 5), (9, 9), (9, 9), (90, 90)] {
            alarm.at(start + due * SECOND).await;
            assert_eq!(start.elapsed(), rings * SECOND, "set to {due}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_always_has_something_to_move_hears_it() {
        let start = Instant::now();
        let mut alarm = Alarm::new(start + SECOND);
        let moves = async {
            for _ in 0..10_000 {
                consume_budget().await;
            }
        };
        advance(2 * SECOND).await;
        let rang = tokio::select! {
            biased;
            () = moves => false,
            () = alarm.at(start + SECOND) => true,
        };
        assert!(rang);
    }

    #[tokio::test(start_paused = true)]
    async fn it_can_be_set_later_and_sooner_before_it_rings() {
        let start = Instant::now();
        let mut alarm = Alarm::new(start);
        let early = timeout(SECOND, alarm.at(start + 10 * SECOND)).await;
        assert!(early.is_err(), "it was set later");
        alarm.at(start + 2 * SECOND).await;
        assert_eq!(start.elapsed(), 2 * SECOND, "it was set sooner");
    }
}
