//! Limits on documents, judged before they cost anything.
//!
//! A fragment bomb (`fragment A { ...B ...B }`, `fragment B { ...C ...C }`, …) is short and expands without bound, and the
//! GraphQL library walks the expansion. So the text is scanned before it is parsed, and the expansion is computed with
//! each fragment visited once before anything else walks the document.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use async_graphql::parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned};

/// The deepest nesting of brackets, of any kind; it bounds the parser's recursion.
const NESTING_MAX: usize = 32;

/// Most steps of introspection, estimated: the query that clients send takes some 120,000.
const INTROSPECTION_MAX: u64 = 200_000;

/// Lists of the introspection schema, each with about as many elements as it has here on average. Whoever asks for types of
/// fields of types … multiplies them.
const LISTS: [(&str, u64); 8] = [
    ("types", 100),
    ("fields", 10),
    ("directives", 10),
    ("enumValues", 3),
    ("possibleTypes", 3),
    ("inputFields", 2),
    ("args", 2),
    ("interfaces", 2),
];

/// What a document may be, and what answering it may take. What counts fields, aliases and directives counts them after
/// fragments are expanded, over all operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest document, in bytes.
    pub bytes_max: usize,
    /// Most tokens.
    pub tokens_max: usize,
    /// Deepest nesting of fields; introspection is exempt.
    pub depth_max: u64,
    /// Most fields and fragments.
    pub fields_max: u64,
    /// Most fields with an alias.
    pub aliases_max: u64,
    /// Most directives.
    pub directives_max: u64,
    /// Most complexity: fields, times the elements that lists can have; a field that asks the engine counts 25 to 200.
    pub complexity_max: usize,
    /// Longest computing of one answer; looked at before each question to the engine.
    pub time_max: Duration,
    /// Whether `__schema` and `__type` are answered.
    pub introspection: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 64 << 10,
            tokens_max: 5_000,
            depth_max: 14,
            fields_max: 2_000,
            aliases_max: 200,
            directives_max: 100,
            complexity_max: 50_000,
            time_max: Duration::from_secs(10),
            introspection: true,
        }
    }
}

/// When to stop computing an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Instant);

impl Deadline {
    pub(crate) fn is_over(self) -> bool {
        Instant::now() > self.0
    }
}

/// Which limit a document passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LimitError {
    #[error("the document is longer than {0} bytes")]
    Bytes(usize),
    #[error("the document has more than {0} tokens")]
    Tokens(usize),
    #[error("brackets are nested more than {NESTING_MAX} deep")]
    Nesting,
    #[error("fields are nested more than {0} deep")]
    Depth(u64),
    #[error("the document expands to more than {0} fields and fragments")]
    Fields(u64),
    #[error("the document expands to more than {0} aliases")]
    Aliases(u64),
    #[error("the document expands to more than {0} directives")]
    Directives(u64),
    #[error("the document costs {requested} points, and one may cost {limit}: ask for less at a time")]
    Complexity { requested: u32, limit: usize },
    #[error("the document asks for too much of the schema at a time: more than {INTROSPECTION_MAX} steps")]
    Introspection,
    #[error("introspection is switched off here: take the schema from /schema.graphql")]
    NoIntrospection,
    #[error("a fragment contains itself")]
    Cycle,
}

/// Counts tokens and nesting without parsing. Any text passes the scan in one go; what is no GraphQL is the parser's matter.
pub(crate) fn check_text(query: &str, limits: &Limits) -> Result<(), LimitError> {
    if query.len() > limits.bytes_max {
        return Err(LimitError::Bytes(limits.bytes_max));
    }
    let (mut tokens, mut nesting) = (0_usize, 0_usize);
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ' ' | '\t' | '\r' | '\n' | ',' | '\u{feff}' => {
                rest = rest.get(first.len_utf8()..).unwrap_or("");
                continue;
            }
            '#' => {
                rest = rest.find(['\n', '\r']).and_then(|end| rest.get(end..)).unwrap_or("");
                continue;
            }
            '"' => string_length(rest),
            'A'..='Z' | 'a'..='z' | '_' | '0'..='9' | '-' => word_length(rest),
            _ => first.len_utf8(),
        };
        match first {
            '{' | '[' | '(' => nesting += 1,
            '}' | ']' | ')' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        tokens += 1;
        if tokens > limits.tokens_max {
            return Err(LimitError::Tokens(limits.tokens_max));
        }
        if nesting > NESTING_MAX {
            return Err(LimitError::Nesting);
        }
        rest = rest.get(length..).unwrap_or("");
    }
    Ok(())
}

