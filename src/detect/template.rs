//! Text with `{part}` and `{part|encoder}` placeholders. Nothing else is interpreted; `{{` and `}}` stand for braces.

use data_encoding::BASE64;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use super::checked::{Encoder, Joined, PartSpec, Piece, Template};

impl Template {
    /// Reads a template whose placeholders may name `parts`.
    ///
    /// # Errors
    /// In words: an unknown part, an unknown encoder, a brace without its partner.
    pub(super) fn parse(text: &str, parts: &[PartSpec]) -> Result<Self, String> {
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

fn placeholder(inside: &str, parts: &[PartSpec]) -> Result<Piece, String> {
    let (names, encoder) = inside.split_once('|').unwrap_or((inside, "plain"));
    let joined = names.split(':').map(|name| joined(name, parts)).collect::<Result<_, _>>()?;
    let encoder = match encoder {
        "plain" => Encoder::Plain,
        "percent" => Encoder::Percent,
        "base64" => Encoder::Base64,
        other => return Err(format!("unknown encoder {other:?}; known: percent, base64")),
    };
    Ok(Piece::Value { joined, encoder })
}

fn joined(name: &str, parts: &[PartSpec]) -> Result<Joined, String> {
    if name.is_empty() {
        return Ok(Joined::Text(String::new()));
    }
    if let Some(text) = name.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Ok(Joined::Text(text.to_owned()));
    }
    if !parts.iter().any(|part| &*part.name == name) {
        let known: Vec<&str> = parts.iter().map(|part| &*part.name).collect();
        return Err(format!("{{{name}}} names no part of this detector; known: {}", known.join(", ")));
    }
    Ok(Joined::Part(name.to_owned()))
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
    use super::super::checked::{Encoder, Joined, PartSpec, Piece, Template};
    use crate::secret::Redaction;

    fn parse(text: &str) -> Result<Template, String> {
        let part = |name: &str| PartSpec {
            name: name.into(),
            public: false,
            required: true,
            redaction: Redaction { head: 4, tail: 4 },
            hosts: Vec::new(),
        };
        Template::parse(text, &[part("key"), part("id")])
    }

    #[test]
    fn placeholders_and_braces() {
        let template = parse("a{{b}} {key} {'api':id|base64}").expect("template");
        let value = |joined: &[Joined], encoder| Piece::Value { joined: joined.to_vec(), encoder };
        let part = |name: &str| Joined::Part(name.to_owned());
        assert_eq!(
            template.0,
            [
                Piece::Text("a{b} ".into()),
                value(&[part("key")], Encoder::Plain),
                Piece::Text(" ".into()),
                value(&[Joined::Text("api".into()), part("id")], Encoder::Base64),
            ]
        );
        assert_eq!(
            parse("{key:|base64}").expect("template").0,
            [value(&[part("key"), Joined::Text(String::new())], Encoder::Base64)]
        );
        for bad in ["{nope}", "{key|rot13}", "{key", "key}", "{key:nope|base64}"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
