/**
 * Peer exchange. What makes the pex chart act, and the answering side, which needs no states. When to ask, whom, what to
 * say and what to believe is decided by src/core/pex.
 */
import { PEX_CHANNEL_ID } from '../core/channel.ts';
import type { Codec } from '../core/channel.ts';
import type { PexFault } from '../core/codes.ts';
import type { Env } from '../core/env.ts';
import type { Inbound } from '../core/envelope.ts';
import { asError, P2PError } from '../core/errors.ts';
import { classifyIp } from '../core/ip.ts';
import { PEX_ACCEPT_BYTES_MAX } from '../core/limits.ts';
import type { NodeAddress } from '../core/node-address.ts';
import type { NodeId } from '../core/node-id.ts';
import { pexIpEntries, pexUrls } from '../core/pex/pex-entries.ts';
import { pexDialect, type PexGeneration } from '../core/pex/pex-generation.ts';
import { readPexEntries } from '../core/pex/pex-intake.ts';
import type { PexMessage } from '../core/pex/pex-message.ts';
import { PexPacing, type PexPacingOptions, type PexSituation } from '../core/pex/pex-pacing.ts';
import { selectAddresses, type PexCandidate } from '../core/pex/pex-selection.ts';
import { PexServer } from '../core/pex/pex-server.ts';
import { pexMachine } from '../machines/pex.machine.ts';
import { pexCodec } from '../wire/pex-codec.ts';
import type { Channel } from './channel.actor.ts';
import type { Kernel, Supervised } from './kernel.ts';
import type { PeerLink } from './peer.actor.ts';

/** How long the host names of one answer may take to resolve, in milliseconds; the answer leaves with what is there. */
const ANSWER_RESOLVE_MS = 3_000;

/** Host names of one answer that are looked up at a time. */
const ANSWER_LOOKUPS_MAX = 8;

/** Strikes for a response that nobody asked for. */
const UNSOLICITED_STRIKES = 2;

export interface PexSettings extends PexPacingOptions {
  readonly client: boolean;
  readonly server: boolean;
}

/** What came on the channel: a message, or what no version of peer exchange says. */
type PexInbound = PexMessage | { readonly type: 'undecodable'; readonly what: string };

/** What peer exchange asks of the router. */
export interface PexHost {
  readonly kernel: Kernel;
  readonly env: Env;
  readonly selfId: NodeId;
  route(peer: NodeId): PeerLink | undefined;
  situation(): PexSituation;
  /** Our own address, when it is configured or known. */
  ownAddress(): NodeAddress | undefined;
  /** Addresses that may be shared, the best first. */
  candidates(requester: NodeId): Iterable<PexCandidate>;
  /** Private, banned or parked: neither told nor learnt. */
  isWithheld(peer: NodeId): boolean;
  /** Hands an address to the core; whether it was new. */
  learn(address: NodeAddress, source: NodeId): boolean;
  demerit(peer: NodeId, weight: number): void;
}

export class Pex {
  readonly path = 'router/pex';
  readonly actor: Supervised<typeof pexMachine>;
  readonly #host: PexHost;
  readonly #settings: PexSettings;
  readonly #channel: Channel<PexInbound>;
  readonly #pacing: PexPacing;
  readonly #server = new PexServer();
  readonly #abort = new AbortController();

