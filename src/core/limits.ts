/**
 * Every bound of the library, with its unit and the reason for its number. An option's default is the constant of the
 * same meaning; docs/limits.md is generated from this file.
 */

// Router: times of one connection attempt.

/** Milliseconds to look up one address. A resolver that needs longer has lost the query and will not answer. */
export const RESOLVE_TIMEOUT_MS = 5_000;

/** Milliseconds to open one endpoint: two lost SYNs (1 s and 2 s apart) still get through. */
export const DIAL_TIMEOUT_MS = 3_000;

/** Milliseconds for a whole outbound attempt: a few dead endpoints and one slow handshake fit. */
export const ATTEMPT_TIMEOUT_MS = 20_000;

/** Milliseconds for key exchange, node information and verdict: a dozen round trips of a bad line. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Milliseconds a connection filter may take; one that asks a database has its answer long before. */
export const FILTER_TIMEOUT_MS = 2_000;

/** Milliseconds to flush what is queued when a connection or the router closes: a full default outbox at 2 MiB/s. */
export const DRAIN_TIMEOUT_MS = 2_000;

/** Milliseconds a remote without verdicts has to close a connection it refuses: a few round trips. */
export const PROBATION_MS = 500;

/** Milliseconds of silence after which a connection gives way to a new one of its peer: no live peer dials twice. */
export const SUPERSEDE_AFTER_MS = 5_000;

/** Milliseconds a new connection waits for one of its peer that is closing: a close needs one round trip at most. */
export const CLOSING_WAIT_MS = 250;

/** Milliseconds a silent connection has to answer a probe before it gives way to a new one of its peer. */
export const PROBE_TIMEOUT_MS = 1_000;

/** Messages kept of a connection that is not routed yet, though its remote may send: a burst of a chatty peer. */
export const EARLY_MESSAGES_MAX = 64;

/** Bytes of such messages: one message of the default limit. */
export const EARLY_BYTES_MAX = 1024 * 1024;

// Router: inbound connections.

/** Inbound connections open from one host: several nodes behind one NAT fit, one host cannot take all slots. */
export const INBOUND_MAX_PER_IP = 16;

/** Milliseconds until a host may open one connection more: ten a second leave room for honest reconnects. */
export const INBOUND_WINDOW_MS = 100;

/** Connections a host may open at once after a pause: a restarted host with several nodes. */
export const INBOUND_BURST_PER_IP = 4;

/** Inbound handshakes running at once: at about 1 ms of cryptography each, the event loop stays responsive. */
export const INBOUND_MAX_PENDING_HANDSHAKES = 64;

/** Inbound connections accepted beyond the peer table's capacity, so that refused peers still hear a verdict. */
export const INBOUND_ACCEPTED_MARGIN = 16;

/** Hosts the inbound limiter remembers: about 10 MiB at worst, for a flood from everywhere. */
export const INBOUND_KEYS_MAX = 65_536;

// Router: dialling and memory.

/** Outbound attempts running at once. Dials wait for the network, so this does not follow the number of cores. */
export const DIAL_MAX_CONCURRENT = 64;

/** Bytes of outbound messages queued for one peer: four maximal default messages. */
export const PEER_BUDGET_BYTES = 4 * 1024 * 1024;

/** Bytes of messages queued in the whole router, both directions: 64 stalled peers with full outboxes. */
export const ROUTER_BUDGET_BYTES = 256 * 1024 * 1024;

// Bytes of the wire. The numbers of Tendermint and CometBFT where both ends must agree.

/** Bytes of a length-delimited message before the remote has proven an identity: honest ones have 34 and 102. */
export const HANDSHAKE_BYTES_MAX = 1024;

/** Bytes of encoded node information: upstream's limit, and all that a stranger can make us parse. */
export const MAX_NODE_INFO_BYTES = 10_240;

/** Channels in received node information: upstream's limit. */
export const NODE_INFO_CHANNELS_MAX = 16;

/** Capabilities in received node information: several times what there is to say. */
export const NODE_INFO_CAPABILITIES_MAX = 64;

