import type { NodeId } from '../core/node-id.ts';
import type { PeerLink } from './peer.actor.ts';

/**
 * Every connection of a router by its number, and the one connection of each peer that messages take. A link is routed
 * before its peer is announced and taken out before its end is.
 */
export class RoutingTable {
  readonly #links = new Map<number, PeerLink>();
  readonly #routes = new Map<NodeId, PeerLink>();
  #lastId = 0;

  /** The number of the next connection. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  add(link: PeerLink): void {
    this.#links.set(link.id, link);
  }

  remove(link: PeerLink): void {
    this.#links.delete(link.id);
  }

  /** All connections, in the order they began. */
  get links(): readonly PeerLink[] {
    return [...this.#links.values()];
  }

  get size(): number {
    return this.#links.size;
  }

  link(id: number): PeerLink | undefined {
    return this.#links.get(id);
  }

  /** Connections that have proven an id, but for `link` itself. */
  others(link: PeerLink): readonly PeerLink[] {
    return this.links.filter((other) => other !== link && other.peer === link.peer);
  }

  /** The connection that the core counts as the peer's. */
  admitted(peer: NodeId): PeerLink | undefined {
    return this.links.find((link) => link.admitted && link.peer === peer);
  }

  open(peer: NodeId, link: PeerLink): void {
    this.#routes.set(peer, link);
  }

  close(peer: NodeId, link: PeerLink): void {
    if (this.#routes.get(peer) === link) this.#routes.delete(peer);
  }

  route(peer: NodeId): PeerLink | undefined {
    return this.#routes.get(peer);
  }

  /** Routed connections, in the order they were opened. */
  routes(): Iterable<PeerLink> {
    return this.#routes.values();
  }

  get routeCount(): number {
    return this.#routes.size;
  }
}
