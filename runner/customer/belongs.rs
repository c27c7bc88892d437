//! Whose incident it is: by PagerDuty service, or by words of its title. Pure.

use crate::fields::Fields;
use crate::finding::Findings;
use crate::folding::fold;
use crate::incident::Named;
use crate::yaml::Node;

/// What marks a customer's incidents. A service of its own decides before any title: titles are
/// written by whoever sends the alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongs {
    /// PagerDuty services by id or name; each belongs to one customer.
    pub services: Vec<String>,
    /// For services that several customers share.
    pub title: Option<TitleWords>,
}

/// Words a title must or must not have, whatever their case and width.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TitleWords {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl TitleWords {
    /// `folded` is the title after [`fold`].
    pub fn fit(&self, folded: &str) -> bool {
        let has = |word: &String| folded.contains(word.as_str());
        self.all.iter().all(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && !self.none.iter().any(has)
    }
}

/// The incidents that a run may know of: its customer's, and no other's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    pub belongs: Belongs,
    /// The service of the run's own incident. Titles count there only: elsewhere they may be those of
    /// another customer, whose service it is.
    pub service: Option<Named>,
}

impl Neighbours {
    pub fn has(&self, service: &Named, title: &str) -> bool {
        let Belongs { services, title: words } = &self.belongs;
        let is_own = services.contains(&service.id) || services.contains(&service.name);
        let is_shared = self.service.as_ref().is_some_and(|own| own.id == service.id);
        is_own || is_shared && words.as_ref().is_some_and(|words| words.fit(&fold(title)))
    }
}

pub(super) fn read(node: &Node, findings: &mut Findings) -> Belongs {
    let Some(fields) = Fields::of(node, "belongs", findings) else { return Belongs::default() };
    let services = fields.texts("services", findings).into_iter().map(|at| at.value).collect();
    let title = fields.get("title").and_then(|node| read_title(node, findings));
    fields.finish(findings);
    Belongs { services, title }
}

fn read_title(node: &Node, findings: &mut Findings) -> Option<TitleWords> {
    let fields = Fields::of(node, "belongs.title", findings)?;
    let mut words = |key| -> Vec<String> {
        let written = fields.texts(key, findings);
        written.iter().map(|at| fold(at.value.trim())).filter(|word| !word.is_empty()).collect()
    };
    let words = TitleWords { all: words("all"), any: words("any"), none: words("none") };
    fields.finish(findings);
    if words.all.is_empty() && words.any.is_empty() {
        findings.add(
            "no-keywords",
            node.place,
            "without words under 'all' or 'any' every title would be this customer's",
            "give at least one",
        );
        return None;
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> TitleWords {
        let words = |word: &str| vec![fold(word)];
        TitleWords { all: words("[SHOP]"), any: Vec::new(), none: words("test") }
    }

    #[test]
    fn words_are_found_whatever_their_case_and_width() {
        assert!(shop().fit(&fold("［Ｓｈｏｐ］ web is down")));
        assert!(!shop().fit(&fold("[SHOP] TEST")));
        assert!(!shop().fit(&fold("SHOP is down")));
    }

    #[test]
    fn of_a_shared_service_a_run_knows_what_has_its_customers_words() {
        let named = |id: &str| Named { id: id.to_owned(), name: id.to_lowercase() };
        let belongs = Belongs { services: vec!["PSHOP".to_owned()], title: Some(shop()) };
        let neighbours = Neighbours { belongs, service: Some(named("PSHARED")) };
        assert!(neighbours.has(&named("PSHOP"), "anything"));
        assert!(neighbours.has(&named("PSHARED"), "[shop] disk"));
        assert!(!neighbours.has(&named("PSHARED"), "[other] disk"));
        assert!(!neighbours.has(&named("POTHER"), "[shop] disk"));
    }
}
