/** Random options and events for properties of the peer core: few peers, so that they meet often. */
import fc from 'fast-check';
import type { NodeAddress } from '../../../src/core/node-address.ts';
import type { NodeId } from '../../../src/core/node-id.ts';
import type { PeerState } from '../../../src/core/peer/peer-state.ts';
import { peerOptionFault, type PeerOptions } from '../../../src/core/peer/options.ts';
import type { Chance, PeerEvent, PeerEventType } from '../../../src/core/peer/peer-event.ts';
import { id } from './shorthand.ts';

/** The first is our own. */
export const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** Hosts in two public networks, one local, one without an address. */
const HOSTS = ['203.0.113.1', '203.0.113.2', '198.51.100.1', '10.0.0.1', 'example.org', '::1'];

export const nodeIds: fc.Arbitrary<NodeId> = fc
  .oneof(
    { weight: 1, arbitrary: fc.constant('0') },
    { weight: 40, arbitrary: fc.constantFrom(...DIGITS.slice(1)) },
  )
  .map(id);

export const nodeAddresses: fc.Arbitrary<NodeAddress> = fc
  .record({ nodeId: nodeIds, host: fc.integer({ min: -2, max: HOSTS.length - 1 }) })
  .map(({ nodeId, host }) =>
    host < 0
      ? { protocol: 'memory', nodeId, hostname: '', port: 0, path: '' }
      : { protocol: 'mconn', nodeId, hostname: HOSTS[host]!, port: 26656, path: '' },
  );

const brokenAddresses: fc.Arbitrary<NodeAddress> = nodeIds.map((nodeId) => ({
  protocol: 'tcp',
  nodeId,
  hostname: 'ho st',
  port: 1,
  path: '',
}));

/** A small number, often 0. */
function few(max: number): fc.Arbitrary<number> {
  return fc.oneof(fc.constant(0), fc.integer({ min: 0, max }));
}

const idSets = (maxLength: number): fc.Arbitrary<NodeId[]> =>
  fc.uniqueArray(fc.constantFrom(...DIGITS.slice(1)).map(id), { maxLength });

const plainOptions = fc.record({
  persistentPeers: idSets(2),
  privatePeers: idSets(1),
  maxConnected: few(4),
  maxConnectedUpgrade: few(3),
  maxPeers: few(9),
  maxOutgoingConnections: few(3),
  minRetryMs: few(200),
  maxRetryMs: few(800),
  maxRetryPersistentMs: few(400),
  retryJitterMs: few(50),
  disconnectCooldownMs: few(300),
  peerScores: fc.array(
    fc.tuple(fc.constantFrom(...DIGITS.slice(1)).map(id), fc.integer({ min: -2, max: 3 })),
    {
      maxLength: 3,
    },
  ),
  maxAddressesPerPeer: few(3),
  tieSalt: fc.constantFrom('', 'salt'),
  maxBans: fc.integer({ min: 1, max: 3 }),
});

const extensions = fc.record({
  protectOutbound: fc.boolean(),
  addressFailureLimit: few(3),
  wrongIdLimit: few(2),
  upgradeMargin: few(2),
  maxIncomingConnections: few(3),
  maxPeersPerNetwork: few(2),
  maxDialsPerHost: few(2),
  exemptNetworks: fc.constantFrom<string[]>([], ['198.51.0.0']),
  inactiveTtlMs: few(300),
  scorePersistence: fc.boolean(),
  scoreHalfLifeMs: few(300),
  dialTimeoutMs: few(200),
  retryBackoff: fc.constantFrom('linear' as const, 'exponential' as const),
  flapDamping: fc.option(
    fc.record({ thresholdMs: few(200), maxCooldownMs: few(1000), forgiveMs: few(300) }),
    { nil: undefined },
  ),
  scoreByBestAddress: fc.boolean(),
  advertiseVerifiedOnly: fc.boolean(),
});

/** Valid options of the bare core: every extension off. */
export const bareOptions: fc.Arbitrary<PeerOptions> = plainOptions.filter(
  (options) => peerOptionFault(options) === undefined,
);

/** Valid options with any extensions on. */
export const anyOptions: fc.Arbitrary<PeerOptions> = fc
  .tuple(bareOptions, fc.option(extensions, { nil: undefined }))
  .map(([plain, { flapDamping, ...extended } = {}]) => ({
    ...plain,
    ...extended,
    ...(flapDamping !== undefined && { flapDamping }),
  }));

const channels = fc.constantFrom([], [0x20], [0x20, 0x30]);

