/** What reactors say of peers, and what it costs or earns them. */
import type { ChannelId } from '../core/channel.ts';
import { attribute } from '../core/error-attribution.ts';
import { errorReason } from '../core/errors.ts';
import type { NodeId } from '../core/node-id.ts';
import { connection, isFull, isKnown } from '../core/peer/queries.ts';
import { ReportFilter } from '../core/report-filter.ts';
import type { PeerReport, ReportOutcome } from './channel-host.ts';
import type { Kernel } from './kernel.ts';
import type { PeerDecisions } from './peer-decisions.ts';

export interface ReportsHost {
  readonly kernel: Kernel;
  /** The core while it may still change. */
  readonly liveDecisions: PeerDecisions | undefined;
}

export class Reports {
  readonly #host: ReportsHost;
  readonly #filter = new ReportFilter();

  constructor(host: ReportsHost) {
    this.#host = host;
  }

  /** A fatal report costs the slot; any other does so when all slots are taken, and else a point. */
  take(channelId: ChannelId, { peer, error, fatal = false, banMs = 0 }: PeerReport): ReportOutcome {
    const { kernel, liveDecisions: decisions } = this.#host;
    if (decisions === undefined || !isKnown(decisions.state, peer)) return 'no_such_peer';
    const judgement = this.#filter.judge({ channelId, peer, error, fatal }, kernel.clock.now());
    if (judgement !== 'pass') return 'ignored';
    const cause = errorReason(error);
    const isConnected = connection(decisions.state, peer) !== undefined;
    if (banMs > 0) {
      decisions.apply({ type: 'ban', peer, untilMs: decisions.now + banMs, reason: cause });
      return isConnected ? 'evicting' : 'noted';
    }
    if (isConnected && (fatal || isFull(decisions.state))) {
      decisions.apply({ type: 'errored', peer, cause });
      return 'evicting';
    }
    this.demerit(peer, attribute('report').demerit);
    return 'noted';
  }

  praise(peer: NodeId): void {
    this.#host.liveDecisions?.apply({ type: 'processPeerEvent', peer, status: 'good' });
  }

  demerit(peer: NodeId, weight: number): void {
    if (weight > 0)
      this.#host.liveDecisions?.apply({ type: 'processPeerEvent', peer, status: 'bad', weight });
  }
}
