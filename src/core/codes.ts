/**
 * The registry of every stable code a user can meet. A code is never renamed or reused; unions elsewhere are derived
 * from these tables, and docs/codes.md is generated from them.
 */

/** Codes of `P2PError`: bad input, broken protocol, lost connections. */
export const ERRORS = {
  eof: 'The stream, listener or channel has ended.',
  aborted: 'The operation was cancelled by its caller.',
  'invalid-node-id': 'A text is not a node id.',
  'invalid-address': 'A text or value is not a usable node address.',
  'invalid-endpoint': 'An endpoint breaks a rule of its transport.',
  'invalid-node-info': 'Node information breaks a validation rule.',
  'invalid-node-key': 'A node key file is missing, unreadable or inconsistent.',
  'invalid-option': 'An option has a value outside its rules.',
  'invalid-channel': 'A channel descriptor breaks a rule.',
  'resolve-failed': 'A host name could not be resolved.',
  'no-endpoints': 'An address leads to no endpoint.',
  'dial-failed': 'No endpoint of an address could be reached.',
  'listen-failed': 'A transport could not listen where it was told to.',
  'not-listening': 'A transport was asked to accept before it listened.',
  'already-listening': 'A transport was asked to listen twice.',
  'already-handshaked': 'A connection was asked to shake hands twice.',
  timeout: 'A stage did not finish in its time.',
  'connection-lost': 'The connection failed below the protocol.',
  'handshake-failed': 'The remote broke the handshake protocol.',
  'protocol-violation': 'The remote broke the wire protocol.',
  'message-too-large': 'A message is longer than its limit.',
  'pong-timeout': 'The remote showed no life while a ping was open.',
  'store-locked': 'Another process or router has the store open.',
  'store-failed': 'The store could not be opened, read or written.',
  'store-corrupt': 'A stored record is damaged.',
  'channel-exists': 'A channel with this id is open already.',
  'channel-name-exists': 'A channel with this name is open already.',
  'already-consuming': 'A channel has a consumer already.',
  'already-started': 'The router was started before.',
  'not-running': 'The router is not running.',
  stopped: 'The router has stopped; it is single-use.',
  'decode-failed': 'Bytes are not a message of the expected type.',
  'encode-failed': 'A value could not be encoded as its message type.',
  internal: 'A defect of this library.',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** Why a text or value is no usable node address: the `reason` of `invalid-address`, in the order the rules are tried. */
export const ADDRESS_FAULTS = {
  control: 'The text holds a control character.',
  utf8: 'The text, or what its percent-escapes stand for, is not valid UTF-8.',
  'no-protocol': 'There is no protocol.',
  'protocol-syntax': 'The protocol is not written as a URL scheme.',
  'id-missing': 'There is no node id.',
  'id-length': 'The node id does not have 40 digits.',
  'id-charset': 'The node id has a digit other than 0-9 and a-f.',
  userinfo: 'A character is not allowed before the @.',
  password: 'There is a colon before the @.',
  escape: 'A percent sign is not followed by two hexadecimal digits.',
  bracket: 'An opening bracket is not closed.',
  'not-ipv6': 'Brackets hold something else than an IPv6 address.',
  'unbracketed-ipv6': 'A host with colons is not in brackets.',
  'host-char': 'A character is not allowed in a host name.',
  'host-escape': 'A host name escapes a character that must not be escaped there.',
  'port-syntax': 'The port is not a decimal number.',
  'port-range': 'The port is not in 0 to 65535.',
  'port-without-host': 'There is a port but no host.',
  roundtrip: 'The address has no text form that reads back as the same address.',
} as const;

export type AddressFault = keyof typeof ADDRESS_FAULTS;

/** Why an endpoint is not usable by any transport, in the order the rules are tried. */
export const ENDPOINT_FAULTS = {
  'no-protocol': 'There is no protocol.',
  'invalid-ip': 'The IP address is not one.',
  'port-range': 'The port is not in 0 to 65535.',
  'port-without-ip': 'There is a port but no IP address.',
  'no-ip-or-path': 'There is neither an IP address nor a path.',
} as const;

export type EndpointFault = keyof typeof ENDPOINT_FAULTS;

/** Why a transport will not dial or listen at an endpoint that is valid as such. */
export const TRANSPORT_ENDPOINT_FAULTS = {
  'unsupported-protocol': 'The transport does not serve the protocol.',
  'no-path': 'There is no path where the transport needs one.',
  'path-not-a-node-id': 'The path is not a node id where it has to be one.',
  'path-not-supported': 'There is a path where the transport knows none.',
  'no-ip': 'There is no IP address where the transport needs one.',
  'not-unicast': 'The IP address is multicast or broadcast and leads to no one peer.',
  'not-an-endpoint': 'A text is not an IP address with a port.',
} as const;

export type TransportEndpointFault = keyof typeof TRANSPORT_ENDPOINT_FAULTS;

/**
 * Why a connection was not made or was lost, besides the error codes of the platform (`ECONNREFUSED`, `EADDRINUSE`): the
 * `reason` of `dial-failed`, `listen-failed`, `connection-lost` and `internal`.
 */
export const CONNECTION_FAULTS = {
  'unknown-peer': 'Nobody listens under this node id.',
  eof: 'The listener was closed while a dial waited for it.',
  closed: 'The transport was closed before it was told to listen.',
  'unexpected-eof': 'The stream ended inside a frame, packet or message.',
  'callback-threw': 'The owner of the connection threw out of a callback.',
  'not-handshaked': 'The connection was started before it shook hands.',
} as const;

export type ConnectionFault = keyof typeof CONNECTION_FAULTS;

/** Which rule received node information breaks, in the order the rules are tried: the `reason` of `bad_node_info`. */
export const NODE_INFO_FAULTS = {
  'node-id': 'The node id is not 40 lower-case hexadecimal digits.',
  'listen-address':
    'The listen address is not host:port, or the host is no IP address and no possible host name.',
  version: 'The version is not printable ASCII, or only spaces.',
  'too-many-channels': 'There are more channels than allowed.',
  'duplicate-channel': 'A channel is listed twice.',
  moniker: 'The moniker is empty, not printable ASCII, or only spaces.',
  'tx-index': 'The transaction index is none of empty, on and off.',
  'rpc-address': 'The RPC address is not printable ASCII, or only spaces.',
} as const;

export type NodeInfoFault = keyof typeof NODE_INFO_FAULTS;

/** Why a node key cannot be used: the `reason` of `invalid-node-key`. */
export const NODE_KEY_FAULTS = {
  missing: 'There is no file.',
  unreadable: 'The file cannot be read or written.',
  'not-json': 'The file is not JSON with a private key in it.',
  type: 'The key is not an Ed25519 key.',
  length: 'The key is not base64 of 64 bytes, or a seed is not 32 bytes.',
  mismatch: 'The public half does not belong to the private half.',
} as const;

export type NodeKeyFault = keyof typeof NODE_KEY_FAULTS;

/** How a remote broke the handshake: the `reason` of `handshake-failed`. */
export const HANDSHAKE_FAULTS = {
  'bad-length': 'The length of a message exceeds 64 bits.',
  'message-too-large': 'A message is longer than its limit.',
  'bad-encoding': 'Bytes are not a message of the expected type.',
  'ephemeral-key-size': 'The ephemeral key is not 32 bytes.',
  reflection: 'The remote sent our own ephemeral key.',
  'low-order-point': 'The ephemeral key has low order and would fix the shared secret.',
  'key-missing': 'There is no identity key of a known kind.',
  'key-type': 'The identity key is not an Ed25519 key.',
  'key-size': 'The identity key is not 32 bytes.',
  'bad-signature': 'The signature does not prove the identity key over our challenge.',
  'frame-tag': 'A frame failed to authenticate.',
  'frame-length': 'A frame claims more data than fits in it.',
  'frame-empty-run': 'Too many frames without data came in a row.',
  'no-node-info': 'Something else came where node information should have been.',
} as const;

export type HandshakeFault = keyof typeof HANDSHAKE_FAULTS;

/** How a remote broke the stream of frames or packets: the `reason` of `protocol-violation`. */
export const PROTOCOL_FAULTS = {
  'frame-tag': 'A frame failed to authenticate.',
  'frame-length': 'A frame claims more data than fits in it.',
  'frame-empty-run': 'Too many frames without data came in a row.',
  'nonce-exhausted': 'A direction has used up its frame numbers.',
  'bad-encoding': 'Bytes are not a packet.',
  'packet-too-large': 'A packet is longer than its limit.',
  'unknown-message-type': 'A packet is neither ping, pong nor message.',
  'unknown-channel': 'A message came on a channel that is not open.',
  'empty-packet-run': 'Too many packets without data came in a row.',
} as const;

export type ProtocolFault = keyof typeof PROTOCOL_FAULTS;

/** How a peer misused peer exchange: the `reason` of `protocol-violation` in what is reported of it. */
export const PEX_FAULTS = {
  undecodable: 'Bytes are not a message of peer exchange.',
  'asks-too-often': 'Requests came faster than they are answered.',
  unsolicited: 'Addresses came that nobody asked for.',
  'too-many-addresses': 'A response holds more addresses than allowed.',
  'bad-addresses': 'More than half of the entries of a response are no addresses.',
} as const;

export type PexFault = keyof typeof PEX_FAULTS;

/** Why a handshake ended in refusal or a connection in goodbye; the codes peerchart nodes tell each other. */
export const REJECTS = {
  bad_node_info: 'Node information breaks a validation rule.',
  id_mismatch: 'The claimed node id does not belong to the proven key.',
  unexpected_peer: 'Another node than the dialled one answered.',
  self: 'The node met itself.',
  incompatible_protocol: 'The block protocol versions differ.',
  incompatible_network: 'The network names differ.',
  no_common_channel: 'The nodes share no channel.',
  filtered: 'A filter or a ban refused the peer; on the wire it is called at_capacity.',
  duplicate: 'Another connection to the same peer stays.',
  at_capacity: 'All connection slots are taken.',
  shutting_down: 'The router is stopping.',
  internal: 'The sender has a defect, or a code from the wire is unknown.',
  protocol_violation: 'The remote broke the wire protocol.',
  evicted: 'The peer was dropped by choice.',
  superseded: 'A newer connection to the same peer took over.',
  slow_peer: 'The peer took its messages too slowly.',
} as const;

export type RejectCode = keyof typeof REJECTS;

/** Why an inbound connection was closed before its handshake, without a byte sent; in the order the gates stand. */
export const REFUSALS = {
  at_capacity: 'The most inbound connections allowed are open.',
  handshake_backlog: 'The most inbound handshakes allowed are running.',
  per_ip: 'The most inbound connections allowed from one host are open.',
  rate: 'Connections from one host came faster than allowed.',
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** Why the peer core refused an event (peer-manager errors of Tendermint v0.35, and those of the extensions). */
export const PEER_REFUSALS = {
  InvalidAddress: 'The address breaks a rule of node addresses; the reason says which.',
  SelfAddress: 'The address carries our own node id.',
  SelfConnection: 'The peer is this node itself.',
  AlreadyConnected: 'The peer has a connection already.',
  MaxConnected: 'There is no connection slot, and nobody gives one up for this peer.',
  MaxIncoming: 'The most inbound connections allowed are open, and none of them gives way to this peer.',
  UnknownPeer: 'The peer is not in the table.',
  Banned: 'The peer is banned.',
  DialTimedOut: 'The dial was given up before its outcome was reported.',
  PersistentLimit: 'There would be more persistent peers than connection slots.',
} as const;

export type PeerRefusalCode = keyof typeof PEER_REFUSALS;

/** Which rule of the peer core's options is broken. */
export const PEER_OPTION_FAULTS = {
  'opt-range': 'A number is not an integer in its range.',
  'opt-persistent-id': 'A persistent peer is not a valid lower-case node id.',
  'opt-private-id': 'A private peer is not a valid lower-case node id.',
  'opt-persistent-count': 'There are more persistent peers than connection slots.',
  'opt-max-peers': 'The peer limit is set without a connection limit, or below connections plus upgrades.',
  'opt-max-retry-without-min': 'The longest retry time is set without a shortest.',
  'opt-min-gt-max': 'The shortest retry time is above the longest.',
  'opt-max-retry-persistent-without-min':
    'The longest retry time of persistent peers is set without a shortest.',
  'opt-min-gt-max-persistent': 'The shortest retry time is above the longest of persistent peers.',
  'opt-max-outgoing': 'More outgoing connections are allowed than connections.',
  'opt-network': 'An exempt network is not named by an IP address.',
} as const;

export type PeerOptionFault = keyof typeof PEER_OPTION_FAULTS;

/** Why the peer core could not be constructed, besides its options. */
export const CONSTRUCT_FAULTS = {
  'no-self-id': 'There is no node id of our own.',
  'invalid-self-id': 'Our own node id is not one.',
  'no-store': 'There is no peer store.',
  StoreError: 'The peer store cannot be read.',
} as const;

export type ConstructFault = keyof typeof CONSTRUCT_FAULTS | PeerOptionFault;

/** The rules by which the peer core decides; every result names the one that decided it. */
export const WHYS = {
  'new-peer': 'The peer was not known before.',
  'new-address': 'The peer was known, the address was not.',
  'duplicate-address': 'The peer has this address already.',
  'peer-inactive': 'The peer was found incompatible and takes no new addresses.',
  'address-limit': 'The peer has its most addresses, and none of them has failed.',
  'store-full': 'The newcomer would be the first to be pruned.',
  'invalid-address': 'The address breaks a rule of node addresses.',
  'self-address': 'The address carries our own node id.',
  'best-candidate': 'The best ranked peer that is due gets a free slot.',
  upgrade: 'The table is full, and a lower scored peer gives way.',
  'hard-full': 'Connections and dials take every slot, upgrade slots included.',
  'outgoing-full': 'Outbound connections and dials take every outgoing slot.',
  'network-full': 'Every due peer is in a network or on a host that has its share.',
  'no-candidate': 'No peer is due to be dialled.',
  'no-upgrade-victim': 'The table is full, and no peer that may be displaced scores low enough.',
  'back-off': 'The address failed and waits before its next dial.',
  'retries-disabled': 'The address failed and is not tried again.',
  'unknown-address': 'The peer or its address is not in the table.',
  'address-dropped': 'The address failed too often and was removed.',
  'peer-dropped': 'The last address of the peer failed too often; the peer was removed.',
  'late-report': 'The dial was given up before its outcome was reported.',
  'slot-free': 'There is a free slot.',
  'self-connection': 'The peer is this node itself.',
  'already-connected': 'The peer has a connection already.',
  'connections-full': 'Connections take every slot, upgrade slots included.',
  'table-full': 'The ordinary slots are taken, and only an outstanding dial may displace a peer.',
  'incoming-full': 'The most inbound connections allowed are open, and none of them gives way.',
  'unknown-peer': 'The peer is not in the table.',
  banned: 'The peer is banned.',
  'now-routed': 'Messages can reach the peer.',
  'not-connected': 'The peer has no connection.',
  'already-ready': 'The peer was announced already.',
  'already-leaving': 'The eviction of the peer is under way already.',
  upgraded: 'A better peer takes its slot.',
  errored: 'An error of the peer was reported.',
  requested: 'The operator asked for it.',
  'over-capacity': 'There are more connections than slots.',
  'nothing-scheduled': 'No eviction is waiting.',
  'connection-ended': 'The connection has ended.',
  'good-behaviour': 'Good behaviour was reported.',
  'bad-behaviour': 'Bad behaviour was reported.',
  'ignored-report': 'The report is neither good nor bad, or weighs nothing.',
  incompatible: 'The peer was found incompatible in a handshake.',
  'peer-persistent': 'The peer is persistent and never parked.',
  'height-noted': 'The height of the peer was noted.',
  'now-due': 'The address may be dialled at once.',
  'already-dialing': 'The peer is being dialled.',
  'ban-added': 'The peer is banned from now on.',
  'ban-lifted': 'The ban was taken back.',
  'ban-expired': 'The end of the ban lies in the past.',
  'not-banned': 'There is no ban to take back.',
  'now-persistent': 'The peer is persistent from now on.',
  'no-longer-persistent': 'The peer is persistent no longer.',
  'no-change': 'It was so already.',
  'persistent-limit': 'There would be more persistent peers than connection slots.',
} as const;

export type Why = keyof typeof WHYS;

/** How the way of one outbound message ended, or `queued` while it is under way. Each message gets exactly one end. */
export const OUTCOMES = {
  queued: 'The message waits for the connection to take it.',
  overflow: 'The lane or the outbox of the peer is full.',
  displaced: 'The message was queued and gave way to a newer one.',
  expired: 'The message was queued and became too old before its turn.',
  too_large: 'The message is longer than the channel allows.',
  router_budget: 'The router holds as many bytes of messages as it may.',
  peer_closing: 'The peer is being disconnected.',
  peer_gone: 'The peer disconnected before the message left.',
  superseded: 'The connection was replaced by another one of the same peer before the message left.',
  no_such_peer: 'The peer is not connected.',
  peer_lacks_channel: 'The peer has not declared the channel.',
  no_recipient: 'The envelope names no recipient.',
  self: 'The recipient is this node itself.',
  empty_message: 'The envelope holds no message.',
  type_mismatch: 'The message is not of the type of the channel.',
  encode_failed: 'The codec of the channel threw.',
  channel_closed: 'The channel was closed.',
  router_stopped: 'The router has stopped.',
  aborted: 'The caller cancelled the send while it waited for room.',
} as const;

export type Outcome = keyof typeof OUTCOMES;

/** Why an inbound message never reached its reactor. */
export const DROPS = {
  inbox_full: 'The inbox of the channel, or the share of the peer in it, is full.',
  displaced: 'The message waited and gave way to a newer one of the same peer.',
  router_budget: 'The router holds as many bytes of messages as it may.',
  too_large: 'The message is longer than the channel allows.',
  decode_failed: 'The codec of the channel could not read the message.',
  unknown_channel: 'No open channel has the id.',
  peer_down: 'The peer disconnected, and the channel does not keep what it left.',
  channel_closed: 'The channel was closed.',
  router_stopped: 'The router has stopped.',
} as const;

export type DropReason = keyof typeof DROPS;