fn word_length(text: &str) -> usize {
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
    text.find(|c| !in_word(c)).unwrap_or(text.len())
}

/// Length of the string at the start of the text, quotes included; to the end of the text where it is never closed.
fn string_length(text: &str) -> usize {
    let block = text.starts_with("\"\"\"");
    let quote = if block { "\"\"\"" } else { "\"" };
    let mut at = quote.len();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if block && rest.starts_with("\\\"\"\"") {
            at += 4;
        } else if rest.starts_with(quote) {
            return at + quote.len();
        } else if !block && rest.starts_with('\\') {
            at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
        } else if !block && rest.starts_with(['\n', '\r']) {
            return at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// What a selection expands to.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    fields: u64,
    aliases: u64,
    directives: u64,
    depth: u64,
    /// Steps, were all of it introspection.
    steps: u64,
    /// Steps of what is.
    introspection: u64,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.depth = self.depth.max(other.depth);
        self.steps = self.steps.saturating_add(other.steps);
        self.introspection = self.introspection.saturating_add(other.introspection);
    }

    fn check(self, limits: &Limits) -> Result<(), LimitError> {
        let Limits { depth_max, fields_max, aliases_max, directives_max, introspection, .. } = *limits;
        match self {
            Self { introspection: 1.., .. } if !introspection => Err(LimitError::NoIntrospection),
            Self { introspection: steps, .. } if steps > INTROSPECTION_MAX => Err(LimitError::Introspection),
            Self { fields, .. } if fields > fields_max => Err(LimitError::Fields(fields_max)),
            Self { aliases, .. } if aliases > aliases_max => Err(LimitError::Aliases(aliases_max)),
            Self { directives, .. } if directives > directives_max => Err(LimitError::Directives(directives_max)),
            Self { depth, .. } if depth > depth_max => Err(LimitError::Depth(depth_max)),
            _ => Ok(()),
        }
    }
}

/// Measures the expansion of every operation and every fragment, each fragment once.
pub(crate) fn check_document(document: &ExecutableDocument, limits: &Limits) -> Result<(), LimitError> {
    let mut walk = Walk { fragments: &document.fragments, sizes: HashMap::new() };
    let mut all = Size::default();
    for (_, operation) in document.operations.iter() {
        all.add(walk.selection(&operation.node.selection_set.node)?);
        all.directives += operation.node.directives.len() as u64;
    }
    // Fragments that no operation spreads are validated too.
    for (name, fragment) in &document.fragments {
        walk.fragment(name, fragment)?.check(limits)?;
    }
    all.check(limits)
}

struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// `None` while the fragment is being walked: meeting it again is a cycle.
    sizes: HashMap<&'a str, Option<Size>>,
}