  /** @param open opens the PEX channel. */
  constructor(
    host: PexHost,
    settings: PexSettings,
    open: (descriptor: typeof PEX_CHANNEL) => Channel<PexInbound>,
  ) {
    this.#host = host;
    this.#settings = settings;
    this.#pacing = new PexPacing({ known: 0, capacity: Infinity, connected: 0, wanted: 0 }, settings);
    this.#channel = open(PEX_CHANNEL);
    const { kernel } = host;
    this.actor = kernel.supervise(
      pexMachine.provide({ actions: { request: kernel.effect(this.path, () => this.#request()) } }),
      { path: this.path, input: {} },
    );
  }

  start(): void {
    this.actor.start();
    this.#channel.messages$.subscribe((inbound) => this.#post(() => this.#received(inbound)));
  }

  /** A throw while one message is handled is recorded, and the next message is handled all the same. */
  #post(handle: () => void): void {
    this.#host.kernel.post(`${this.path}/message`, handle);
  }

  stop(): void {
    this.#abort.abort(new P2PError('stopped', 'the router has stopped'));
    this.actor.stop();
  }

  peerUp(link: PeerLink): void {
    if (!link.channels.has(PEX_CHANNEL_ID)) return;
    const now = this.#now();
    const peer = link.peer!;
    this.#server.up(peer, now);
    this.#observe(now);
    if (this.#settings.client) this.#pacing.up(peer, dialectOf(link).spacingMs, now);
    this.#rearm(now);
  }

  /** The peer has opened or closed channels. */
  channelSetChanged(link: PeerLink): void {
    if (link.channels.has(PEX_CHANNEL_ID)) this.peerUp(link);
    else this.peerDown(link.peer!);
  }

  peerDown(peer: NodeId): void {
    const now = this.#now();
    this.#server.down(peer, now);
    this.#pacing.down(peer, now);
    this.#observe(now);
    this.#rearm(now);
  }

  #now(): number {
    return this.#host.env.clock.now();
  }

  #observe(now: number): void {
    this.#pacing.observe(this.#host.situation(), now);
  }

  #rearm(now: number): void {
    const next = this.#pacing.nextAt();
    this.actor.send(
      next === undefined
        ? { type: 'pex.idle' }
        : { type: 'pex.rest', restMs: Math.max(0, Math.ceil(next - now)) },
    );
  }

  #request(): void {
    const now = this.#now();
    this.#observe(now);
    const { ask, silent } = this.#pacing.step(now);
    for (const peer of silent) this.#host.demerit(peer, 1);
    const link = ask === undefined ? undefined : this.#host.route(ask);
    if (link !== undefined) {
      const { generation } = dialectOf(link);
      this.#channel.trySend({
        to: link.peer!,
        message: { type: generation === 2 ? 'request-v2' : 'request' },
      });
    }
    this.#rearm(now);
  }

  #received({ from, message }: Inbound<PexInbound>): void {
    switch (message.type) {
      case 'request':
        this.#requested(from, 1);
        return;
      case 'request-v2':
        this.#requested(from, 2);
        return;
      case 'response':
      case 'response-v2':
        this.#answered(from, message.addresses);
        return;
      case 'undecodable':
        this.#fatal(from, 'undecodable', message.what);
        return;
    }
  }

  #requested(from: NodeId, generation: PexGeneration): void {
    const link = this.#host.route(from);
    const serving = this.#server.request(from, this.#now());
    if (serving !== 'answer') this.#struck(from, 'asks-too-often', serving === 'evict');
    if (serving !== 'answer' || link === undefined) return;
    const ip = link.connection.remoteEndpoint.ip;
    const addresses = this.#settings.server
      ? selectAddresses({
          own: this.#host.ownAddress(),
          candidates: this.#host.candidates(from),
          requester: { id: from, ip },
          generation,
          isWithheld: (id) => this.#host.isWithheld(id),
        })
      : [];
    if (generation === 2) {
      this.#respond(from, { type: 'response-v2', addresses: pexUrls(addresses) });
      return;
    }
    const respond = (ips: ReadonlyMap<string, readonly string[]>): void => {
      const entries = pexIpEntries(addresses, (name) => ips.get(name) ?? [], ip);
      this.#respond(from, { type: 'response', addresses: entries });
    };
    const names = namesIn(addresses);
    if (names.length === 0) respond(new Map());
    else void this.#lookUp(names).then((ips) => this.#post(() => respond(ips)));
  }

  /** What the host names lead to, as far as that is known in time: the first generation knows only IP addresses. */
  async #lookUp(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const { clock, resolver } = this.#host.env;
    const found = new Map<string, readonly string[]>();
    const giveUp = new AbortController();
    const late = new P2PError('timeout', 'host names took too long', { reason: 'resolve' });
    const cancelTimer = clock.setTimer(() => giveUp.abort(late), ANSWER_RESOLVE_MS);
    const onStop = (): void => giveUp.abort(this.#abort.signal.reason);
    this.#abort.signal.addEventListener('abort', onStop);
    const gaveUp = new Promise<void>((resolve) => {
      giveUp.signal.addEventListener('abort', () => resolve());
    });
    const queue = [...names];
    const lookUpInTurn = async (): Promise<void> => {
      for (let name = queue.shift(); name !== undefined && !giveUp.signal.aborted; name = queue.shift()) {
        try {
          found.set(name, await resolver.resolve(name, giveUp.signal));
        } catch {
          // A name that cannot be resolved is left out of the answer.
        }
      }
    };
    const lookUps = Array.from({ length: ANSWER_LOOKUPS_MAX }, lookUpInTurn);
    await Promise.race([Promise.all(lookUps), gaveUp]);
    cancelTimer();
    this.#abort.signal.removeEventListener('abort', onStop);
    return new Map(found);
  }

  #respond(to: NodeId, message: PexMessage): void {
    this.#channel.trySend({ to, message });
  }

  #answered(from: NodeId, entries: Parameters<typeof readPexEntries>[0]): void {
    const now = this.#now();
    if (this.#pacing.answered(from, now) === 'unsolicited') {
      this.#struck(from, 'unsolicited', this.#server.strike(from, UNSOLICITED_STRIKES, now));
      return;
    }
    const intake = readPexEntries(entries, {
      selfId: this.#host.selfId,
      sourceIp: this.#host.route(from)?.connection.remoteEndpoint.ip ?? '',
      isWithheld: (id) => this.#host.isWithheld(id),
    });
    if (!intake.ok) {
      this.#fatal(from, intake.fault, `${intake.count} addresses`);
      return;
    }
    let added = 0;
    for (const address of intake.addresses) if (this.#host.learn(address, from)) added += 1;
    this.#observe(now);
    this.#pacing.learned(added, now);
    if (intake.strikes > 0) {
      this.#struck(from, 'bad-addresses', this.#server.strike(from, intake.strikes, now));
    }
    this.#rearm(now);
  }

  /** A peer has earned a strike, which may have been one too many. */
  #struck(peer: NodeId, fault: PexFault, isLast: boolean): void {
    if (isLast) this.#fatal(peer, fault, 'once too often');
    else this.#note('pex-strike', peer, fault, '');
  }

  #fatal(peer: NodeId, fault: PexFault, detail: string): void {
    this.#note('pex-fault', peer, fault, detail);
    const message = `peer exchange: ${fault}, ${detail}`;
    const error = new P2PError('protocol-violation', message, { reason: fault, blame: 'peer' });
    this.#channel.report({ peer, error, fatal: true });
  }

  #note(code: 'pex-strike' | 'pex-fault', peer: NodeId, fault: PexFault, detail: string): void {
    const about = { peer, fault, ...(detail === '' ? {} : { detail }) };
    this.#host.kernel.record({ kind: 'note', actor: this.path, code, about });
  }
}

