import { expect } from 'chai';
import { ConnectionMessages, ScriptedTransport, SimulatedClock } from '../../src/testing/index.ts';
import { P2PError } from '../../src/index.ts';
import type { ConnectionDuplex, ConnectionEnd } from '../../src/transports/index.ts';
import { identityOf, nodeInfoOf } from '../support/nodes.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import { remoteOf } from '../support/scripted-router.ts';

const alice = identityOf('alice');
const local = { identity: alice, nodeInfo: nodeInfoOf(alice) };
const endpoint = { protocol: 'scripted', ip: '10.0.0.7', port: 1, path: '' };
const quiet = new AbortController().signal;

function bench(): { readonly clock: SimulatedClock; readonly transport: ScriptedTransport } {
  const clock = new SimulatedClock();
  return { clock, transport: new ScriptedTransport(clock) };
}

/** A duplex that has nothing to send and keeps what it gets. */
class Sink implements ConnectionDuplex {
  readonly delivered: (readonly [number, number])[] = [];
  readonly ends: ConnectionEnd[] = [];

  pull(): boolean {
    return false;
  }

  receiveLimit(channelId: number): number | undefined {
    return channelId === 1 ? 10 : undefined;
  }

  deliver(channelId: number, message: Uint8Array): void {
    this.delivered.push([channelId, message.length]);
  }

  closed(end: ConnectionEnd): void {
    this.ends.push(end);
  }
}

describe('a scripted transport', () => {
  it('accepts what is offered, in order, and then the end', async () => {
    const { transport } = bench();
    expect((await p2pRejection(transport.accept())).code).to.equal('not-listening');
    await transport.listen();
    const connection = transport.connection();
    const emfile = new P2PError('internal', 'EMFILE');
    transport.offer(emfile, connection, transport.connection());
    expect(await p2pRejection(transport.accept())).to.equal(emfile);
    expect(await transport.accept()).to.equal(connection);
    expect(transport.unused).to.deep.equal(['accept']);
    transport.endListening();
    expect((await p2pRejection(transport.accept())).code).to.equal('eof');
    expect([transport.accepts, transport.endpoints()]).to.deep.equal([4, []]);
  });

  it('ends an accept that waits when it is closed', async () => {
    const { transport } = bench();
    await transport.listen();
    const accepting = transport.accept();
    await transport.close();
    expect((await p2pRejection(accepting)).code).to.equal('eof');
    expect([transport.closes, transport.isListening]).to.deep.equal([1, false]);
  });

  it('answers dials as it is told, refuses the others, and logs all', async () => {
    const { transport } = bench();
    const connection = transport.connection();
    transport.answerDials('scripted://10.0.0.7:1', connection, new P2PError('eof', 'no'));
    expect(await transport.dial(endpoint, quiet)).to.equal(connection);
    expect((await p2pRejection(transport.dial(endpoint, quiet))).code).to.equal('eof');
    expect((await p2pRejection(transport.dial(endpoint, quiet))).reason).to.equal('ECONNREFUSED');
    expect(transport.dials.map((dial) => dial.endpoint)).to.deep.equal(
      Array.from({ length: 3 }, () => 'scripted://10.0.0.7:1'),
    );
    transport.answerDials('scripted://10.0.0.8:1', 'hang');
    expect(transport.unused).to.deep.equal(['dial scripted://10.0.0.8:1']);
  });

  it('lets a dial hang until it is answered or given up, and even longer when it is stubborn', async () => {
    const { transport } = bench();
    transport.answerOtherDials('hang');
    const reason = new P2PError('aborted', 'given up');
    const abort = new AbortController();
    const dialing = transport.dial(endpoint, abort.signal);
    expect(transport.pendingDials).to.have.length(1);
    abort.abort(reason);
    expect(await p2pRejection(dialing)).to.equal(reason);
    expect(transport.pendingDials).to.deep.equal([]);

    transport.stubborn = true;
    const again = new AbortController();
    const stubborn = transport.dial(endpoint, again.signal);
    again.abort(reason);
    const late = transport.connection();
    transport.dials.at(-1)!.answer(late);
    expect(await stubborn).to.equal(late);
  });

  it('listens late, or not at all', async () => {
    const late = bench().transport;
    late.scriptListen('held');
    const listening = late.listen();
    expect(late.isListening).to.equal(false);
    late.releaseListen();
    await listening;
    expect(late.isListening).to.equal(true);

    const never = bench().transport;
    const error = new P2PError('listen-failed', 'in use');
    never.scriptListen(error);
    expect(await p2pRejection(never.listen())).to.equal(error);
  });
});

