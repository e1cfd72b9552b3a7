import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { keccakP } from '@noble/hashes/sha3.js';
import { Strobe } from '../../src/crypto/strobe.ts';
import { hex, unhex } from '../support/bytes.ts';
import vectors from '../vectors/merlin.json' with { type: 'json' };
import transcripts from '../vectors/session-transcripts.json' with { type: 'json' };

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('STROBE-128', () => {
  it('stands on the Keccak permutation of the vectors', () => {
    const lanes = new Uint32Array(50);
    keccakP(lanes);
    expect(hex(new Uint8Array(lanes.buffer))).to.equal(vectors.keccakF1600.output);
  });

  it('answers the conformance test of its specification', () => {
    const strobe = new Strobe(ascii(vectors.strobeConformance.protocol));
    strobe.metaAd(ascii('ms'), false);
    strobe.metaAd(ascii('g'), true);
    strobe.ad(new Uint8Array(1024).fill(0x63), false);
    strobe.metaAd(ascii('prf'), false);
    const first = strobe.prf(32);
    expect(hex(first)).to.equal(vectors.strobeConformance.ops[4]![2]);
    strobe.metaAd(ascii('key'), false);
    strobe.key(first);
    strobe.metaAd(ascii('prf'), false);
    expect(hex(strobe.prf(32))).to.equal(vectors.strobeConformance.ops[8]![2]);
  });

  it('continues only an operation of the same kind', () => {
    const strobe = new Strobe(ascii('x'));
    strobe.metaAd(ascii('a'), false);
    expect(() => strobe.ad(ascii('b'), true)).to.throw('another kind');
  });

  for (const session of transcripts.sessions) {
    it(`passes through the recorded states of a handshake: ${session.name}`, () => {
      const strobe = new Strobe(unhex(session.transcriptTrace[0]!.data));
      session.transcriptTrace.forEach((row, index) => {
        const data = unhex(row.data);
        if (row.op === 'PRF') expect(hex(strobe.prf(data.length))).to.equal(row.data);
        else if (row.op === 'AD') strobe.ad(data, row.more);
        else if (index > 0) strobe.metaAd(data, row.more);
        expect(strobe.position()).to.deep.equal({ position: row.pos, operationStart: row.posBegin });
        expect(createHash('sha256').update(strobe.state()).digest('hex')).to.equal(row.stateSha256);
      });
    });
  }
});
