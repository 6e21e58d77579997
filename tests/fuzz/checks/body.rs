//! A chunked body: the same in any pieces, and when it is written again. The first byte is the length of a piece.

use tollgate::wire::body::{BodyError, BodyReader, Piece, trailer_fields};
use tollgate::wire::head::Framing;
use tollgate::wire::write;

pub(crate) fn check(bytes: &[u8]) {
    let Some((piece, input)) = bytes.split_first() else {
        return;
    };
    let whole = read(input, input.len().max(1));
    assert_eq!(read(input, usize::from(*piece) % 32 + 1), whole);
    // Rewritten trailers are longer, by a space a field: near their limit they would be refused.
    let Some(body) = whole.ok().flatten().filter(|_| input.len() < 8 << 10) else {
        return;
    };
    let mut out = Vec::new();
    write::write_chunk_head(&mut out, body.content.len());
    if !body.content.is_empty() {
        out.extend_from_slice(&body.content);
        out.extend_from_slice(b"\r\n");
    }
    let trailers = body.trailers.iter();
    write::write_last_chunk(&mut out, trailers.map(|(name, value)| (&**name, &**value)));
    assert_eq!(
        read(&out, out.len()),
        Ok(Some(Body {
            consumed: out.len(),
            ..body
        }))
    );
}

#[derive(Debug, PartialEq, Eq)]
struct Body {
    content: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
    consumed: usize,
}

fn read(input: &[u8], piece: usize) -> Result<Option<Body>, BodyError> {
    let mut reader = BodyReader::new(Framing::Chunked);
    let mut content = Vec::new();
    let (mut done, mut came) = (0, piece.min(input.len()));
    loop {
        match reader.read(&input[done..came])? {
            Piece::Data {
                content: range,
                consumed,
            } => {
                content.extend_from_slice(&input[done..][range]);
                done += consumed;
            }
            Piece::More { .. } if came == input.len() => return Ok(None),
            Piece::More { consumed } => {
                done += consumed;
                came = (came + piece).min(input.len());
            }
            Piece::End { consumed, trailers } => {
                let fields = trailer_fields(&input[done..][trailers])?;
                let own = |field: &tollgate::wire::Field<'_>| {
                    (field.name.to_owned(), field.value.to_vec())
                };
                return Ok(Some(Body {
                    content,
                    trailers: fields.iter().map(own).collect(),
                    consumed: done + consumed,
                }));
            }
        }
    }
}
