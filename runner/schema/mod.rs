//! Every field of the files that people write, once: the JSON Schema for editors and the tables of
//! docs/scenarios/reference.md are made of it. A test compares it with what the readers ask for.

pub mod actions;
pub mod aws;
pub mod calendar;
pub mod customer;
pub mod flow;
pub mod json;
pub mod limits;
pub mod packet;
pub mod scenario;
pub mod steps;
pub mod tables;
pub mod test_file;
pub mod ways;

/// A kind of file.
pub struct Document {
    pub title: &'static str,
    pub root: &'static Mapping,
}

pub static SCENARIOS: Document =
    Document { title: "A scenario file of AMS", root: &scenario::FILE };

pub static CUSTOMERS: Document =
    Document { title: "A customer file of AMS", root: &customer::FILE };

pub static TESTS: Document =
    Document { title: "A test file of AMS, beside a scenario file", root: &test_file::FILE };

/// Fields that may stand together.
#[derive(Debug)]
pub struct Mapping {
    /// Stable: names the definition in the schema and the table in the reference.
    pub name: &'static str,
    pub about: &'static str,
    pub own: &'static [Field],
    /// Fields it has in common with others.
    pub shared: &'static [&'static Group],
    /// Exactly one of these sets is given, and nothing of the others.
    pub one_of: &'static [&'static [&'static str]],
    /// At least one of these is given.
    pub any_of: &'static [&'static str],
    /// At most one of each set is given.
    pub not_both: &'static [&'static [&'static str]],
    /// A field, and those of which one must be there for it to have a meaning.
    pub needs: &'static [(&'static str, &'static [&'static str])],
}

impl Mapping {
    pub const fn of(name: &'static str, about: &'static str, own: &'static [Field]) -> Self {
        Self { name, about, own, shared: &[], one_of: &[], any_of: &[], not_both: &[], needs: &[] }
    }

    #[must_use]
    pub const fn shared(mut self, shared: &'static [&'static Group]) -> Self {
        self.shared = shared;
        self
    }

    #[must_use]
    pub const fn one_of(mut self, sets: &'static [&'static [&'static str]]) -> Self {
        self.one_of = sets;
        self
    }

    #[must_use]
    pub const fn any_of(mut self, names: &'static [&'static str]) -> Self {
        self.any_of = names;
        self
    }

    #[must_use]
    pub const fn not_both(mut self, sets: &'static [&'static [&'static str]]) -> Self {
        self.not_both = sets;
        self
    }

    #[must_use]
    pub const fn needs(
        mut self,
        needs: &'static [(&'static str, &'static [&'static str])],
    ) -> Self {
        self.needs = needs;
        self
    }

    /// Its own fields and the shared ones.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.own.iter().chain(self.shared.iter().flat_map(|group| group.fields))
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name == name)
    }

    /// Nothing in it must be given, so an empty value will do.
    pub fn may_be_empty(&self) -> bool {
        self.one_of.is_empty()
            && self.any_of.is_empty()
            && !self.fields().any(|field| field.required)
    }
}

/// Fields that several mappings have.
#[derive(Debug)]
pub struct Group {
    /// Names the table in the reference.
    pub name: &'static str,
    pub fields: &'static [Field],
}

#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// What is taken where it is not given, as it would be written.
    pub default: Option<&'static str>,
    /// What happens without it, where that is no value.
    pub without: Option<&'static str>,
    /// One sentence for operators.
    pub about: &'static str,
    /// The same in Japanese.
    pub ja: &'static str,
    /// As it would be written.
    pub example: Option<&'static str>,
}

pub const fn field(name: &'static str, kind: Kind, about: &'static str, ja: &'static str) -> Field {
    Field { name, kind, required: false, default: None, without: None, about, ja, example: None }
}

impl Field {
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    #[must_use]
    pub const fn default(mut self, written: &'static str) -> Self {
        self.default = Some(written);
        self
    }

    #[must_use]
    pub const fn without(mut self, words: &'static str) -> Self {
        self.without = Some(words);
        self
    }

    #[must_use]
    pub const fn example(mut self, written: &'static str) -> Self {
        self.example = Some(written);
        self
    }
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text; a whole number or a truth value counts as it is written.
    Text,
    /// A text that values may be filled into: `{{ capture.host }}`.
    Template,
    /// A text that is compared or calculated: `used >= 90`.
    Expression,
    /// A text of this form, a regular expression.
    Form(Form),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Whole numbers from and to.
    Number(i64, i64),
    Duration,
    Bool,
    /// Nothing but `true`.
    True,
    /// Whatever the author needs.
    Anything,
    Map(&'static Mapping),
    List(&'static Self),
    /// At least so many in a list; a single one counts as a list of one.
    OneOrMany(usize, &'static Self),
    /// Names of the author's own (of this form), and what each holds.
    ByName(Form, &'static Self),
    Either(&'static [Self]),
    /// A list of steps with these words, all if none is named; at least so many.
    Steps(&'static [&'static str], usize),
}

/// A form a text must have.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// In words, for tables.
    pub words: &'static str,
    pub pattern: &'static str,
    /// A whole number or a truth value counts as it is written.
    pub scalar: bool,
}

pub const SCENARIO_ID: Form =
    Form { words: "id", pattern: "^[a-z][a-z0-9-]{0,79}$", scalar: false };

/// What is referred to in expressions and `{{ }}`.
pub const NAME: Form = Form { words: "name", pattern: "^[a-z][a-z0-9_]{0,39}$", scalar: false };

pub const ANY_NAME: Form = Form { words: "name", pattern: "", scalar: true };

/// Text where a whole number would be something else.
pub const ONLY_TEXT: Form = Form { words: "text", pattern: "", scalar: false };

pub const SOME_TEXT: Form = Form { words: "text", pattern: r"\S", scalar: true };

/// `1h 30m`, largest unit first; more than nothing.
pub const DURATION: &str =
    "^(?=.*[1-9])([0-9]+d ?)?([0-9]+ ?h ?)?([0-9]+ ?m ?)?([0-9]+ ?s ?)?([0-9]+ ?ms)?$";

/// Types of captures, and of what lists hold.
pub const TYPES: [&str; 5] = ["word", "hostname", "number", "path", "text"];

/// Types of parameters and of values read from an output.
pub const ALL_TYPES: [&str; 8] =
    ["word", "hostname", "number", "path", "text", "bool", "any", "table"];

pub const URGENCIES: [&str; 2] = ["high", "low"];

pub const MODES: [&str; 4] = ["off", "shadow", "approve", "auto"];
