import { createRouter, realEnv, type Env, type Router, type RouterOptions } from '../../src/index.ts';
import { mconn } from '../../src/transports/index.ts';
import { identityOf, type TestIdentity } from './nodes.ts';

/** How long an event of a test over real sockets may take, in milliseconds. */
const EVENT_LIMIT_MS = 15_000;

/** A router on a port of this host. */
export interface TcpNode {
  readonly name: string;
  readonly identity: TestIdentity;
  readonly router: Router;
  /** Timers set and neither fired nor cancelled. */
  readonly liveTimers: () => number;
}

export type TcpNodeOptions = Partial<Omit<RouterOptions, 'identity' | 'transports'>> & {
  readonly listen?: string;
};

export function tcpNode(name: string, options: TcpNodeOptions = {}): TcpNode {
  const { listen = '127.0.0.1:0', env = realEnv(), limits = {}, ...rest } = options;
  const identity = identityOf(name);
  const counted = countTimers(env);
  const router = createRouter({
    network: 'tcp-test',
    moniker: name,
    ...rest,
    limits: { ...limits, inbound: { burstPerIp: 64, ...limits.inbound } },
    identity,
    env: counted.env,
    transports: [mconn({ listen })],
  });
  return { name, identity, router, liveTimers: counted.live };
}

/** Where a started node listens. */
export function addressOf({ router }: TcpNode): string {
  const [address] = router.addresses;
  return `mconn://${address!.nodeId}@${address!.hostname}:${address!.port}`;
}

function countTimers(env: Env): { readonly env: Env; readonly live: () => number } {
  const live = new Set<object>();
  const clock: Env['clock'] = {
    now: () => env.clock.now(),
    wall: () => env.clock.wall(),
    defer: (run) => env.clock.defer(run),
    setTimer: (fire, delayMs) => {
      const timer = {};
      live.add(timer);
      const cancel = env.clock.setTimer(() => {
        live.delete(timer);
        fire();
      }, delayMs);
      return () => {
        live.delete(timer);
        cancel();
      };
    },
  };
  return { env: { ...env, clock }, live: () => live.size };
}

/** Resolves once `condition` holds, which is asked after every record of these nodes; rejects when it takes too long. */
export function when(
  nodes: readonly TcpNode[],
  condition: () => boolean,
  what = 'the condition',
): Promise<void> {
  return new Promise((resolve, reject) => {
    const unsubscribes = nodes.map(({ router }) => router.recorder.subscribe(() => setImmediate(check)));
    const timer = setTimeout(() => {
      finish();
      reject(new Error(`${what} did not come about`));
    }, EVENT_LIMIT_MS);
    const finish = (): void => {
      clearTimeout(timer);
      for (const unsubscribe of unsubscribes) unsubscribe();
    };
    function check(): void {
      if (!condition()) return;
      finish();
      resolve();
    }
    check();
  });
}

/** Why connections of a node ended, in order; see the notes in its flight recorder. */
export function endsOf({ router }: TcpNode): readonly string[] {
  return router.recorder.records().flatMap((record) => {
    if (record.kind !== 'note' || record.code !== 'connection-closed') return [];
    const { reason, by } = record.about as { readonly reason: string; readonly by: string };
    return [`${by} ${reason}`];
  });
}

/** Sockets and servers that this process has open. */
export function openHandles(): readonly string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCP|Pipe|UDP|Timeout)/.test(name) && name !== 'Timeout');
}
