//! Ways to ask: hashes, several at once, and what stands beside the question.

use pki_core::{DigestAlgorithm, Extension, SignatureAlgorithm, tlv};

use crate::{
    Check, Judgement,
    ocsp::{
        Session,
        question::{CertIdDraft, PREFERRED_ALGORITHMS, Question, UNHEARD_OF},
        sections::{
            ALGORITHMS, BASIC, LIGHT_REQUEST, LIGHT_SIGNED_REQUEST, PREFERENCES, REQUEST, REQUEST_NOTES,
            guard, may, must, must_not, should_not,
        },
        session::{Status, status},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "cert-id-sha-256",
        clause: must(LIGHT_REQUEST, "a CertID by SHA-256, as new clients send it, is answered, and echoed"),
        run: |session| by_digest(session, DigestAlgorithm::Sha256)?.map_err(Judgement::fail),
    },
    Check {
        id: "cert-id-sha-384",
        clause: may(REQUEST, "a CertID by SHA-384"),
        run: |session| {
            by_digest(session, DigestAlgorithm::Sha384)?
                .or_else(|problem| Ok(Judgement::not_offered(problem)))
        },
    },
    Check {
        id: "cert-id-sha-512",
        clause: may(REQUEST, "a CertID by SHA-512"),
        run: |session| {
            by_digest(session, DigestAlgorithm::Sha512)?
                .or_else(|problem| Ok(Judgement::not_offered(problem)))
        },
    },
    Check {
        id: "cert-id-without-parameters",
        clause: guard(REQUEST, "a CertID whose digest has no parameters is echoed without them"),
        run: |session| {
            let mut id = session.good_id();
            id.parameters.clear();
            echoed(session, &id)?.map_err(Judgement::fail)
        },
    },
    Check {
        id: "cert-id-unknown-digest",
        clause: guard(REQUEST, "a CertID by a digest that nobody knows is not called good"),
        run: |session| {
            let mut id = session.good_id();
            id.digest = UNHEARD_OF;
            session.ask_soundly(&Question::about(vec![id]))?.must_not_be_good()
        },
    },
    Check {
        id: "several-questions",
        clause: must(BASIC, "several questions get an answer each, or none at all"),
        run: |session| {
            let unknown = session.id(&session.target.unknown);
            let ids = vec![session.good_id(), unknown];
            let answer = session.ask_soundly(&Question::about(ids.clone()))?;
            let Ok(basic) = answer.basic() else {
                return answer.must_not_be_good().map(|refused| Judgement::not_offered(refused.reason));
            };
            match ids.iter().find(|id| !basic.responses.iter().any(|one| one.cert_id == id.encode())) {
                None => Ok(Judgement::pass(format!("{} answers", basic.responses.len()))),
                Some(_) => {
                    Err(Judgement::fail(format!("{} answers to two questions", basic.responses.len())))
                }
            }
        },
    },
    Check {
        id: "several-questions-apart",
        clause: guard(BASIC, "of several questions each gets its own answer"),
        run: |session| {
            let unknown = session.id(&session.target.unknown);
            let answer = session.ask_soundly(&Question::about(vec![unknown.clone(), session.good_id()]))?;
            let Ok(basic) = answer.basic() else { return Ok(Judgement::not_offered(answer.summary())) };
            let about = |id: &CertIdDraft| basic.responses.iter().find(|one| one.cert_id == id.encode());
            match about(&unknown).map(status) {
                Some(Status::Good) => Err(Judgement::fail("what was never issued got the other's good")),
                Some(_) => Ok(Judgement::pass("it does")),
                None => Ok(Judgement::not_judged("one has no answer")),
            }
        },
    },
    Check {
        id: "many-questions",
        clause: guard(REQUEST, "a thousand questions at once are refused, or answered, and cost no outage"),
        run: |session| {
            let ids: Vec<CertIdDraft> = (0..1000_u32)
                .map(|number| session.id(&[&[0x2B][..], &number.to_be_bytes()].concat()))
                .collect();
            let answer = session.ask_soundly(&Question::about(ids))?;
            session.is_alive()?;
            answer.must_not_be_good()
        },
    },
    Check {
        id: "no-question",
        clause: guard(REQUEST, "a request without a question is answered malformedRequest, or by nothing"),
        run: |session| {
            let answer = session.ask_soundly(&Question::about(Vec::new()))?;
            match answer.basic() {
                Ok(basic) if basic.responses.is_empty() => {
                    Ok(Judgement::tolerated("no answers to no questions"))
                }
                _ => answer.must_not_be_good(),
            }
        },
    },
    Check {
        id: "version-2",
        clause: guard(REQUEST, "a request of a version that there is not is not answered"),
        run: |session| {
            let version = tlv::wrap(0xA0, &[tlv::INTEGER, 1, 1]);
            let question = Question { version, ..session.question() };
            session.ask_soundly(&question)?.may_be_good("the version is not looked at")
        },
    },
    Check {
        id: "extension-unknown",
        clause: must(REQUEST_NOTES, "an extension that is not known and not critical is ignored"),
        run: |session| {
            let mut question = session.question();
            question.extensions.push(Extension::new(UNHEARD_OF, vec![5, 0]));
            session.ask_soundly(&question)?.must_be_good()
        },
    },
    Check {
        id: "single-extension-unknown",
        clause: must(REQUEST_NOTES, "so is one of the single question"),
        run: |session| {
            let mut question = session.question();
            question.single_extensions.push(Extension::new(UNHEARD_OF, vec![5, 0]));
            session.ask_soundly(&question)?.must_be_good()
        },
    },
    Check {
        id: "extension-unknown-critical",
        clause: guard(
            REQUEST_NOTES,
            "one that is critical is refused, or ignored as all clients of old expect",
        ),
        run: |session| {
            let mut question = session.question();
            question.extensions.push(Extension::new(UNHEARD_OF, vec![5, 0]).critical());
            session.ask_soundly(&question)?.may_be_good("it was ignored")
        },
    },
    Check {
        id: "extension-not-echoed",
        clause: should_not(BASIC, "what the responder does not know it does not repeat"),
        run: |session| {
            let mut question = session.question();
            question.extensions.push(Extension::new(UNHEARD_OF, vec![5, 0]));
            let basic = session.ask_soundly(&question)?.basic()?;
            match crate::ocsp::message::extension(&basic.extensions, UNHEARD_OF) {
                None => Ok(Judgement::pass("it does not")),
                Some(_) => Err(Judgement::fail("it does")),
            }
        },
    },
    Check {
        id: "requestor-name-unsigned",
        clause: must(LIGHT_SIGNED_REQUEST, "a requestorName in an unsigned request is as if it were absent"),
        run: |session| {
            let name = tlv::wrap(0xA4, session.target.issuer.subject().as_der());
            let question = Question { requestor: tlv::wrap(0xA1, &name), ..session.question() };
            session.ask_soundly(&question)?.must_be_good()
        },
    },
    Check {
        id: "request-signed",
        clause: may(LIGHT_SIGNED_REQUEST, "a signature on the request may be ignored"),
        run: |session| {
            let name = tlv::wrap(0xA4, session.target.issuer.subject().as_der());
            let bits = tlv::wrap(tlv::BIT_STRING, &[0; 65]);
            let signature = tlv::sequence([&*SignatureAlgorithm::EcdsaSha256.to_der(), &bits]);
            let question = Question {
                requestor: tlv::wrap(0xA1, &name),
                signature: tlv::wrap(0xA0, &signature),
                ..session.question()
            };
            session.ask_soundly(&question)?.is_optional()
        },
    },
    Check {
        id: "preferred-algorithms",
        clause: may(PREFERENCES, "a list of preferred algorithms is heeded, or ignored"),
        run: |session| {
            let question =
                preferring(session, &[SignatureAlgorithm::RsaPkcs1Sha256, SignatureAlgorithm::EcdsaSha256]);
            session.ask_soundly(&question)?.must_be_good()
        },
    },
    Check {
        id: "preferred-algorithm-weak",
        clause: must_not(ALGORITHMS, "nothing is signed with SHA-1 because a client prefers it"),
        run: |session| {
            let question = preferring(session, &[SignatureAlgorithm::RsaPkcs1Sha1]);
            let answer = session.ask_soundly(&question)?;
            let Ok(basic) = answer.basic() else { return answer.must_not_be_good() };
            match SignatureAlgorithm::from_der(&basic.algorithm) {
                Ok(found) if found.digest() == DigestAlgorithm::Sha1 => Err(Judgement::fail("it is")),
                _ => Ok(Judgement::pass("it is not")),
            }
        },
    },
];

