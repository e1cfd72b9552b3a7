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
  stopped: 'The router has stopped; it is single-use.',
  'decode-failed': 'Bytes are not a message of the expected type.',
  'encode-failed': 'A value could not be encoded as its message type.',
  internal: 'A defect of this library.',
} as const;

export type ErrorCode = keyof typeof ERRORS;
