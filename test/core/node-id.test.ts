import { expect } from 'chai';
import {
  isNodeId,
  nodeIdBytes,
  nodeIdFault,
  nodeIdFromPublicKey,
  parseNodeId,
} from '../../src/core/node-id.ts';
import { hex, unhex } from '../support/bytes.ts';
import { p2pThrow } from '../support/p2p-throw.ts';
import vectors from '../vectors/identity.json' with { type: 'json' };

const ID = '00112233445566778899aabbccddeeff00112233';

describe('node ids', () => {
  for (const { input, ok, id } of vectors.nodeIdParse_v035.rows) {
    it(`${ok ? 'are read from' : 'are not read from'} ${JSON.stringify(input)}`, () => {
      if (ok) expect(parseNodeId(input)).to.equal(id);
      else expect(p2pThrow(() => parseNodeId(input)).code).to.equal('invalid-node-id');
    });
  }

  for (const { id, ok } of vectors.nodeIdValidate_v035.rows) {
    it(`${ok ? 'include' : 'do not include'} ${JSON.stringify(id)}`, () => {
      expect(isNodeId(id)).to.equal(ok);
    });
  }

  const refused: readonly [string, string, string][] = [
    ['PM-275: no text', '', 'id-empty'],
    ['PM-275: "foo"', 'foo', 'id-length'],
    ['PM-275: 39 digits', ID.slice(1), 'id-length'],
    ['PM-275: a "g" among 40 characters', `${ID.slice(0, 39)}g`, 'id-charset'],
    ['PM-278: 41 digits', `${ID}0`, 'id-length'],
    ['40 characters of more than 40 bytes', 'é'.repeat(40), 'id-length'],
    ['40 bytes of 20 characters', 'é'.repeat(20), 'id-charset'],
    ['a line feed behind 39 digits', `${ID.slice(1)}\n`, 'id-charset'],
  ];
  for (const [title, text, fault] of refused) {
    it(`${title} is refused as ${fault}`, () => {
      expect(nodeIdFault(text)).to.equal(fault);
      expect(p2pThrow(() => parseNodeId(text))).to.include({ code: 'invalid-node-id', reason: fault });
    });
  }

  it('PM-276: are read in either case and kept in lower case', () => {
    expect(parseNodeId(ID.toUpperCase())).to.equal(ID);
  });

  it('PM-277: in upper case are refused where nothing is normalised', () => {
    expect(nodeIdFault(ID.toUpperCase())).to.equal('id-charset');
  });

  it('PM-279: are the first 20 bytes of the hash of the public key', () => {
    expect(nodeIdFromPublicKey(unhex(vectors.keys[0]!.publicKey))).to.equal(
      '045f5600654182cfeaccfe6cb19f0642e8a59898',
    );
  });

  for (const { label, publicKey, nodeId } of vectors.keys) {
    it(`have the values of the vectors: ${label}`, () => {
      expect(nodeIdFromPublicKey(unhex(publicKey))).to.equal(nodeId);
    });
  }

  const bytes: readonly [string, string | undefined][] = [
    ['', ''],
    ['01f0', '01f0'],
    ['01F0', '01f0'],
    ['01F', undefined],
    ['01g0', undefined],
  ];
  for (const [text, result] of bytes) {
    it(`PM-280: the bytes of ${JSON.stringify(text)} are ${result === undefined ? 'an error' : `"${result}"`}`, () => {
      if (result !== undefined) expect(hex(nodeIdBytes(text))).to.equal(result);
      else expect(p2pThrow(() => nodeIdBytes(text)).code).to.equal('invalid-node-id');
    });
  }
});
