import { expect } from 'chai';
import { parseNodeAddress } from '../../src/core/node-address.ts';
import type { PeerRecord } from '../../src/core/peer/peer-record.ts';
import type { PeerStore } from '../../src/store/peer-store.ts';
import { p2pRejection } from '../support/p2p-rejection.ts';
import { ban, digits, listen, loadClean, nodeId, peerRecord, put } from './store-support.ts';

/** One place where a store may be; what stores wrote there stays until `remove`. */
export interface StorePlace {
  /** A store on this place; several may exist, and only one be open. */
  store(): PeerStore;
  remove(): Promise<void>;
}

/** What every peer store does, tested on a new place each time. */
export function describePeerStore(kind: string, makePlace: () => Promise<StorePlace>): void {
  describe(`the ${kind} peer store`, () => {
    let place: StorePlace;
    let store: PeerStore;

    beforeEach(async () => {
      place = await makePlace();
      store = place.store();
      await store.open();
    });

    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    /** Closes the store and opens another on the same place. */
    async function restart(): Promise<void> {
      await store.close();
      store = place.store();
      await store.open();
    }

    it('has a name and is empty at first', async () => {
      expect(store.name).to.not.equal('');
      expect(await loadClean(store)).to.deep.equal({ records: [], bans: [], faults: [] });
    });

    it('gives back what was written, in the order of the ids, also after a restart', async () => {
      const inactive = peerRecord('b', { inactive: true, mutableScore: -7 });
      const addresses = [
        {
          address: parseNodeAddress(`mconn://${nodeId('a')}@[::1]:26656`),
          lastDialSuccessMs: 5,
          dialFailures: 0,
          source: nodeId('c'),
          firstSeenMs: 4,
          tried: true,
        },
      ];
      const detailed = peerRecord('a', { addresses });
      store.write([put(inactive), put(detailed), { type: 'putBan', ban: ban('d') }]);
      await store.flush();
      const expected = { records: [detailed, inactive], bans: [ban('d')], faults: [] };
      expect(await store.load()).to.deep.equal(expected);
      await restart();
      expect(await store.load()).to.deep.equal(expected);
    });

    it('keeps peers and bans of one id apart', async () => {
      store.write([put(peerRecord('a')), { type: 'putBan', ban: ban('a') }]);
      store.write([{ type: 'delete', peer: nodeId('a') }]);
      await store.flush();
      expect(await loadClean(store)).to.deep.equal({ records: [], bans: [ban('a')], faults: [] });
      store.write([put(peerRecord('a')), { type: 'deleteBan', peer: nodeId('a') }]);
      await store.flush();
      expect(await loadClean(store)).to.deep.equal({ records: [peerRecord('a')], bans: [], faults: [] });
    });

    it('applies the changes of a key in order, however they fall into batches', async () => {
      for (let round = 0; round < 50; round++) {
        store.write([put(peerRecord('a', { lastConnectedMs: round }))]);
        store.write([put(peerRecord('b')), { type: 'delete', peer: nodeId('b') }]);
        store.write([{ type: 'delete', peer: nodeId('c') }, put(peerRecord('c'))]);
        if (round % 7 === 0) await store.flush();
      }
      await store.flush();
      const { records } = await loadClean(store);
      expect(records).to.deep.equal([peerRecord('a', { lastConnectedMs: 49 }), peerRecord('c')]);
    });

    it('PM-274 does not bring back a peer that was deleted', async () => {
      store.write([put(peerRecord('a')), put(peerRecord('b'))]);
      await store.flush();
      store.write([{ type: 'delete', peer: nodeId('a') }]);
      await restart();
      expect(digits(await loadClean(store))).to.equal('b');
    });

    it('writes everything before it is closed', async () => {
      for (const digit of '0123456789abcdef') store.write([put(peerRecord(digit))]);
      await restart();
      expect(digits(await loadClean(store))).to.equal('0123456789abcdef');
    });

    it('PM-272 gives out records that nobody else holds', async () => {
      const mine = structuredClone(peerRecord('a')) as { -readonly [K in keyof PeerRecord]: PeerRecord[K] };
      store.write([put(mine)]);
      await store.flush();
      mine.inactive = true;
      const first = await loadClean(store);
      expect(first.records).to.deep.equal([peerRecord('a')]);
      (first.records[0] as typeof mine).inactive = true;
      expect((await loadClean(store)).records).to.deep.equal([peerRecord('a')]);
    });

    it('reports a record that cannot be encoded and writes the others', async () => {
      const faults = listen(store);
      store.write([put(peerRecord('a', { lastConnectedMs: NaN })), put(peerRecord('b'))]);
      await store.flush();
      expect(faults.map(({ code, key }) => [code, key])).to.deep.equal([['write-failed', nodeId('a')]]);
      expect(digits(await loadClean(store))).to.equal('b');
    });

    it('cannot be opened twice at a time', async () => {
      for (const other of [store, place.store()]) {
        expect(await p2pRejection(other.open())).to.include({ code: 'store-locked' });
      }
      store.write([put(peerRecord('a'))]);
      await store.flush();
      expect(digits(await loadClean(store))).to.equal('a');
    });

    it('can be opened again right after it was closed, and while it closes', async () => {
      for (let round = 0; round < 3; round++) {
        store.write([put(peerRecord(String(round)))]);
        const closing = store.close();
        await store.open();
        await closing;
      }
      expect(digits(await loadClean(store))).to.equal('012');
    });

    it('may be closed many times, also when it was never opened', async () => {
      await Promise.all([store.close(), store.close()]);
      await store.close();
      await place.store().close();
    });

    it('closes in the middle of opening', async () => {
      await store.close();
      const opening = store.open();
      await store.close();
      await opening;
      expect(await p2pRejection(store.load())).to.include({ code: 'store-failed' });
    });

    it('refuses to work while it is closed', async () => {
      await store.close();
      const faults = listen(store);
      expect(await p2pRejection(store.load())).to.include({ code: 'store-failed' });
      expect(await p2pRejection(store.flush())).to.include({ code: 'store-failed' });
      store.write([put(peerRecord('a')), { type: 'deleteBan', peer: nodeId('b') }]);
      expect(faults.map(({ code, key }) => [code, key])).to.deep.equal([
        ['write-failed', nodeId('a')],
        ['write-failed', nodeId('b')],
      ]);
    });

    it('survives a listener that throws', async () => {
      store.onFault = () => {
        throw new Error('listener');
      };
      store.write([put(peerRecord('a', { lastConnectedMs: NaN })), put(peerRecord('b'))]);
      await store.flush();
      expect(digits(await loadClean(store))).to.equal('b');
    });
  });
}
