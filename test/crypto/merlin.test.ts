import { expect } from 'chai';
import { MerlinTranscript } from '../../src/crypto/merlin.ts';
import { hex, pattern } from '../support/bytes.ts';
import vectors from '../vectors/merlin.json' with { type: 'json' };

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('Merlin transcripts', () => {
  it('give the simple answer of other implementations', () => {
    const { protocol, append, challengeLabel, challenge } = vectors.transcriptSimple;
    const transcript = new MerlinTranscript(protocol);
    for (const [label, message] of append) transcript.append(label!, ascii(message!));
    expect(hex(transcript.challenge(challengeLabel, challenge.length / 2))).to.equal(challenge);
  });

  it('give the 32 chained answers of other implementations', () => {
    const transcript = new MerlinTranscript(vectors.transcriptComplex.protocol);
    transcript.append('step1', ascii('some data'));
    for (const answer of vectors.transcriptComplex.challenges) {
      const challenge = transcript.challenge('challenge', 32);
      expect(hex(challenge)).to.equal(answer);
      transcript.append('bigdata', new Uint8Array(1024).fill(0x63));
      transcript.append('challengedata', challenge);
    }
  });

  for (const { dataLength, challenge } of vectors.rateBoundaryAppend.rows) {
    it(`take ${dataLength} bytes, around the edges of the permutation`, () => {
      const transcript = new MerlinTranscript(vectors.rateBoundaryAppend.protocol);
      transcript.append(vectors.rateBoundaryAppend.appendLabel, pattern(dataLength));
      expect(hex(transcript.challenge(vectors.rateBoundaryAppend.challengeLabel, 32))).to.equal(challenge);
    });
  }

  for (const { n, output } of vectors.challengeLengths.rows) {
    it(`draw ${n} bytes`, () => {
      const transcript = new MerlinTranscript(vectors.challengeLengths.protocol);
      transcript.append('l', ascii('x'));
      expect(hex(transcript.challenge(vectors.challengeLengths.challengeLabel, n))).to.equal(output);
    });
  }
});
