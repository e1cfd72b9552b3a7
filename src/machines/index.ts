/** The statecharts, complete without I/O. */
export { acceptorMachine, type AcceptorEvent, type AcceptorInput } from './acceptor.machine.ts';
export { channelMachine, type ChannelEvent, type ChannelInput } from './channel.machine.ts';
export { dialerMachine, type DialerEvent, type DialerInput } from './dialer.machine.ts';
export { peerMachine, type PeerEvent, type PeerInput } from './peer.machine.ts';
export { pexMachine, type PexEvent } from './pex.machine.ts';
export { routerMachine, type RouterEvent, type RouterInput } from './router.machine.ts';
