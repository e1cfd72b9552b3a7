/**
 * What makes the dialer chart act: one attempt. It resolves and dials, hands the raw connection on, and tells the
 * supervisor the one outcome.
 */
import type { RejectCode } from '../core/codes.ts';
import { resolveNodeAddress, type Endpoint } from '../core/endpoint.ts';
import type { Env } from '../core/env.ts';
import { errorReason, P2PError } from '../core/errors.ts';
import { formatNodeAddress, type NodeAddress } from '../core/node-address.ts';
import type { RejectedBy } from '../core/reject-code.ts';
import type { RouterLimits } from '../core/router-options.ts';
import { dialerMachine } from '../machines/dialer.machine.ts';
import type { Connection, Transport } from '../transports/transport.ts';
import type { Kernel, Supervised } from './kernel.ts';
import { Scope } from './scope.ts';

/** The one outcome of an attempt. */
export interface DialOutcome {
  readonly outcome: 'admitted' | 'failed' | 'cancelled';
  /** Empty when admitted. */
  readonly reason: string;
}

export interface DialRefusal {
  readonly code: RejectCode;
  readonly by: RejectedBy;
  /** How long the remote asks us to wait; 0 when it does not. */
  readonly retryAfterMs: number;
}

export interface DialSupervisor {
  readonly kernel: Kernel;
  readonly env: Env;
  readonly limits: RouterLimits;
  /** The transport that serves a protocol. */
  transportFor(protocol: string): Transport | undefined;
  /** Takes over a raw connection; returns the number it gets. */
  takeOutbound(dial: Dial, connection: Connection): number;
  /** The attempt lost interest in the connection it handed over. */
  abandonOutbound(connectionId: number, reason: string): void;
  dialEnded(dial: Dial, outcome: DialOutcome): void;
}

export class Dial {
  readonly id: number;
  readonly path: string;
  readonly address: NodeAddress;
  readonly actor: Supervised<typeof dialerMachine>;
  /** Whether the core was told the outcome already, with the admission of the connection. */
  reported = false;
  /** Why the connection was refused, and by whom; set before the chart hears of it. */
  refusal: DialRefusal | undefined;
  readonly #supervisor: DialSupervisor;
  readonly #scope: Scope;
  #endpoints: readonly Endpoint[] = [];
  /** Ends the dial of the endpoint in turn. */
  #current: AbortController | undefined;

  constructor(supervisor: DialSupervisor, id: number, address: NodeAddress) {
    const { kernel, limits } = supervisor;
    this.#supervisor = supervisor;
    this.id = id;
    this.path = `router/dial#${id}`;
    this.address = address;
    this.#scope = new Scope((error) => kernel.fault(this.path, error));
    this.#scope.add(() => this.#current?.abort(givenUp()));
    this.actor = kernel.supervise(dialerMachine, {
      path: this.path,
      effects: {
        resolveAddress: () => this.#resolve(),
        dialEndpoint: () => this.#dialEndpoint(),
        abandon: () => this.#abandon(),
      },
      input: {
        address: formatNodeAddress(address),
        peer: address.nodeId,
        resolveTimeoutMs: limits.resolveTimeoutMs,
        dialTimeoutMs: limits.dialTimeoutMs,
        attemptTimeoutMs: limits.attemptTimeoutMs,
      },
      about: { address: formatNodeAddress(address) },
      onEnd: (snapshot) => {
        this.#scope.dispose();
        supervisor.dialEnded(this, {
          outcome: snapshot.value as DialOutcome['outcome'],
          reason: snapshot.context.reason,
        });
      },
      onCrash: (error) => {
        this.#scope.dispose();
        this.#abandonConnection();
        supervisor.dialEnded(this, { outcome: 'failed', reason: `internal: ${error.message}` });
      },
    });
  }

  /** Ends it at once, without asking its chart: the router is going down. */
  kill(): void {
    this.actor.stop();
    this.#scope.dispose();
  }

  #resolve(): void {
    const { kernel, env } = this.#supervisor;
    resolveNodeAddress(this.address, env.resolver, this.#scope.signal).then(
      (endpoints) => kernel.post(this.path, () => this.#resolved(endpoints)),
      (error: unknown) =>
        kernel.post(this.path, () =>
          this.actor.send({ type: 'endpoints.failed', reason: errorReason(error) }),
        ),
    );
  }

  #resolved(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints.filter(
      ({ protocol }) => this.#supervisor.transportFor(protocol) !== undefined,
    );
    if (endpoints.length > 0 && this.#endpoints.length === 0) {
      this.actor.send({ type: 'endpoints.failed', reason: `no-transport(${endpoints[0]!.protocol})` });
      return;
    }
    this.actor.send({ type: 'endpoints.resolved', count: this.#endpoints.length });
  }

  #dialEndpoint(): void {
    if (!this.actor.alive) return;
    const { kernel } = this.#supervisor;
    this.#current?.abort(new P2PError('timeout', 'the endpoint took too long', { reason: 'dial' }));
    const endpoint = this.#endpoints[this.actor.snapshot().context.endpointIndex]!;
    const transport = this.#supervisor.transportFor(endpoint.protocol)!;
    const attempt = new AbortController();
    this.#current = attempt;
    const dial = async (): Promise<Connection> => await transport.dial(endpoint, attempt.signal);
    dial().then(
      (connection) => kernel.post(this.path, () => this.#opened(attempt, connection)),
      (error: unknown) =>
        kernel.post(this.path, () => {
          if (attempt.signal.aborted || this.#current !== attempt) return;
          this.actor.send({ type: 'endpoint.failed', reason: errorReason(error) });
        }),
    );
  }

  #opened(attempt: AbortController, connection: Connection): void {
    if (!this.actor.alive || attempt.signal.aborted || this.#current !== attempt) {
      connection.close();
      return;
    }
    this.#current = undefined;
    const connectionId = this.#supervisor.takeOutbound(this, connection);
    this.actor.send({ type: 'endpoint.opened', connectionId });
  }

  #abandon(): void {
    this.#current?.abort(givenUp());
    this.#current = undefined;
    this.#abandonConnection();
  }

  #abandonConnection(): void {
    const { connectionId, reason } = this.actor.snapshot().context;
    if (connectionId !== 0) this.#supervisor.abandonOutbound(connectionId, reason);
  }
}

function givenUp(): P2PError {
  return new P2PError('aborted', 'the attempt was given up');
}