describe('a scripted connection', () => {
  it('holds the handshake until it is released, aborted, or the connection ends', async () => {
    const { transport } = bench();
    const released = transport.connection();
    const shaking = released.handshake(local, quiet);
    await Promise.resolve();
    expect([released.isHandshaking, released.local]).to.deep.equal([true, local]);
    released.releaseHandshake(remoteOf(alice));
    expect((await shaking).publicKey).to.equal(alice.publicKey);
    expect(released.isHandshaking).to.equal(false);

    const reason = new P2PError('aborted', 'enough');
    const abort = new AbortController();
    const aborted = transport.connection().handshake(local, abort.signal);
    abort.abort(reason);
    expect(await p2pRejection(aborted)).to.equal(reason);

    const ended = transport.connection();
    const ending = ended.handshake(local, quiet);
    ended.end();
    expect((await p2pRejection(ending)).code).to.equal('eof');
  });

  it('delivers, ends and breaks as told, once', async () => {
    const { clock, transport } = bench();
    const connection = transport.connection({ handshake: remoteOf(alice) });
    await connection.handshake(local, quiet);
    connection.deliver(1, new Uint8Array(3));
    const sink = new Sink();
    connection.start(sink);
    await clock.advance(5);
    connection.deliver(1, new Uint8Array(4));
    expect(sink.delivered).to.deep.equal([
      [1, 3],
      [1, 4],
    ]);
    expect(connection.status()).to.deep.equal({ bytesSent: 0, bytesReceived: 7, lastReceivedAt: 5 });
    connection.deliver(1, new Uint8Array(11));
    connection.end();
    await clock.advance(0);
    expect(sink.ends.map(({ by, error }) => [by, error?.code])).to.deep.equal([
      ['fault', 'message-too-large'],
    ]);
  });

  it('breaks on a message for a channel that is not open', async () => {
    const { clock, transport } = bench();
    const connection = transport.connection();
    const sink = new Sink();
    connection.start(sink);
    connection.deliver(2, new Uint8Array(1));
    await clock.advance(0);
    expect(sink.ends[0]?.error?.reason).to.equal('unknown-channel');
  });

  it('pulls what is to be sent, but nothing while it is stalled', async () => {
    const { clock, transport } = bench();
    const connection = transport.connection();
    const messages = new ConnectionMessages(connection, { channels: new Map([[1, 10]]), queueMessages: 9 });
    messages.trySend(1, new Uint8Array([1]));
    await clock.advance(0);
    connection.stall();
    messages.trySend(1, new Uint8Array([2]));
    const flushing = messages.flushClose();
    await clock.advance(0);
    expect(connection.sentOn(1)).to.deep.equal([new Uint8Array([1])]);
    connection.resume();
    await clock.complete(flushing);
    expect(connection.sentOn(1)).to.have.length(2);
    expect(connection.ended).to.deep.equal({ by: 'local' });
    expect(connection.count('flushClose')).to.equal(1);
  });

  it('throws where it is told to', () => {
    const { transport } = bench();
    const connection = transport.connection();
    connection.throwFrom('wake', new Error('broken'));
    expect(() => connection.wake()).to.throw('broken');
    expect(connection.calls).to.deep.equal(['wake']);
  });
});
