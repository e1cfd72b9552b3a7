import { createRouter, FlightRecorder, formatNodeAddress, type Router } from '../index.ts';
import { levelPeerStore } from '../store/index.ts';
import { mconn } from '../transports/index.ts';
import { Chat } from './chat.ts';
import { rememberListen, type DemoName, type DemoSeat } from './demo-seat.ts';

const LOCALHOST = '127.0.0.1';
const CHAT_INTERVAL_MS = 500;

/** Connection slots of each node: everybody has room for three of the four others. */
export const DEMO_MAX_CONNECTED = 3;

/** Asks for addresses soon after a connection is up, so that the mesh does not take seconds. */
const PEX_MIN_MS = 100;

/** Spreads second attempts only a little: there are five nodes, not five thousand. */
const RETRY_JITTER_MS = 100;

/** The news are read as they come; nobody looks back. */
const RECORDS_KEPT = 256;

export interface DemoNodeOptions {
  readonly bootstrapPeers: readonly string[];
  readonly persistentPeers: readonly string[];
}

/** One node of the demo, with all the real parts: a key, a TCP port, a LevelDB folder. */
export class DemoNode {
  readonly seat: DemoSeat;
  readonly router: Router;
  readonly chat: Chat;

  /** Makes the node; nothing runs before `start`. */
  constructor(seat: DemoSeat, options: DemoNodeOptions) {
    this.seat = seat;
    this.router = createRouter({
      identity: seat.identity,
      network: 'peerchart-demo',
      moniker: seat.name,
      transports: [mconn({ listen: seat.listen ?? `${LOCALHOST}:0` })],
      store: levelPeerStore(seat.storeFolder),
      peers: {
        maxConnected: DEMO_MAX_CONNECTED,
        maxConnectedUpgrade: 1,
        retryJitterMs: RETRY_JITTER_MS,
      },
      pex: { minMs: PEX_MIN_MS },
      recorder: new FlightRecorder({ ringMax: RECORDS_KEPT }),
      ...options,
    });
    this.chat = new Chat(this.router, { intervalMs: CHAT_INTERVAL_MS, text: `hello from ${seat.name}` });
  }

  get name(): DemoName {
    return this.seat.name;
  }

  /** `ip:port`; empty before `start`. */
  get listen(): string {
    const [own] = this.router.addresses;
    return own === undefined ? '' : `${own.hostname}:${own.port}`;
  }

  /** What others dial; empty before `start`. */
  get address(): string {
    const [own] = this.router.addresses;
    return own === undefined ? '' : formatNodeAddress(own);
  }

  async start(): Promise<void> {
    await this.router.start();
    this.chat.start();
  }

  /** Makes sure that the next run finds the peers of this one, and the same port. */
  async remember(): Promise<void> {
    await this.router.flush();
    if (this.seat.listen === undefined) await rememberListen(this.seat, this.listen);
  }

  async stop(): Promise<void> {
    this.chat.stop();
    await this.router.stop();
  }
}
