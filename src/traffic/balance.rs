//! Two choices by requests in flight: nearly as good as knowing the least busy server, without a herd behind it.

use std::time::Duration;

use smallvec::SmallVec;

/// One server, as the choice sees it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Requests that it has and has not answered.
    pub in_flight: usize,
    /// Whether it may be chosen.
    pub standing: Standing,
}

/// Whether a server may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Ready,
    /// It refused a connection and is passed over for so long yet.
    PassedOver(Duration),
    /// This request tried it already.
    Tried,
}

/// Chooses a server: of two that are ready, drawn by `entropy`, the less busy one. When none is ready the one
/// that is passed over for the shortest time is asked: it may have recovered, and an error is certain otherwise.
/// `None` when this request tried them all.
pub fn choose(servers: &[Candidate], entropy: u64) -> Option<usize> {
    let is_ready = |candidate: &Candidate| match candidate.standing {
        Standing::Ready => true,
        Standing::PassedOver(left) => left.is_zero(),
        Standing::Tried => false,
    };
    let ready: SmallVec<[usize; 16]> = (0..servers.len())
        .filter(|at| is_ready(&servers[*at]))
        .collect();
    if ready.is_empty() {
        return soonest(servers);
    }
    let first = entropy as u32 as usize % ready.len();
    if ready.len() == 1 {
        return Some(ready[0]);
    }
    // Drawn from the others, so that the two differ.
    let step = 1 + (entropy >> 32) as usize % (ready.len() - 1);
    let second = (first + step) % ready.len();
    let (first, second) = (ready[first], ready[second]);
    let busier = servers[first].in_flight > servers[second].in_flight;
    Some(if busier { second } else { first })
}

fn soonest(servers: &[Candidate]) -> Option<usize> {
    let left = |at: &usize| match servers[*at].standing {
        Standing::PassedOver(left) => Some((left, *at)),
        Standing::Ready | Standing::Tried => None,
    };
    (0..servers.len())
        .filter_map(|at| left(&at))
        .min()
        .map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Candidate, Standing, choose};

    fn server(in_flight: usize, standing: Standing) -> Candidate {
        Candidate {
            in_flight,
            standing,
        }
    }

    fn chosen(servers: &[Candidate]) -> Vec<Option<usize>> {
        let draws = (0..64u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut all: Vec<_> = draws.map(|n| choose(servers, n)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    #[test]
    fn the_less_busy_of_two_is_chosen() {
        let servers = [server(3, Standing::Ready), server(1, Standing::Ready)];
        assert_eq!(chosen(&servers), [Some(1)]);
    }

    #[test]
    fn the_busiest_of_many_is_never_chosen() {
        let servers = [9, 0, 0, 0].map(|busy| server(busy, Standing::Ready));
        assert_eq!(chosen(&servers), [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn a_server_that_refused_is_passed_over_until_its_time() {
        let for_ = |secs| Standing::PassedOver(Duration::from_secs(secs));
        let early = [server(0, for_(1)), server(7, Standing::Ready)];
        assert_eq!(chosen(&early), [Some(1)]);
        let late = [server(0, for_(0)), server(7, Standing::Ready)];
        assert_eq!(chosen(&late), [Some(0)]);
    }

    #[test]
    fn when_all_are_passed_over_the_soonest_is_asked() {
        let for_ = |secs| Standing::PassedOver(Duration::from_secs(secs));
        let servers = [
            server(0, Standing::Tried),
            server(0, for_(9)),
            server(0, for_(5)),
        ];
        assert_eq!(chosen(&servers), [Some(2)]);
    }

    #[test]
    fn a_request_tries_no_server_twice() {
        assert_eq!(chosen(&[server(0, Standing::Tried)]), [None]);
        assert_eq!(chosen(&[]), [None]);
    }
}
