import type { NodeId } from '../core/node-id.ts';
import type { PeerLink } from './peer.actor.ts';

/**
 * Every connection of a router by its number, and the one connection of each peer that messages take. A link is routed
 * before its peer is announced and taken out before its end is.
 */
export class RoutingTable {
  readonly #links = new Map<number, PeerLink>();
  /** Connections that have proven an id, by that id. */
  readonly #byPeer = new Map<NodeId, Set<PeerLink>>();
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

  /** A connection has proven its id. */
  identify(link: PeerLink): void {
    const { peer } = link;
    if (peer === undefined || this.#links.get(link.id) !== link) return;
    const known = this.#byPeer.get(peer);
    if (known === undefined) this.#byPeer.set(peer, new Set([link]));
    else known.add(link);
  }

  remove(link: PeerLink): void {
    this.#links.delete(link.id);
    const { peer } = link;
    const known = peer === undefined ? undefined : this.#byPeer.get(peer);
    if (known?.delete(link) === true && known.size === 0) this.#byPeer.delete(peer!);
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

  /** Connections that have proven an id, in the order they did. */
  linksOf(peer: NodeId): readonly PeerLink[] {
    return [...(this.#byPeer.get(peer) ?? [])];
  }

  /** The other connections that have proven the id of `link`. */
  others(link: PeerLink): readonly PeerLink[] {
    return link.peer === undefined ? [] : this.linksOf(link.peer).filter((other) => other !== link);
  }

  /** The connection that the core counts as the peer's. */
  admitted(peer: NodeId): PeerLink | undefined {
    return this.linksOf(peer).find((link) => link.admitted);
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
