/** What makes the acceptor chart act: the accept loop of one transport. */
import { errorReason, P2PError } from '../core/errors.ts';
import { acceptorMachine } from '../machines/acceptor.machine.ts';
import type { Connection, Transport } from '../transports/transport.ts';
import type { Kernel, Supervised } from './kernel.ts';

/** Pause after the first accept error, in milliseconds; doubles with each further one. */
const ACCEPT_PAUSE_MIN_MS = 5;

/** The longest pause after accept errors, in milliseconds. */
const ACCEPT_PAUSE_MAX_MS = 5_000;

export interface AcceptSupervisor {
  readonly kernel: Kernel;
  /** The gate: takes a raw inbound connection over, or closes it. */
  takeInbound(transport: Transport, connection: Connection): void;
  acceptorEnded(acceptor: Acceptor): void;
}

export class Acceptor {
  readonly path: string;
  readonly transport: Transport;
  readonly actor: Supervised<typeof acceptorMachine>;
  readonly #supervisor: AcceptSupervisor;

  constructor(supervisor: AcceptSupervisor, id: number, transport: Transport) {
    const { kernel } = supervisor;
    this.#supervisor = supervisor;
    this.transport = transport;
    this.path = `router/acceptor#${id}`;
    const machine = acceptorMachine.provide({
      actions: { acceptNext: kernel.effect(this.path, () => this.#acceptNext()) },
    });
    this.actor = kernel.supervise(machine, {
      path: this.path,
      input: { transport: transport.name, pauseMinMs: ACCEPT_PAUSE_MIN_MS, pauseMaxMs: ACCEPT_PAUSE_MAX_MS },
      about: { transport: transport.name },
      onEnd: () => supervisor.acceptorEnded(this),
      onCrash: () => supervisor.acceptorEnded(this),
    });
  }

  /** Whether it takes connections now: not while it pauses after an error. */
  get accepting(): boolean {
    return this.actor.alive && this.actor.snapshot().matches('listening');
  }

  #acceptNext(): void {
    const { kernel } = this.#supervisor;
    this.#accept().then(
      (connection) => kernel.post(this.path, () => this.#accepted(connection)),
      (error: unknown) =>
        kernel.post(this.path, () => {
          const ended = error instanceof P2PError && error.code === 'eof';
          this.actor.send(
            ended ? { type: 'transport.ended' } : { type: 'accept.failed', reason: errorReason(error) },
          );
        }),
    );
  }

  /** A transport that throws where it should reject is treated alike. */
  async #accept(): Promise<Connection> {
    return await this.transport.accept();
  }

  #accepted(connection: Connection): void {
    if (!this.actor.alive) {
      connection.close();
      return;
    }
    try {
      this.#supervisor.takeInbound(this.transport, connection);
    } catch (error) {
      this.#supervisor.kernel.fault(this.path, error);
    }
    this.actor.send({ type: 'connection.accepted' });
  }
}
