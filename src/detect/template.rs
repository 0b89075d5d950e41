//! Text with `{part}` and `{part|encoder}` placeholders. Nothing else is interpreted; `{{` and `}}` stand for braces.

use std::sync::Arc;

use data_encoding::BASE64;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use super::checked::{Encoder, Piece, Template};

impl Template {
    /// Reads a template whose placeholders may name `parts`.
    ///
    /// # Errors
    /// In words: an unknown part, an unknown encoder, a brace without its partner.
    pub(super) fn parse(text: &str, parts: &[Arc<str>]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..];
            if brace.starts_with("{{") || brace.starts_with("}}") {
                plain.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let close = brace.find('}').filter(|_| brace.starts_with('{'));
            let close = close.ok_or_else(|| format!("a brace without its partner in {text:?}; write {{{{ for a brace"))?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(placeholder(&brace[1..close], parts)?);
            rest = &brace[close + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }
}

fn placeholder(inside: &str, parts: &[Arc<str>]) -> Result<Piece, String> {
    let (name, encoder) = inside.split_once('|').unwrap_or((inside, "plain"));
    if !parts.iter().any(|part| &**part == name) {
        let known: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
        return Err(format!("{{{name}}} names no part of this detector; known: {}", known.join(", ")));
    }
    let encoder = match encoder {
        "plain" => Encoder::Plain,
        "percent" => Encoder::Percent,
        "base64" => Encoder::Base64,
        other => return Err(format!("unknown encoder {other:?}; known: percent, base64")),
    };
    Ok(Piece::Part { name: name.to_owned(), encoder })
}

impl Encoder {
    /// The bytes as this encoder writes them.
    pub fn encode(self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Plain => bytes.to_vec(),
            Self::Percent => percent_encode(bytes, NON_ALPHANUMERIC).to_string().into_bytes(),
            Self::Base64 => BASE64.encode(bytes).into_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::checked::{Encoder, Piece, Template};

    fn parse(text: &str) -> Result<Template, String> {
        Template::parse(text, &["key".into(), "id".into()])
    }

    #[test]
    fn placeholders_and_braces() {
        let template = parse("a{{b}} {key} {id|base64}").expect("template");
        assert_eq!(
            template.0,
            [
                Piece::Text("a{b} ".into()),
                Piece::Part { name: "key".into(), encoder: Encoder::Plain },
                Piece::Text(" ".into()),
                Piece::Part { name: "id".into(), encoder: Encoder::Base64 },
            ]
        );
        for bad in ["{nope}", "{key|rot13}", "{key", "key}"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
