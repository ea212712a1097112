//! Clients and the CA with a bad network between them, in a time of its own: whatever is lost, repeated, reordered or cut
//! off, each transaction gets one certificate, nobody who keeps to the protocol is refused, and nobody waits for ever.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod client;
mod server;

use std::collections::BTreeSet;

use client::{CLIENTS, Client, Stage};
use pki_core::Certificate;
use proptest::{prelude::*, sample::Index};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use server::Server;

/// What may happen next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A client begins to enroll, or to renew what it has.
    Begin(usize),
    /// A client has waited long enough: it sends its request again, or polls where it was told to wait.
    TryAgain(usize),
    /// The same octets once more, as a proxy or an impatient transport sends them.
    Repeat(usize),
    /// One of the requests on their way arrives; which one, nobody can foresee.
    RequestArrives(Index),
    RequestIsLost(Index),
    RequestIsDoubled(Index),
    ReplyArrives(Index),
    ReplyIsLost(Index),
    ReplyIsDoubled(Index),
    /// Two requests arrive at one moment.
    TwoArrive(Index, Index),
    /// Somebody approves what waits.
    Approve,
    /// The next certificate is signed, and the server ends before that is on record.
    ServerEnds,
    /// Time passes, in minutes.
    Wait(u64),
}

/// Which clients have begun, and how often.
#[derive(Debug, Clone)]
struct Model {
    begun: [u8; CLIENTS],
    minutes: u64,
}

/// All of it stays within the day for which a transaction is remembered.
const MINUTES: u64 = 20 * 60;

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self { begun: [0; CLIENTS], minutes: 0 }).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        let index = any::<Index>;
        prop_oneof![
            4 => (0..CLIENTS).prop_map(Step::Begin),
            3 => (0..CLIENTS).prop_map(Step::TryAgain),
            1 => (0..CLIENTS).prop_map(Step::Repeat),
            6 => index().prop_map(Step::RequestArrives),
            2 => index().prop_map(Step::RequestIsLost),
            1 => index().prop_map(Step::RequestIsDoubled),
            6 => index().prop_map(Step::ReplyArrives),
            2 => index().prop_map(Step::ReplyIsLost),
            1 => index().prop_map(Step::ReplyIsDoubled),
            2 => (index(), index()).prop_map(|(one, other)| Step::TwoArrive(one, other)),
            1 => Just(Step::Approve),
            1 => Just(Step::ServerEnds),
            1 => (1..120u64).prop_map(Step::Wait),
        ]
        .boxed()
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        match step {
            Step::Begin(client) => state.begun[*client] < 2,
            Step::TryAgain(client) | Step::Repeat(client) => state.begun[*client] > 0,
            Step::Wait(minutes) => state.minutes + minutes <= MINUTES,
            _ => true,
        }
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        match step {
            Step::Begin(client) => state.begun[*client] += 1,
            Step::Wait(minutes) => state.minutes += minutes,
            _ => {}
        }
        state
    }
}

/// An envelope of the network: whose it is, and its octets.
type Packet = (usize, Vec<u8>);

struct World {
    server: Server,
    clients: Vec<Client>,
    requests: Vec<Packet>,
    replies: Vec<Packet>,
}

impl World {
    fn take(packets: &mut Vec<Packet>, index: Index) -> Option<Packet> {
        (!packets.is_empty()).then(|| packets.remove(index.index(packets.len())))
    }

    fn double(packets: &mut Vec<Packet>, index: Index) {
        if !packets.is_empty() {
            packets.push(packets[index.index(packets.len())].clone());
        }
    }

    /// The server answers, or it is as if the connection broke.
    fn arrive(&mut self, requests: Vec<Packet>) {
        let replies = self.server.answer_at_once(&requests);
        let owners = requests.into_iter().map(|(owner, _)| owner);
        self.replies.extend(owners.zip(replies).filter_map(|(owner, reply)| Some((owner, reply?))));
    }

