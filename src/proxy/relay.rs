//! Where bodies go, and the relay from where they come: whatever has come is sent on before it waits for more.

use std::future::pending;

use super::body::{Patience, Source};
use super::connection::{WriteFault, Writer};
use super::http2::Http2Outlet;
use super::part::{BodyFault, Part, Piece, Trailers};
use crate::wire::write;

/// Bytes that are gathered before they are written.
const GATHER_BYTES: usize = 32 << 10;

/// Where a body goes.
pub(super) enum Outlet<'c> {
    /// Nowhere: the message is its head.
    Head(&'c mut Writer),
    /// HTTP/1, the bytes as they are: by length or until the close.
    Plain(&'c mut Writer),
    /// HTTP/1 in chunks.
    Chunked(&'c mut Writer),
    /// HTTP/2.
    Http2(Http2Outlet<'c>),
}

impl Outlet<'_> {
    /// Takes content; it may wait for [`Outlet::flush`].
    async fn data(&mut self, bytes: &[u8]) -> Result<(), WriteFault> {
        match self {
            Self::Head(_) => Ok(()),
            Self::Plain(writer) => {
                writer.pending.extend_from_slice(bytes);
                flush_if_full(writer).await
            }
            Self::Chunked(writer) => {
                if !bytes.is_empty() {
                    write::write_chunk_head(&mut writer.pending, bytes.len());
                    writer.pending.extend_from_slice(bytes);
                    writer.pending.extend_from_slice(b"\r\n");
                }
                flush_if_full(writer).await
            }
            Self::Http2(outlet) => outlet.data(bytes).await,
        }
    }

    async fn flush(&mut self) -> Result<(), WriteFault> {
        match self {
            Self::Head(writer) | Self::Plain(writer) | Self::Chunked(writer) => {
                writer.flush().await
            }
            Self::Http2(_) => Ok(()),
        }
    }

    /// Ends the message.
    pub(super) async fn finish(&mut self, trailers: &Trailers) -> Result<(), WriteFault> {
        match self {
            Self::Head(writer) | Self::Plain(writer) => writer.flush().await,
            Self::Chunked(writer) => {
                let trailers = trailers.iter().map(|(name, value)| (&**name, &**value));
                write::write_last_chunk(&mut writer.pending, trailers);
                writer.flush().await
            }
            Self::Http2(outlet) => outlet.finish(trailers),
        }
    }

    /// Takes a body that is already whole.
    pub(super) async fn whole(&mut self, bytes: &[u8]) -> Result<(), WriteFault> {
        self.data(bytes).await?;
        self.finish(&Trailers::new()).await
    }

    /// Waits until the receiver says that it wants no more.
    async fn refused(&mut self) {
        match self {
            Self::Http2(outlet) => outlet.refused().await,
            Self::Head(_) | Self::Plain(_) | Self::Chunked(_) => pending().await,
        }
    }
}

async fn flush_if_full(writer: &mut Writer) -> Result<(), WriteFault> {
    if writer.pending.len() >= GATHER_BYTES {
        writer.flush().await?;
    }
    Ok(())
}

/// Why a relay ended before its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RelayFault {
    /// The sender's side.
    From(BodyFault),
    /// The receiver's side.
    To(WriteFault),
}

impl From<BodyFault> for RelayFault {
    fn from(fault: BodyFault) -> Self {
        Self::From(fault)
    }
}

impl From<WriteFault> for RelayFault {
    fn from(fault: WriteFault) -> Self {
        Self::To(fault)
    }
}

/// How a relay is bounded, and what goes through it.
pub(super) struct Terms<'t> {
    /// How long it waits for the sender.
    pub(super) patience: &'t Patience,
    /// The most content, in bytes.
    pub(super) bytes_max: u64,
    /// Which trailers may pass.
    pub(super) may_trail: &'t (dyn Fn(&str) -> bool + Sync),
}

/// Moves a body from `source` to `outlet`, counting its content. Whatever has come is sent on before it waits for more.
pub(super) async fn relay(
    source: &mut Source<'_>,
    outlet: &mut Outlet<'_>,
    terms: &Terms<'_>,
    count: &mut u64,
) -> Result<(), RelayFault> {
    loop {
        let part = match source.buffered()? {
            Some(part) => part,
            None => {
                tokio::select! {
                    biased;
                    flushed = outlet.flush() => flushed?,
                    never = source.gather() => match never {},
                }
                tokio::select! {
                    biased;
                    part = source.next(terms.patience) => part?,
                    () = outlet.refused() => return Err(RelayFault::To(WriteFault::Gone)),
                }
            }
        };
        match part {
            Part::Data(piece) => {
                *count += piece.len() as u64;
                if *count > terms.bytes_max {
                    return Err(RelayFault::From(BodyFault::TooLarge));
                }
                match piece {
                    Piece::Lent(bytes) => outlet.data(bytes).await?,
                    Piece::Shared(bytes) => tokio::select! {
                        biased;
                        sent = outlet.data(&bytes) => sent?,
                        never = source.gather() => match never {},
                    },
                }
            }
            Part::End(mut trailers) => {
                trailers.retain(|(name, _)| (terms.may_trail)(name));
                return Ok(outlet.finish(&trailers).await?);
            }
        }
    }
}