/** Message bytes per packet sent: what Tendermint v0.34 and CometBFT accept by default. */
export const SEND_PAYLOAD_BYTES = 1024;

/** Message bytes per packet received: the setting is not negotiated, 1024 and 1400 are usual, operators raise it. */
export const RECEIVE_PAYLOAD_BYTES = 16_384;

/** Sealed frames without data in a row: honest peers send none, and each costs us a decryption. */
export const EMPTY_FRAMES_MAX = 100;

/** Packets without data that end no message, in a row: they cost the sender seven bytes each. */
export const EMPTY_PACKETS_MAX = 10_000;

/** Milliseconds between two pings: what every version of upstream does. */
export const PING_INTERVAL_MS = 60_000;

/** Milliseconds of silence with a ping open until a peer is dead: the strictest version of upstream. */
export const PONG_TIMEOUT_MS = 45_000;

/** Accepted sockets that wait for the router: it takes them at once, so more means that it has stopped. */
export const ACCEPT_BACKLOG = 64;

/** Bytes a connection seals and writes before it lets others have the event loop: about 2 ms of cryptography. */
export const WRITE_TURN_BYTES = 256 * 1024;

/** Milliseconds a flushed connection waits for the remote to end it too; closing earlier may cost it the last bytes. */
export const FLUSH_LINGER_MS = 1_000;

/** Milliseconds of silence after which the operating system probes a TCP connection: what Go does by default. */
export const TCP_KEEP_ALIVE_MS = 15_000;

/** Entries of a PEX response that are decoded at all; more than a peer may send, fewer than would hurt. */
export const PEX_DECODED_ENTRIES_MAX = 1024;

/** Addresses and channel ids in a control message that are decoded at all. */
export const CONTROL_DECODED_ENTRIES_MAX = 256;

// Peer core.

/** Addresses kept of one peer: all interfaces of a real node fit, and gossip cannot grow a record without end. */
export const PEER_ADDRESSES_MAX = 16;

/** Bans remembered: about 3 MiB, so that a flood of bad peers cannot grow the list without end. */
export const BANS_MAX = 10_000;

// Peer exchange, asking.

/** Milliseconds between two requests of a router, at the least; doubles as the unit of the interval formula. */
export const PEX_MIN_INTERVAL_MS = 1_000;

/** Milliseconds between two requests of a router, at the most: addresses of a quiet network stay fresh enough. */
export const PEX_MAX_INTERVAL_MS = 600_000;

/** Milliseconds between two requests of a router that has fewer peers than it wants. */
export const PEX_URGENT_INTERVAL_MS = 5_000;

/** Milliseconds between two requests of a router that knows nobody. */
export const PEX_EMPTY_INTERVAL_MS = 1_000;

/** Share of the address store above which asking is pointless (Tendermint v0.35 `pex.fullCapacityInterval`). */
export const PEX_FULL_RATIO = 0.95;

/** Milliseconds between two requests to one peer; ten times what peerchart servers allow. */
export const PEX_PEER_SPACING_MS = 10_000;

/** A client keeps this many times the spacing a server demands, so that no jitter makes it look abusive. */
export const PEX_SPACING_MARGIN = 3;

/** Milliseconds that Tendermint v0.34 and CometBFT demand between requests, on pain of a 24 h ban. */
export const PEX_SERVER_SPACING_COMET_MS = 10_000;

/** Milliseconds that Tendermint v0.35 demands between requests. */
export const PEX_SERVER_SPACING_V35_MS = 200;

/** Milliseconds a peer has to answer a request: v1 answers may need DNS look-ups. */
export const PEX_RESPONSE_TIMEOUT_MS = 10_000;

/** Milliseconds a peer that did not answer is left alone; its late answer is still welcome then. */
export const PEX_REST_MS = 60_000;

/** Responses whose mean number of new addresses paces the requests: long enough to outlast one odd answer. */
export const PEX_YIELD_SAMPLES = 8;

// Peer exchange, answering.

/** Requests a peer may make at once after a pause: a restart or two within a moment. */
export const PEX_SERVER_BURST = 3;

