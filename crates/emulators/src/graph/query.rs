//! What a client wants to see.

use super::{Call, Refused, filter::Filter, resources::Resource};

/// The most that a page may have.
const MOST: usize = 999;

#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) select: Option<Vec<String>>,
    pub(super) filter: Option<Filter>,
    pub(super) top: Option<usize>,
    /// `$skiptoken` or `$deltatoken`, whichever there is.
    pub(super) token: Option<String>,
}

impl Query {
    /// Reads those of `allowed`; another option of the system's own is refused, others are ignored as OData says.
    pub(super) fn parse(call: &Call<'_>, resource: &Resource, allowed: &[&str]) -> Result<Self, Refused> {
        let mut query = Self::default();
        for (name, value) in call.asked.query.iter().filter(|(name, _)| name.starts_with('$')) {
            if !allowed.contains(&&**name) {
                let text =
                    format!("The query specified in the URI is not valid. {name} is not supported here.");
                return Err(Refused::new(400, "Request_UnsupportedQuery", text));
            }
            match &**name {
                "$select" => query.select = Some(select(call, resource, value)?),
                "$filter" => query.filter = Some(Filter::parse(call, resource, value)?),
                "$top" => query.top = Some(top(value)?),
                _ => query.token = Some(value.clone()),
            }
        }
        Ok(query)
    }
}

fn select(call: &Call<'_>, resource: &Resource, text: &str) -> Result<Vec<String>, Refused> {
    let names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().find(|name| !resource.knows(call.version, name)) {
        None => Ok(names),
        Some(unknown) => {
            let text = format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{unknown}' on type '{}'.",
                resource.of
            );
            Err(Refused::bad_request(text))
        }
    }
}

fn top(text: &str) -> Result<usize, Refused> {
    let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| {
        let text = format!("Invalid page size specified: '{text}'. Must be between 1 and {MOST} inclusive.");
        Refused::new(400, "Request_UnsupportedQuery", text)
    })
}