    fn take_step(&mut self, step: Step) {
        match step {
            Step::Begin(client) => {
                let sent = self.clients[client].begin(&self.server);
                self.requests.extend(sent.map(|message| (client, message)));
            }
            Step::TryAgain(client) => {
                let sent = self.clients[client].try_again(&self.server);
                self.requests.extend(sent.map(|message| (client, message)));
            }
            Step::Repeat(client) => {
                let sent = self.clients[client].last_sent();
                self.requests.extend(sent.map(|message| (client, message)));
            }
            Step::RequestArrives(index) => {
                let request = Self::take(&mut self.requests, index);
                self.arrive(request.into_iter().collect());
            }
            Step::TwoArrive(one, other) => {
                let first = Self::take(&mut self.requests, one);
                let second = Self::take(&mut self.requests, other);
                self.arrive(first.into_iter().chain(second).collect());
            }
            Step::ReplyArrives(index) => {
                if let Some((client, reply)) = Self::take(&mut self.replies, index) {
                    self.clients[client].receive(&reply);
                }
            }
            Step::RequestIsLost(index) => drop(Self::take(&mut self.requests, index)),
            Step::ReplyIsLost(index) => drop(Self::take(&mut self.replies, index)),
            Step::RequestIsDoubled(index) => Self::double(&mut self.requests, index),
            Step::ReplyIsDoubled(index) => Self::double(&mut self.replies, index),
            Step::Approve => self.server.approve_all(),
            Step::ServerEnds => self.server.end_before_the_next_record(),
            Step::Wait(minutes) => self.server.pass(minutes),
        }
    }

    /// Everything arrives from now on, in order.
    fn calm(&mut self) {
        self.server.approve_all();
        for _ in 0..4 {
            let requests = std::mem::take(&mut self.requests);
            for request in requests {
                self.arrive(vec![request]);
            }
            for (client, reply) in std::mem::take(&mut self.replies) {
                self.clients[client].receive(&reply);
            }
            self.server.approve_all();
            for (number, client) in self.clients.iter_mut().enumerate() {
                self.requests.extend(client.try_again(&self.server).map(|message| (number, message)));
            }
        }
    }

    fn of(server: Server) -> Self {
        let clients = (0..CLIENTS).map(Client::new).collect();
        Self { server, clients, requests: Vec::new(), replies: Vec::new() }
    }

    fn begun(&self) -> usize {
        self.clients.iter().map(|client| client.begun).sum()
    }
}

impl StateMachineTest for World {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        Self::of(Server::with_ledger())
    }

    fn apply(mut state: Self, _: &Model, step: Step) -> Self {
        state.take_step(step);
        state
    }

    fn check_invariants(state: &Self, _: &Model) {
        let issued = state.server.witness.issued();
        assert!(
            issued.values().all(|certificates| certificates.len() == 1),
            "two certificates in a transaction"
        );
        assert!(state.server.witness.intents() <= state.begun(), "more was begun than was asked for");
        let on_record: BTreeSet<[u8; 32]> = issued.values().flatten().map(Certificate::fingerprint).collect();
        for certificate in state.clients.iter().flat_map(|client| &client.received) {
            assert!(on_record.contains(&certificate.fingerprint()), "a certificate that is not on record");
        }
    }

    fn teardown(mut state: Self, _: Model) {
        state.calm();
        for client in &state.clients {
            assert_eq!(
                client.received.len(),
                client.begun,
                "client {} is stuck: {:?}",
                client.number,
                client.stage
            );
            assert!(matches!(client.stage, Stage::Idle), "{:?}", client.stage);
        }
        let witness = &state.server.witness;
        assert_eq!((witness.issued().len(), witness.intents()), (state.begun(), state.begun()));
    }
}

/// The same with two servers that keep no record; requests come to one and the other in turn.
struct TwoWithoutLedger;

impl StateMachineTest for TwoWithoutLedger {
    type SystemUnderTest = World;
    type Reference = Model;

    fn init_test(_: &Model) -> World {
        World::of(Server::two_without_ledger())
    }

    fn apply(state: World, model: &Model, step: Step) -> World {
        <World as StateMachineTest>::apply(state, model, step)
    }

    fn check_invariants(state: &World, model: &Model) {
        World::check_invariants(state, model);
    }

    fn teardown(state: World, model: Model) {
        World::teardown(state, model);
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 500, failure_persistence: None, ..ProptestConfig::default() })]

    // clause: RFC 8894 S9, S25, M11, M16
    #[test]
    fn one_certificate_a_transaction_and_nothing_stuck(sequential 1..40 => World);

    // clause: RFC 8894 S25, M16
    #[test]
    fn one_certificate_a_transaction_though_nobody_keeps_a_record(sequential 1..40 => TwoWithoutLedger);
}