/** Milliseconds until a peer may make one request more. */
export const PEX_SERVER_REFILL_MS = 1_000;

/** Milliseconds the request budget and strikes of a disconnected peer are kept, so that reconnecting gains nothing. */
export const PEX_SERVER_MEMORY_MS = 600_000;

/** Disconnected peers whose request budget is kept: about 2 MiB; the one gone longest is forgotten first. */
export const PEX_SERVER_MEMORY_PEERS = 10_000;

/** Strikes that get a peer evicted. */
export const PEX_STRIKES_MAX = 5;

/** Milliseconds until a strike is forgotten. */
export const PEX_STRIKE_DECAY_MS = 60_000;

// Peer exchange, content.

/** Addresses sent in one response: the most that Tendermint v0.35 accepts. */
export const PEX_SEND_ADDRESSES_MAX = 100;

/** Addresses accepted in one response: the most that Tendermint v0.34 and CometBFT send. */
export const PEX_ACCEPT_ADDRESSES_MAX = 250;

/** Percent of a response that may be addresses nobody has verified. */
export const PEX_UNVERIFIED_PERCENT = 20;

/** Addresses of one /16 (IPv4) or /32 (IPv6) network in one response, so that no network fills the book of a peer. */
export const PEX_PER_NETWORK_MAX = 10;

/** Addresses of one node that a response may teach us. */
export const PEX_PER_TARGET_MAX = 8;

/** Characters of one address in a response: a 253-character host name is the longest that means anything. */
export const PEX_ADDRESS_LENGTH_MAX = 320;

/** Bytes of a message accepted on the PEX channel: 250 addresses of 256 bytes, as CometBFT has it. */
export const PEX_ACCEPT_BYTES_MAX = 64_000;

/** Bytes of a message sent on the PEX channel: what Tendermint v0.35.9 accepts (100 × 256), less its envelope. */
export const PEX_SEND_BYTES_MAX = 25_600 - 256;

// Peer updates, faults and reports.

/** Peer updates that wait for a subscriber before they are coalesced: a whole default network coming and going. */
export const UPDATE_BUFFER_MAX = 256;

/** Messages of a peer that may fail to decode within the window; one more evicts it. */
export const DECODE_FAILURES_MAX = 5;

/** Messages of a peer on channels we do not have within the window; one more costs it a demerit. */
export const UNKNOWN_CHANNEL_MAX = 100;

/** Milliseconds within which faults of a peer are counted together. */
export const FAULT_WINDOW_MS = 60_000;

/** Milliseconds after we closed a channel in which messages on it cost nothing: they were under way. */
export const CHANNEL_CLOSED_GRACE_MS = 5_000;

/** Milliseconds within which identical reports of a channel count once. */
export const REPORT_WINDOW_MS = 1_000;

/** Reports remembered to tell repetitions: one a millisecond. Beyond it the oldest are taken for new again. */
export const REPORTS_REMEMBERED_MAX = 1_000;

/** Causes of an error that are looked at: nobody nests deeper, and a chain may be a circle. */
export const CAUSE_DEPTH_MAX = 8;

// Queues.

/** Bytes a lane may send per turn and unit of priority: about one wire-compatible packet. */
export const LANE_QUANTUM_BYTES = 1_024;

/** Bytes each packet is charged besides its content, so that a flood of tiny messages pays for its framing. */
export const PACKET_OVERHEAD_BYTES = 16;

/** Control messages waiting for one peer; more than a connection ever has to say at once. */
export const CONTROL_LANE_SLOTS = 16;

/** Peers without waiting messages that an inbox remembers, besides as many as have some: spares churn of small objects. */
export const INBOX_IDLE_PEERS_MAX = 64;

// Peer store.

/** Records that may wait to be written: every peer and ban of a large node, once. Beyond it the oldest are given up. */
export const STORE_PENDING_MAX = 65_536;

/** Addresses read of one stored peer: far more than are kept. A longer record is damaged. */
export const STORED_ADDRESSES_MAX = 1_024;
