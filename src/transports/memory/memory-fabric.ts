import type { Env } from '../../core/env.ts';
import type { NodeId } from '../../core/node-id.ts';
import type { Connection } from '../transport.ts';

/** A dial that has come to its target and waits to be let in. */
export interface Knock {
  /** Whether the dialler has given up. */
  readonly isOver: boolean;
  /** Makes the connection and returns the target's end. */
  answer(targetEnv: Env): Connection;
  /** Nobody will let it in. */
  refuse(): void;
}

/** A transport that can be dialled. */
export interface MemoryListener {
  readonly nodeId: NodeId;
  /** Takes a knock; false when it has closed meanwhile. */
  receive(knock: Knock): boolean;
  /** Forgets a knock whose dialler has given up. */
  withdraw(knock: Knock): void;
  close(): Promise<void>;
}

/** What a memory network is to its own transports. */
export interface MemoryFabric {
  listener(nodeId: NodeId): MemoryListener | undefined;
  /** False when another transport listens as this node. */
  register(listener: MemoryListener): boolean;
  unregister(listener: MemoryListener): void;
  /** Milliseconds from one node to another at this moment. */
  latencyMs(from: NodeId, to: NodeId): number;
  /** Both ends of a new connection, the dialler's first. */
  connect(from: NodeId, fromEnv: Env, to: NodeId, toEnv: Env): readonly [Connection, Connection];
}