/** How often each event comes; what makes and ends connections comes most. */
const EVENTS: Readonly<Record<PeerEventType, [weight: number, event: fc.Arbitrary<PeerEvent>]>> = {
  add: [
    8,
    fc.record(
      {
        type: fc.constant('add' as const),
        address: fc.oneof(
          { weight: 20, arbitrary: nodeAddresses },
          { weight: 1, arbitrary: brokenAddresses },
        ),
        source: fc.constantFrom('configured' as const, 'self-declared' as const, id('f')),
        verified: fc.boolean(),
      },
      { requiredKeys: ['type', 'address'] },
    ),
  ],
  dialNext: [12, fc.constant({ type: 'dialNext' })],
  dialFailed: [
    8,
    fc.record(
      {
        type: fc.constant('dialFailed' as const),
        address: nodeAddresses,
        cause: fc.constantFrom('refused', 'wrong-id'),
        retryAfterMs: few(200),
        soft: fc.boolean(),
      },
      { requiredKeys: ['type', 'address'] },
    ),
  ],
  dialed: [12, fc.record({ type: fc.constant('dialed' as const), address: nodeAddresses })],
  accepted: [10, fc.record({ type: fc.constant('accepted' as const), peer: nodeIds })],
  ready: [8, fc.record({ type: fc.constant('ready' as const), peer: nodeIds, channels })],
  evictNext: [5, fc.constant({ type: 'evictNext' })],
  errored: [
    4,
    fc.record({ type: fc.constant('errored' as const), peer: nodeIds, cause: fc.constant('broken') }),
  ],
  disconnected: [10, fc.record({ type: fc.constant('disconnected' as const), peer: nodeIds })],
  processPeerEvent: [
    8,
    fc.record(
      {
        type: fc.constant('processPeerEvent' as const),
        peer: nodeIds,
        status: fc.constantFrom('good', 'bad', 'up'),
        weight: fc.constantFrom(1, 2, 0, -1, 0.5, 100_000),
      },
      { requiredKeys: ['type', 'peer', 'status'] },
    ),
  ],
  inactivate: [2, fc.record({ type: fc.constant('inactivate' as const), peer: nodeIds })],
  setHeight: [1, fc.record({ type: fc.constant('setHeight' as const), peer: nodeIds, height: fc.nat(9) })],
  dial: [2, fc.record({ type: fc.constant('dial' as const), address: nodeAddresses })],
  disconnect: [2, fc.record({ type: fc.constant('disconnect' as const), peer: nodeIds })],
  ban: [
    2,
    fc.record({
      type: fc.constant('ban' as const),
      peer: nodeIds,
      untilMs: fc.constantFrom(0, 300, 2000, Infinity, NaN),
      reason: fc.constant('spam'),
    }),
  ],
  unban: [1, fc.record({ type: fc.constant('unban' as const), peer: nodeIds })],
  setPersistent: [
    2,
    fc.record({ type: fc.constant('setPersistent' as const), peer: nodeIds, persistent: fc.boolean() }),
  ],
  addBootstrap: [1, fc.record({ type: fc.constant('addBootstrap' as const), address: nodeAddresses })],
};

export function eventsOf(types: readonly PeerEventType[]): fc.Arbitrary<PeerEvent> {
  return fc.oneof(...types.map((type) => ({ weight: EVENTS[type][0], arbitrary: EVENTS[type][1] })));
}

export const EVENT_TYPES = Object.keys(EVENTS) as PeerEventType[];

/** The events of the peer manager, without the operations of a running node. */
export const BARE_EVENT_TYPES: readonly PeerEventType[] = EVENT_TYPES.slice(0, EVENT_TYPES.indexOf('dial'));

/** Some time, then an event. The clock may run backwards. */
export interface Tick {
  readonly waitMs: number;
  readonly event: PeerEvent;
  /** Points at somebody the event makes sense for; negative: leave it as it is. */
  readonly aim: number;
}

export function ticksOf(types: readonly PeerEventType[]): fc.Arbitrary<Tick> {
  const waits = fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 120 }) },
    { weight: 1, arbitrary: fc.integer({ min: -500, max: 2000 }) },
  );
  return fc.record({ waitMs: waits, event: eventsOf(types), aim: fc.integer({ min: -9, max: 9 }) });
}

/** A reproducible source of chance. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return {
    below(n) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    },
  };
}

/** The event of a tick, bent towards what is going on: reports of dials go to dials, ends to connections. */
export function aimed(state: PeerState, { event, aim }: Tick, nowMs: number): PeerEvent {
  if (event.type === 'ban') return { ...event, untilMs: nowMs + event.untilMs };
  if (aim < 0) return event;
  const { dialing, connected } = state.orders;
  const pick = (ids: readonly NodeId[]): NodeId | undefined => ids[aim % Math.max(ids.length, 1)];
  if (event.type === 'dialed' || event.type === 'dialFailed') {
    const peer = pick([...dialing.keys()]);
    const address = peer === undefined ? undefined : state.orders.peers.get(peer)?.dial?.address;
    return { ...event, address: address ?? event.address };
  }
  if (CONNECTION_EVENTS.includes(event.type) && 'peer' in event) {
    return { ...event, peer: pick([...connected.keys()]) ?? event.peer };
  }
  return event;
}

const CONNECTION_EVENTS: readonly PeerEventType[] = [
  'ready',
  'errored',
  'disconnected',
  'disconnect',
  'processPeerEvent',
];
