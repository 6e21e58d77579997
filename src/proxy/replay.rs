//! What a body has handed out already, kept while its server may still say that it did nothing with it.

use super::part::{Part, Piece, Trailers};

/// The largest beginning of a body that is kept, in bytes: most calls, and little beside a stream's windows.
const BYTES_MAX: usize = 16 << 10;

/// The beginning of a body, to be handed out again.
#[derive(Default)]
pub(super) struct Replay {
    content: Vec<u8>,
    end: Option<Trailers>,
    step: Step,
}

/// How far it is.
#[derive(Clone, Copy, Default)]
enum Step {
    /// It takes what is handed out.
    #[default]
    Keeping,
    /// The content is next.
    Content,
    /// What followed the content is next.
    End,
}

impl Replay {
    /// Takes what is handed out for the first time; whether it still has all of it.
    pub(super) fn keep(&mut self, part: &Part<'_>) -> bool {
        match (self.step, part) {
            (Step::Keeping, Part::Data(bytes)) => {
                let has_room = self.content.len() + bytes.len() <= BYTES_MAX;
                if has_room {
                    self.content.extend_from_slice(bytes);
                }
                has_room
            }
            (Step::Keeping, Part::End(trailers)) => {
                self.end = Some(trailers.clone());
                true
            }
            (Step::Content | Step::End, _) => true,
        }
    }

    /// Hands out from the beginning.
    pub(super) fn rewind(&mut self) {
        self.step = if self.content.is_empty() {
            Step::End
        } else {
            Step::Content
        };
    }

    /// Whether something is left to hand out again.
    pub(super) fn has_part(&self) -> bool {
        match self.step {
            Step::Keeping => false,
            Step::Content => true,
            Step::End => self.end.is_some(),
        }
    }

    /// What is next.
    pub(super) fn part(&mut self) -> Part<'_> {
        match self.step {
            Step::Content => {
                self.step = Step::End;
                Part::Data(Piece::Lent(&self.content))
            }
            Step::Keeping | Step::End => Part::End(self.end.take().unwrap_or_default()),
        }
    }
}
