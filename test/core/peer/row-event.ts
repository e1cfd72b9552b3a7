/** The lines of the rows as events. */
import type { NodeAddress } from '../../../src/core/node-address.ts';
import type { NodeId } from '../../../src/core/node-id.ts';
import type { PeerEvent } from '../../../src/core/peer/peer-event.ts';
import { address, fullText, id } from './shorthand.ts';

/** The event a line stands for; undefined when it is a question. */
export function eventOf(name: string, args: readonly string[], nowMs: number): PeerEvent | undefined {
  const [first = '', second = '', ...rest] = args;
  switch (name) {
    case 'add':
      return { type: name, address: addressArgument(first), ...addDetails(args.slice(1)) };
    case 'dialFailed':
      return { type: name, address: addressArgument(first), ...failureDetails(args.slice(1)) };
    case 'dialed':
    case 'dial':
    case 'addBootstrap':
      return { type: name, address: addressArgument(first) };
    case 'dialNext':
    case 'evictNext':
      return { type: name };
    case 'accepted':
    case 'disconnected':
    case 'inactivate':
    case 'disconnect':
    case 'unban':
      return { type: name, peer: id(first) };
    case 'ready':
      if (first === '') return undefined;
      return { type: name, peer: id(first), channels: second === '' ? [] : second.split(',').map(Number) };
    case 'errored':
      return {
        type: name,
        peer: id(first),
        cause: 'broken',
        ...(second !== '' && { weight: Number(second) }),
      };
    case 'good':
    case 'bad': {
      const weight = second === '' || second.startsWith('x') ? {} : { weight: Number(second) };
      return { type: 'processPeerEvent', peer: id(first), status: name, ...weight };
    }
    case 'report':
      return { type: 'processPeerEvent', peer: id(first), status: second };
    case 'setHeight':
      return { type: name, peer: id(first), height: Number(second) };
    case 'ban':
      return {
        type: name,
        peer: id(first),
        untilMs: nowMs + Number(second),
        reason: rest.join(' ') || 'spam',
      };
    case 'setPersistent':
      return { type: name, peer: id(first), persistent: second === 'true' };
    default:
      return undefined;
  }
}

/** `configured`, `self-declared` or a digit for the source, and `verified`. */
function addDetails(
  words: readonly string[],
): Pick<Extract<PeerEvent, { type: 'add' }>, 'source' | 'verified'> {
  const source = words.find((word) => word !== 'verified');
  const isRole = source === 'configured' || source === 'self-declared';
  return {
    ...(source !== undefined && { source: isRole ? source : id(source) }),
    ...(words.includes('verified') && { verified: true }),
  };
}

/** `soft`, `after=300`, `x3` for a repetition, anything else for the cause. */
function failureDetails(
  words: readonly string[],
): Omit<Extract<PeerEvent, { type: 'dialFailed' }>, 'type' | 'address'> {
  const after = words.find((word) => word.startsWith('after='));
  const cause = words.find((word) => word !== 'soft' && word !== after && !/^x\d+$/.test(word));
  return {
    ...(cause !== undefined && { cause }),
    ...(after !== undefined && { retryAfterMs: Number(after.slice('after='.length)) }),
    ...(words.includes('soft') && { soft: true }),
  };
}

/** `m:a`, or the parts of an address as JSON without spaces (`_` for a space). */
function addressArgument(text: string): NodeAddress {
  if (!text.startsWith('{')) return address(text);
  const parts = JSON.parse(text) as Partial<Record<keyof NodeAddress, string>>;
  const { protocol = '', nodeId = '', hostname = '', path = '' } = parts;
  const known = {
    protocol,
    nodeId: fullText(nodeId) as NodeId,
    hostname: hostname.replaceAll('_', ' '),
    port: 0,
  };
  return { ...known, path: path === 'ID' ? fullText(nodeId) : path };
}
