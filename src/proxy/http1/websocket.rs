//! Where WebSocket frames begin and end (RFC 6455 §5.2): a close frame of our own may stand between two of them and
//! nowhere else. Reads lengths, never content.

/// The close frame that ends a stream whose token ended: status 4401, no text (RFC 6455 §5.5.1).
pub(super) const CLOSE_4401: [u8; 4] = [0x88, 0x02, 0x11, 0x31];
/// The close frame of a gateway that stops: status 1001, "going away" (RFC 6455 §7.4.1).
pub(super) const CLOSE_1001: [u8; 4] = [0x88, 0x02, 0x03, 0xe9];

/// Where in a stream of frames its follower is.
#[derive(Debug, Clone, Default)]
pub(super) struct Frames {
    head: [u8; 14],
    head_length: usize,
    content_left: u64,
}

impl Frames {
    /// Whether the next byte begins a frame.
    pub(super) fn is_between(&self) -> bool {
        self.head_length == 0 && self.content_left == 0
    }

    /// Follows `bytes`; where the last frame in them ends, if one does.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        let mut end = None;
        while at < bytes.len() {
            if self.content_left > 0 {
                let rest = (bytes.len() - at) as u64;
                let step = self.content_left.min(rest);
                self.content_left -= step;
                at += usize::try_from(step).expect("no more than the input");
            } else {
                self.head[self.head_length] = bytes[at];
                self.head_length += 1;
                at += 1;
                if let Some(length) = self.content_length() {
                    self.content_left = length;
                    self.head_length = 0;
                }
            }
            if self.is_between() {
                end = Some(at);
            }
        }
        end
    }

    /// The length of the content, once the frame's head is whole.
    fn content_length(&self) -> Option<u64> {
        let head = &self.head[..self.head_length];
        let second = *head.get(1)?;
        let mask_length = if second & 0x80 == 0 { 0 } else { 4 };
        let (length_length, length) = match second & 0x7f {
            126 => (2, head.get(2..4).map(big_endian)),
            127 => (8, head.get(2..10).map(big_endian)),
            short => (0, Some(u64::from(short))),
        };
        length.filter(|_| head.len() == 2 + length_length + mask_length)
    }
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::Frames;

    fn frames() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for (head, content) in [
            (&[0x81, 0x02][..], 2),
            (&[0x82, 0x7e, 0x01, 0x00][..], 256),
            (&[0x89, 0x00][..], 0),
            (&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0][..], 65536),
            (&[0x81, 0x83, 1, 2, 3, 4][..], 3),
        ] {
            bytes.extend_from_slice(head);
            bytes.resize(bytes.len() + content, 0x88);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn a_boundary_is_found_wherever_the_bytes_are_cut() {
        let (bytes, ends) = frames();
        for step in [1, 2, 3, 7, 1000, bytes.len()] {
            let mut follower = Frames::default();
            let mut at = 0;
            for piece in bytes.chunks(step) {
                let last = ends
                    .iter()
                    .rfind(|end| **end > at && **end <= at + piece.len());
                let found = follower.follow(piece).map(|end| at + end);
                assert_eq!(found, last.copied(), "step {step} at {at}");
                at += piece.len();
                assert_eq!(follower.is_between(), ends.contains(&at));
            }
        }
    }
}
