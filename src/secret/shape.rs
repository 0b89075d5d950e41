//! A redacted form, as providers list their keys: a head, something that hides, a tail.

/// A redacted form.
pub struct Shape<'h> {
    head: &'h str,
    tail: &'h str,
}

impl<'h> Shape<'h> {
    /// Reads `sk-ant-api03-R2D...igAA`, `xai-***1234`, `****abcd`, `sk-or-v1-0e6…1c96`. `None` where nothing is hidden.
    pub fn parse(text: &'h str) -> Option<Self> {
        let hides = |c: char| matches!(c, '*' | '…' | '•');
        let dots = text.find("..").or_else(|| text.find(hides))?;
        let rest = text[dots..].trim_start_matches(|c| c == '.' || hides(c));
        Some(Self { head: &text[..dots], tail: rest })
    }

    /// Whether a value may be the one that is hidden.
    pub fn fits(&self, value: &str) -> bool {
        value.len() > self.head.len() + self.tail.len() && value.starts_with(self.head) && value.ends_with(self.tail)
    }

    /// Characters shown beyond those that every such key has.
    pub fn shows(&self, prefix: &str) -> usize {
        self.head.strip_prefix(prefix).map_or(0, str::len) + self.tail.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;

    #[test]
    fn redacted_forms_fit_their_values_alone() {
        let value = "sk-or-v1-0e6ffffffffffffffff1c96";
        for good in ["sk-or-v1-0e6...1c96", "sk-or-v1-0e6…1c96", "****1c96", "sk-***1c96", "sk-or-v1-0e6......1c96"] {
            assert!(Shape::parse(good).expect("a shape").fits(value), "{good}");
        }
        for bad in ["sk-or-v1-0e7...1c96", "sk-or-v1-0e6...1c97", "sk-or-v1-0e6fffffffff...ffffffffff1c96"] {
            assert!(!Shape::parse(bad).expect("a shape").fits(value), "{bad}");
        }
        assert!(Shape::parse(value).is_none());
        assert_eq!(Shape::parse("sk-or-v1-0e6...1c96").map(|shape| shape.shows("sk-or-v1-")), Some(7));
        assert_eq!(Shape::parse("sk-...c96").map(|shape| shape.shows("sk-proj-")), Some(3));
    }
}