/// ```text
/// PreferredSignatureAlgorithms ::= SEQUENCE OF SEQUENCE { sigIdentifier AlgorithmIdentifier, ... }
/// ```
fn preferring(session: &Session, algorithms: &[SignatureAlgorithm]) -> Question {
    let list: Vec<u8> =
        algorithms.iter().flat_map(|algorithm| tlv::sequence([&*algorithm.to_der()])).collect();
    let mut question = session.question();
    question.extensions.push(Extension::new(PREFERRED_ALGORITHMS, tlv::wrap(tlv::SEQUENCE, &list)));
    question
}

/// Answered good under the same CertID; `Err` says what came else.
type Echo = Result<Judgement, String>;

fn by_digest(session: &mut Session, digest: DigestAlgorithm) -> Result<Echo, Judgement> {
    let id = CertIdDraft::new(digest, &session.target.issuer, &session.target.good);
    echoed(session, &id)
}

fn echoed(session: &mut Session, id: &CertIdDraft) -> Result<Echo, Judgement> {
    let answer = session.ask_soundly(&Question::about(vec![id.clone()]))?;
    if !answer.is_good() {
        answer.must_not_be_good()?;
        return Ok(Err(answer.summary()));
    }
    let basic = answer.basic()?;
    if basic.responses.iter().any(|one| one.cert_id == id.encode()) {
        Ok(Ok(Judgement::pass("good, under the same CertID")))
    } else {
        Err(Judgement::fail("good, under another CertID"))
    }
}
