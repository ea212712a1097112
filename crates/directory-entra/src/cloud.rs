//! Where Microsoft's clouds are.

/// One of Microsoft's clouds. They share nothing: a tenant lives in one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "a new one is a new release")]
pub enum Cloud {
    /// The one that everybody uses.
    #[default]
    Global,
    /// US Government L4, also called GCC High.
    UsGovernment,
    /// US Government L5, of the Department of Defense.
    UsDefense,
    /// China, operated by 21Vianet.
    China,
}

/// The two services that are talked to, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update on a cloud's own")]
pub struct Endpoints {
    /// Where tokens come from.
    pub login: String,
    /// Microsoft Graph, without a version.
    pub graph: String,
}

impl Cloud {
    /// Its services.
    pub fn endpoints(self) -> Endpoints {
        let (login, graph) = match self {
            Self::Global => ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
            Self::UsGovernment => ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
            Self::UsDefense => ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
            Self::China => {
                ("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn")
            }
        };
        Endpoints { login: login.to_owned(), graph: graph.to_owned() }
    }
}

impl Endpoints {
    /// Where an app gets its tokens; this is also whom a statement in place of a secret is for.
    pub fn token_url(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/token", self.login.trim_end_matches('/'))
    }

    /// What an app's tokens are for.
    pub fn scope(&self) -> String {
        format!("{}/.default", self.resource())
    }

    /// What a managed identity's tokens are for.
    pub fn resource(&self) -> &str {
        self.graph.trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_has_its_own_services() {
        let cases = [
            (Cloud::Global, "login.microsoftonline.com", "graph.microsoft.com"),
            (Cloud::UsGovernment, "login.microsoftonline.us", "graph.microsoft.us"),
            (Cloud::UsDefense, "login.microsoftonline.us", "dod-graph.microsoft.us"),
            (Cloud::China, "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
        ];
        for (cloud, login, graph) in cases {
            let endpoints = cloud.endpoints();
            assert_eq!(endpoints.token_url("t"), format!("https://{login}/t/oauth2/v2.0/token"));
            assert_eq!(endpoints.scope(), format!("https://{graph}/.default"));
            assert_eq!(endpoints.resource(), format!("https://{graph}"));
        }
    }
}
