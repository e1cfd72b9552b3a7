/** What a router holds outside itself: its store and its transports. Opened on start, closed on stop, come what may. */
import { P2PError } from '../core/errors.ts';
import type { NodeAddress } from '../core/node-address.ts';
import type { PeerStore, StoredPeers } from '../store/peer-store.ts';
import type { Transport } from '../transports/transport.ts';
import type { Kernel } from './kernel.ts';
import type { RouterConfig } from './router-config.ts';

/** How long transports or the store may take to close before the router ends without them, in milliseconds. */
const CLOSE_TIMEOUT_MS = 10_000;

export class Outside {
  readonly transports: readonly Transport[];
  readonly #kernel: Kernel;
  readonly #store: PeerStore;

  /** @throws P2PError `invalid-option` when two transports serve one protocol. */
  constructor(kernel: Kernel, config: RouterConfig) {
    this.#kernel = kernel;
    this.#store = config.store;
    this.transports = makeTransports(config);
  }

  /** Where the transports listen. */
  addressesOf(nodeId: NodeAddress['nodeId']): readonly NodeAddress[] {
    return this.transports.flatMap((transport) =>
      transport.endpoints().map(({ protocol, ip, port }) => {
        const isNetworked = port !== 0;
        return { protocol, nodeId, hostname: isNetworked ? ip : '', port, path: '' };
      }),
    );
  }

  /**
   * Opens the store and reads it. What is damaged in it is recorded and left out.
   *
   * @param goOn throws when nobody wants the router to start any more.
   */
  async load(goOn: () => void): Promise<Omit<StoredPeers, 'faults'>> {
    const store = this.#store;
    const onFault: NonNullable<PeerStore['onFault']> = ({ code, key, message }) => {
      this.#kernel.record({ kind: 'note', actor: 'router/store', code, about: { key, message } });
    };
    store.onFault = onFault;
    await store.open();
    goOn();
    const { faults, ...stored } = await store.load();
    goOn();
    for (const fault of faults) onFault(fault);
    return stored;
  }

  /** Makes the transports listen, one after the other. */
  async listen(goOn: () => void): Promise<void> {
    for (const transport of this.transports) {
      await transport.listen();
      goOn();
    }
  }

  /** Never rejects. */
  async closeTransports(): Promise<void> {
    const closings = this.transports.map(async (transport) => {
      try {
        await transport.close();
      } catch (error) {
        this.#kernel.fault('router', error);
      }
    });
    await Promise.all(closings);
  }

  /** Closes transports and store, after `pending` has ended. Never rejects, and takes bounded time. */
  async close(pending: Promise<void> | undefined): Promise<void> {
    await this.#bounded(Promise.all([this.closeTransports(), pending]));
    await this.#bounded(this.#store.close());
  }

  /** Waits for `work`, but not for ever. */
  async #bounded(work: Promise<unknown>): Promise<void> {
    let cancel = (): void => undefined;
    const deadline = new Promise<void>((resolve) => {
      cancel = this.#kernel.clock.setTimer(resolve, CLOSE_TIMEOUT_MS);
    });
    try {
      await Promise.race([work, deadline]);
    } catch (error) {
      this.#kernel.fault('router', error);
    } finally {
      cancel();
    }
  }
}

function makeTransports(config: RouterConfig): readonly Transport[] {
  const served = new Set<string>();
  return config.transports.map((factory) => {
    const transport = factory(config.env);
    for (const protocol of transport.protocols) {
      if (served.has(protocol)) {
        throw new P2PError('invalid-option', `option transports serves protocol ${protocol} twice`, {
          reason: 'transports',
        });
      }
      served.add(protocol);
    }
    return transport;
  });
}