/** Never fails to decode: what cannot be read is a fault of its sender and handled as such. */
const INBOUND_CODEC: Codec<PexInbound> = {
  encode(message) {
    if (message.type === 'undecodable') throw new TypeError('nobody says that');
    return pexCodec.encode(message);
  },
  decode(bytes) {
    try {
      return pexCodec.decode(bytes);
    } catch (thrown) {
      return { type: 'undecodable', what: asError(thrown).message };
    }
  },
};

const PEX_CHANNEL = {
  id: PEX_CHANNEL_ID,
  name: 'pex',
  codec: INBOUND_CODEC,
  priority: 1,
  maxMessageBytes: PEX_ACCEPT_BYTES_MAX,
  send: { maxMessages: 10 },
  receive: { maxMessages: 128, maxPerPeer: 16 },
} as const;

function dialectOf(link: PeerLink): ReturnType<typeof pexDialect> {
  const capabilities = link.remote?.nodeInfo.capabilities ?? [];
  return pexDialect({ channels: [...link.channels], capabilities });
}

/** The host names among addresses, each once. */
function namesIn(addresses: readonly NodeAddress[]): readonly string[] {
  const hosts = new Set(addresses.map(({ hostname }) => hostname));
  return [...hosts].filter((host) => host !== '' && classifyIp(host) === undefined);
}
