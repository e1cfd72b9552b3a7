import type { NodeId } from './node-id.ts';

/** Where and how one peer may be reached. Two addresses are the same only if all five parts are equal. */
export interface NodeAddress {
  /** Lower-case URL scheme. */
  readonly protocol: string;
  readonly nodeId: NodeId;
  /** Host name or IP text without brackets; empty when there is none. */
  readonly hostname: string;
  /** 0 when there is none. */
  readonly port: number;
  /** Empty, or begins with `/`. */
  readonly path: string;
}