impl<'a> Walk<'a> {
    fn selection(&mut self, set: &'a SelectionSet) -> Result<Size, LimitError> {
        let mut all = Size::default();
        for item in &set.items {
            let (directives, mut inner) = match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let mut inner = self.selection(&field.selection_set.node)?;
                    let name = field.name.node.as_str();
                    inner.depth = if name.starts_with("__") { 0 } else { inner.depth + 1 };
                    let elements = LISTS.iter().find(|(list, _)| *list == name).map_or(1, |&(_, elements)| elements);
                    // Making a list takes time whatever is asked of its elements.
                    let own = elements * elements / 5 + 1;
                    inner.steps = inner.steps.saturating_mul(elements).saturating_add(own);
                    if matches!(name, "__schema" | "__type") {
                        inner.introspection = inner.introspection.saturating_add(inner.steps);
                    }
                    inner.aliases = inner.aliases.saturating_add(field.alias.is_some().into());
                    (field.directives.len(), inner)
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.directives.len(), self.selection(&fragment.node.selection_set.node)?)
                }
                Selection::FragmentSpread(spread) => {
                    let fragments = self.fragments;
                    let size = match fragments.get_key_value(&spread.node.fragment_name.node) {
                        Some((name, fragment)) => self.fragment(name, fragment)?,
                        // Validation says that there is no such fragment.
                        None => Size::default(),
                    };
                    (spread.node.directives.len(), size)
                }
            };
            inner.fields = inner.fields.saturating_add(1);
            inner.directives = inner.directives.saturating_add(directives as u64);
            all.add(inner);
        }
        Ok(all)
    }

    fn fragment(&mut self, name: &'a Name, fragment: &'a Positioned<FragmentDefinition>) -> Result<Size, LimitError> {
        match self.sizes.get(name.as_str()) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(LimitError::Cycle),
            None => {}
        }
        // As many fragments on the way as the depth permits; the recursion stays as shallow.
        if self.sizes.values().filter(|size| size.is_none()).count() > NESTING_MAX {
            return Err(LimitError::Nesting);
        }
        self.sizes.insert(name.as_str(), None);
        let size = self.selection(&fragment.node.selection_set.node)?;
        self.sizes.insert(name.as_str(), Some(size));
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    fn check(query: &str) -> Result<(), LimitError> {
        check_text(query)?;
        check_document(&parse_query(query).expect("graphql"), &Limits::default())
    }

    fn check_text(query: &str) -> Result<(), LimitError> {
        super::check_text(query, &Limits::default())
    }

    #[test]
    fn a_fragment_bomb_is_refused_without_walking_it() {
        let mut bomb = "{ ...F0 }".to_owned();
        for n in 0..25 {
            bomb += &format!("fragment F{n} on Query {{ ...F{} ...F{} }}", n + 1, n + 1);
        }
        bomb += "fragment F25 on Query { __typename }";
        assert!(bomb.len() < 1_500);
        assert_eq!(check(&bomb), Err(LimitError::Fields(2_000)));
        // The same where no operation spreads it.
        assert_eq!(check(&bomb.replacen("...F0", "__typename", 1)), Err(LimitError::Fields(2_000)));
    }

    #[test]
    fn a_cycle_and_a_long_chain_are_refused() {
        assert_eq!(check("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"), Err(LimitError::Cycle));
        let mut chain = "{ ...F0 }".to_owned();
        for n in 0..100 {
            chain += &format!("fragment F{n} on Query {{ ...F{} }}", n + 1);
        }
        chain += "fragment F100 on Query { __typename }";
        assert_eq!(check(&chain), Err(LimitError::Nesting));
    }

    #[test]
    fn depth_counts_fields_and_exempts_introspection() {
        let nested = |field: &str, depth: usize| {
            format!("{{ {} x {} }}", format!("{field} {{ ").repeat(depth), "}".repeat(depth))
        };
        assert_eq!(check(&nested("a", 13)), Ok(()));
        assert_eq!(check(&nested("a", 14)), Err(LimitError::Depth(14)));
        assert_eq!(check(&format!("{{ __schema {} }}", nested("a", 20))), Ok(()));
        assert_eq!(check(&nested("a", 32)), Err(LimitError::Nesting));
    }

    /// What graphql-js asks with all its options, deprecated things included.
    const USUAL: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
        subscriptionType { name kind } types { ...FullType } directives { name description isRepeatable locations
        args(includeDeprecated: true) { ...InputValue } } } }
        fragment FullType on __Type { kind name description specifiedByURL isOneOf fields(includeDeprecated: true) { name
        description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
        inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
        possibleTypes { ...TypeRef } }
        fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated
        deprecationReason } fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        } } } } } } } } } }";

    #[test]
    fn introspection_is_answered_once_and_not_in_circles() {
        assert_eq!(check(USUAL), Ok(()));
        assert_eq!(check(&USUAL.replace("__schema {", "a: __schema { types { name } } __schema {")), Ok(()));
        assert_eq!(check(&USUAL.replacen("...FullType", "...FullType fields { type { ...FullType } }", 1)), too_much());
        let circle = |turns: usize| {
            let (open, close) = ("fields { type { ofType { ".repeat(turns), "} } } ".repeat(turns));
            format!("{{ __schema {{ types {{ {open} name {close} }} }} }}")
        };
        assert_eq!(check(&circle(1)), Ok(()));
        assert_eq!(check(&circle(4)), too_much());
        let repeated = |times: usize| format!("{{ {} }}", "__schema { types { name } } ".repeat(times));
        assert_eq!(check(&repeated(50)), Ok(()));
        assert_eq!(check(&repeated(200)), too_much());
        assert_eq!(check("{ __type(name: \"A\") { name } }"), Ok(()));
        let off = Limits { introspection: false, ..Limits::default() };
        let check_off = |query: &str| check_document(&parse_query(query).expect("graphql"), &off);
        assert_eq!(check_off("{ a { __typename types } }"), Ok(()));
        for query in
            ["{ __schema { description } }", "{ ...F } fragment F on Query { x: __type(name: \"A\") { name } }"]
        {
            assert_eq!(check_off(query), Err(LimitError::NoIntrospection));
        }
    }

    fn too_much() -> Result<(), LimitError> {
        Err(LimitError::Introspection)
    }

    #[test]
    fn aliases_and_directives_count_wherever_they_are_spread() {
        let spread = |times: usize, selection: &str| {
            format!("{{ {} }} fragment F on Query {{ {selection} }}", "...F ".repeat(times))
        };
        assert_eq!(check(&spread(100, "a: x b: y")), Ok(()));
        assert_eq!(check(&spread(101, "a: x b: y")), Err(LimitError::Aliases(200)));
        assert_eq!(check(&spread(50, "x @a ... @b { y }")), Ok(()));
        assert_eq!(check(&spread(51, "x @a ... @b { y }")), Err(LimitError::Directives(100)));
        assert_eq!(check(&format!("query {} {{ x }}", "@a ".repeat(101))), Err(LimitError::Directives(100)));
        assert_eq!(check(&format!("{{ {} }}", "...F @a ".repeat(101))), Err(LimitError::Directives(100)));
    }

    #[test]
    fn text_is_bounded_before_it_is_parsed() {
        assert_eq!(check_text(&"{".repeat(40_000)), Err(LimitError::Nesting));
        assert_eq!(check_text(&"a ".repeat(6_000)), Err(LimitError::Tokens(5_000)));
        assert_eq!(check_text(&" ".repeat(70_000)), Err(LimitError::Bytes(64 << 10)));
        assert_eq!(check_text(&"... ".repeat(2_000)), Err(LimitError::Tokens(5_000)));
    }

    #[test]
    fn strings_and_comments_are_one_token_or_none() {
        let brackets = "{".repeat(100);
        assert_eq!(check_text(&format!("{{ a(b: \"{brackets}\\\"{brackets}\") }}")), Ok(()));
        assert_eq!(check_text(&format!("{{ a(b: \"\"\"{brackets} \\\"\"\" \" {brackets}\"\"\") }}")), Ok(()));
        assert_eq!(check_text(&format!("# {brackets}\n{{ a }}")), Ok(()));
        assert_eq!(check_text("\"never closed \\"), Ok(()));
        // A string ends with its line, so what follows counts.
        assert_eq!(check_text(&format!("\" \n {brackets}")), Err(LimitError::Nesting));
    }
}
