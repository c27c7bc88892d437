//! A hand-off as Block Kit, within Slack's limits. Pure.
//!
//! Text from outside is escaped, so that no title calls `@channel` or shows a link as another one.

use serde_json::{Value, json};

use crate::limits;

/// What a message says, unescaped.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// What is asked of the reader.
    pub headline: String,
    /// Side by side: name and value.
    pub fields: Vec<(String, String)>,
    /// One below the other.
    pub sections: Vec<String>,
    /// Name and address.
    pub links: Vec<(String, String)>,
    /// Small print.
    pub foot: String,
}

impl Content {
    pub fn blocks(&self) -> Value {
        let mut room = limits::SLACK_MESSAGE_CHARS;
        let mut take = |text: String, most: usize| {
            let text = cut(&text, most.min(room));
            room = room.saturating_sub(text.chars().count());
            text
        };
        let headline = take(self.headline.clone(), limits::SLACK_HEADER_CHARS);
        let foot = take(escape(&self.foot), limits::SLACK_FIELD_CHARS);
        let links: Vec<String> = self
            .links
            .iter()
            .map(|(name, url)| format!("<{}|{}>", escape(url), escape(name)))
            .collect();
        // Half a link is no link.
        let links = take(links.join("　"), limits::SLACK_SECTION_CHARS);
        let fields: Vec<Value> = self
            .fields
            .iter()
            .map(|(name, value)| {
                let value = format!("*{}*\n{}", escape(name), escape(value));
                mrkdwn(&take(value, limits::SLACK_FIELD_CHARS))
            })
            .collect();
        let plain = json!({"type": "plain_text", "text": headline, "emoji": false});
        let mut blocks = vec![json!({"type": "header", "text": plain})];
        if !fields.is_empty() {
            blocks.push(json!({"type": "section", "fields": fields}));
        }
        let ends = usize::from(!links.is_empty()) + usize::from(!foot.is_empty());
        for text in &self.sections {
            let text = take(escape(text.trim()), limits::SLACK_SECTION_CHARS);
            if !text.is_empty() && blocks.len() + ends < limits::SLACK_BLOCKS {
                blocks.push(section(&text));
            }
        }
        if !links.is_empty() {
            blocks.push(section(&links));
        }
        if !foot.is_empty() {
            blocks.push(json!({"type": "context", "elements": [mrkdwn(&foot)]}));
        }
        Value::Array(blocks)
    }
}

/// An author's own words, in which values were filled in escaped: Slack's marks in them are meant.
pub fn own_words(text: &str) -> Value {
    let mut blocks = Vec::new();
    let mut rest: Vec<char> = text.trim().chars().take(limits::SLACK_MESSAGE_CHARS).collect();
    while !rest.is_empty() && blocks.len() < limits::SLACK_BLOCKS {
        let most = rest.len().min(limits::SLACK_SECTION_CHARS);
        // Between lines, where there is one to cut at.
        let line = rest[..most].iter().rposition(|c| *c == '\n').filter(|at| *at > 0);
        let at = if rest.len() == most { most } else { line.unwrap_or(most) };
        let part: String = rest.drain(..at).collect();
        if !part.trim().is_empty() {
            blocks.push(section(part.trim()));
        }
    }
    Value::Array(blocks)
}

/// Slack's three (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text})
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    // An escape that was cut in two would be shown as it is.
    let whole = match kept.rfind('&') {
        Some(at) if !kept[at..].contains(';') => &kept[..at],
        _ => &kept,
    };
    format!("{whole}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(blocks: &Value) -> usize {
        match blocks {
            Value::Object(map) => map.values().map(chars).sum(),
            Value::Array(items) => items.iter().map(chars).sum(),
            Value::String(text) => text.chars().count(),
            _ => 0,
        }
    }

    #[test]
    fn a_title_cannot_call_everybody() {
        let content = Content {
            sections: vec!["<!channel> & <http://x|y>".to_owned()],
            ..Content::default()
        };
        let text = content.blocks()[1]["text"]["text"].clone();
        assert_eq!(text, json!("&lt;!channel&gt; &amp; &lt;http://x|y&gt;"));
    }

    #[test]
    fn whatever_is_said_fits_into_slack() {
        let long = "障害<".repeat(4_000);
        let content = Content {
            headline: long.clone(),
            fields: vec![("a".to_owned(), long.clone()); 3],
            sections: vec![long.clone(); 90],
            links: vec![("PagerDuty".to_owned(), "https://example.com/1".to_owned())],
            foot: "[ams:Q1/1:chat]".to_owned(),
        };
        let blocks = content.blocks();
        let list = blocks.as_array().unwrap();
        assert!(list.len() <= limits::SLACK_BLOCKS);
        let section = |it: &Value| it["text"]["text"].as_str().map_or(0, |it| it.chars().count());
        assert!(list.iter().all(|it| section(it) <= limits::SLACK_SECTION_CHARS));
        assert!(list[1]["fields"].as_array().unwrap().iter().all(|it| {
            it["text"].as_str().unwrap().chars().count() <= limits::SLACK_FIELD_CHARS
        }));
        // Besides the words there are Slack's own: types.
        assert!(chars(&blocks) < limits::SLACK_MESSAGE_CHARS + 1_000);
        let last = &list[list.len() - 1]["elements"][0]["text"];
        assert_eq!(last, "[ams:Q1/1:chat]", "the small print is never what is cut off");
    }

    #[test]
    fn own_words_are_split_between_lines() {
        let text = format!("<!here> {}\n{}", "a".repeat(2_900), "b".repeat(2_900));
        let blocks = own_words(&text);
        assert_eq!(blocks.as_array().unwrap().len(), 2);
        assert!(blocks[0]["text"]["text"].as_str().unwrap().starts_with("<!here>"));
        assert!(blocks[1]["text"]["text"].as_str().unwrap().starts_with('b'));
    }
}
