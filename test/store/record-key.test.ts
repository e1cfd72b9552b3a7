import { expect } from 'chai';
import { keyText, quarantineKey, recordKey, recordKeyId } from '../../src/store/record-key.ts';
import { nodeId } from './store-support.ts';

describe('the key of a record', () => {
  it('PM-261 is the kind, the id and an end mark', () => {
    expect(keyText(recordKey('peer', 'ab'))).to.equal('8161620001');
    expect(keyText(recordKey('peer', ''))).to.equal('810001');
    expect(keyText(recordKey('ban', 'ab'))).to.equal('8261620001');
  });

  it('has 43 bytes for a node id and sorts as the ids do', () => {
    const keys = '0123456789abcdef'.split('').map((digit) => keyText(recordKey('peer', nodeId(digit))));
    expect(new Set(keys.map((key) => key.length))).to.deep.equal(new Set([86]));
    expect([...keys].sort()).to.deep.equal(keys);
    for (const key of keys) expect(key > '810001' && key < '81ffff').to.equal(true);
  });

  it('escapes the byte 00 within an id', () => {
    expect(keyText(recordKey('peer', 'a\u0000b'))).to.equal('816100ff620001');
  });

  it('gives back the node id', () => {
    expect(recordKeyId(recordKey('peer', nodeId('a')))).to.equal(nodeId('a'));
    expect(recordKeyId(recordKey('ban', nodeId('f')))).to.equal(nodeId('f'));
  });

  it('gives back nothing when it holds no node id', () => {
    const key = recordKey('peer', nodeId('a'));
    const others = [
      new Uint8Array(0),
      Uint8Array.of(0x81, 0, 1),
      key.subarray(0, 42),
      recordKey('peer', 'ab'),
    ];
    for (const other of others) expect(recordKeyId(other)).to.equal(undefined);
    expect(recordKeyId(recordKey('peer', 'A'.repeat(40)))).to.equal(undefined);
  });

  it('stands whole in the key of its quarantine', () => {
    expect(keyText(quarantineKey(recordKey('peer', 'ab')))).to.equal('838161620001');
  });
});
