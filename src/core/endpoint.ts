/** A place a transport can dial: an IP address with port and path, or a path alone (Tendermint v0.35 `Endpoint`). */
export interface Endpoint {
  /** Lower-case URL scheme, for example `mconn` or `memory`. */
  readonly protocol: string;
  /** IP address in text form; empty for an endpoint that is not networked. */
  readonly ip: string;
  /** 0 … 65535; 0 means the transport's default. */
  readonly port: number;
  /** Transport-specific identifier; empty when unused. */
  readonly path: string;
}
