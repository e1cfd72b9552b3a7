import { expect } from 'chai';
import { AcceptQueue } from '../../src/transports/accept-queue.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import { rejection } from '../support/rejection.ts';

describe('accept queue', () => {
  it('gives items out in order of arrival, to whoever waits first', async () => {
    const queue = new AcceptQueue<string>();
    const waiting = [queue.take(), queue.take()];
    for (const item of ['a', 'b', 'c']) expect(queue.offer(item)).to.equal(true);
    expect(await Promise.all([...waiting, queue.take()])).to.deep.equal(['a', 'b', 'c']);
  });

  it('takes no more than its capacity, beside what somebody waits for', async () => {
    const queue = new AcceptQueue<string>(1);
    const waiting = queue.take();
    expect(['a', 'b', 'c'].map((item) => queue.offer(item))).to.deep.equal([true, true, false]);
    expect([await waiting, await queue.take()]).to.deep.equal(['a', 'b']);
    expect(queue.offer('d')).to.equal(true);
  });

  it('forgets an item that is taken back', async () => {
    const queue = new AcceptQueue<string>();
    queue.offer('a');
    queue.offer('b');
    queue.withdraw('a');
    expect(await queue.take()).to.equal('b');
  });

  it('a failure ends the waiting calls only', async () => {
    const queue = new AcceptQueue<string>();
    const why = new Error('no descriptors left');
    const waiting = rejection(queue.take());
    queue.fail(why);
    expect(await waiting).to.equal(why);
    queue.offer('a');
    expect(await queue.take()).to.equal('a');
  });

  it('ends every call once closed, gives back what nobody took, and takes nothing more', async () => {
    const queue = new AcceptQueue<string>();
    const waiting = p2pRejection(queue.take());
    expect(queue.close()).to.deep.equal([]);
    expect(await waiting).to.include({ code: 'eof' });
    expect(await p2pRejection(queue.take())).to.include({ code: 'eof' });
    expect(queue.offer('late')).to.equal(false);
    const other = new AcceptQueue<string>();
    other.offer('a');
    expect(other.close()).to.deep.equal(['a']);
  });
});
