//! Answers in XML, as far as they are looked at: elements by their names, without attributes. Pure.

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};

/// Elements below each other that are read; answers have about ten.
const DEEPEST: usize = 40;

/// An element: what is in it, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Xml {
    pub name: String,
    pub text: String,
    pub below: Vec<Self>,
}

impl Xml {
    /// Refuses what is cut or broken as a whole: half an answer must not look like a short one.
    pub fn parse(text: &str) -> Result<Self, String> {
        for token in Document::new(text) {
            token.map_err(|error| error.to_string())?;
        }
        let mut document = Document::new(text);
        let mut root = document.root_element().map_err(|error| error.to_string())?;
        let mut read = shape(&mut root, 0)?;
        drop(root);
        // The parser itself lets an outermost element end with the text.
        if !text.trim_end().ends_with(&format!("</{}>", read.name)) {
            return Err(format!("the answer ends before </{}>", read.name));
        }
        // Texts in a second pass: only then is known which elements are not just indented others.
        let mut document = Document::new(text);
        let mut root = document.root_element().map_err(|error| error.to_string())?;
        fill(&mut root, &mut read)?;
        Ok(read)
    }

    /// The first element at a path of names: `volumeSet/item/size`.
    pub fn at(&self, path: &str) -> Option<&Self> {
        self.all(path).into_iter().next()
    }

    /// All elements at a path, whose parts may be there several times.
    pub fn all(&self, path: &str) -> Vec<&Self> {
        path.split('/').fold(vec![self], |found, name| {
            found
                .into_iter()
                .flat_map(|it| it.below.iter().filter(move |b| b.name == name))
                .collect()
        })
    }

    /// What is written there; nothing for an empty element.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.at(path).map(|it| it.text.trim()).filter(|text| !text.is_empty())
    }
}

fn shape(scope: &mut ScopedDecoder<'_, '_>, depth: usize) -> Result<Xml, String> {
    if depth >= DEEPEST {
        return Err("the answer is nested too deep".to_owned());
    }
    let mut read = Xml { name: scope.start_el().local().to_owned(), ..Xml::default() };
    while let Some(mut below) = scope.next_tag() {
        read.below.push(shape(&mut below, depth + 1)?);
    }
    Ok(read)
}

fn fill(scope: &mut ScopedDecoder<'_, '_>, read: &mut Xml) -> Result<(), String> {
    if read.below.is_empty() {
        read.text = try_data(scope).map_err(|error| error.to_string())?.into_owned();
        return Ok(());
    }
    for known in &mut read.below {
        let Some(mut below) = scope.next_tag() else { break };
        fill(&mut below, known)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLUMES: &str = "<?xml version=\"1.0\"?>
<DescribeVolumesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">
  <volumeSet>
    <item>
      <volumeId>vol-1</volumeId><size>30</size><empty/>
    </item>
    <item><volumeId>a &amp; b</volumeId></item>
  </volumeSet>
</DescribeVolumesResponse>
";

    #[test]
    fn elements_are_found_by_their_path() {
        let xml = Xml::parse(VOLUMES).unwrap();
        assert_eq!(xml.text("volumeSet/item/size"), Some("30"));
        assert_eq!(xml.text("volumeSet/item/empty"), None);
        let items = xml.all("volumeSet/item");
        assert_eq!(items.len(), 2);
        assert_eq!(items[1].text("volumeId"), Some("a & b"));
        assert!(xml.all("volumeSet/nothing").is_empty());
    }

    /// However it is cut, it is never taken for an answer with less in it.
    #[test]
    fn half_an_answer_is_none() {
        let whole = VOLUMES.trim_end();
        for end in (1..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            assert!(Xml::parse(&whole[..end]).is_err(), "{}", &whole[..end]);
        }
        assert!(Xml::parse("").is_err() && Xml::parse("{}").is_err());
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        assert!(Xml::parse(&deep).is_err());
    }
}
