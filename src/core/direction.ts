/** Who started a connection: the remote node (`inbound`) or this one (`outbound`). */
export type Direction = 'inbound' | 'outbound';
