import { expect } from 'chai';
import { peerOptionFault, peerSettings, type PeerOptions } from '../../../src/core/peer/options.ts';
import { id } from './shorthand.ts';

const COUNTS = [
  'maxConnected',
  'maxConnectedUpgrade',
  'maxPeers',
  'maxOutgoingConnections',
  'maxIncomingConnections',
  'maxPeersPerNetwork',
  'maxDialsPerHost',
  'upgradeMargin',
] as const;
const OTHERS = ['maxAddressesPerPeer', 'addressFailureLimit', 'wrongIdLimit'] as const;
const TIMES = [
  'minRetryMs',
  'maxRetryMs',
  'maxRetryPersistentMs',
  'retryJitterMs',
  'disconnectCooldownMs',
  'inactiveTtlMs',
  'scoreHalfLifeMs',
  'dialTimeoutMs',
] as const;

function rangeFault(options: PeerOptions): boolean {
  return peerOptionFault(options) === 'opt-range';
}

describe('the ranges of options', () => {
  for (const name of [...COUNTS, ...OTHERS, ...TIMES]) {
    it(`${name} is an integer from 0`, () => {
      expect(rangeFault({ [name]: -1 })).to.equal(true);
      expect(rangeFault({ [name]: 0.5 })).to.equal(true);
      expect(rangeFault({ [name]: NaN })).to.equal(true);
      expect(rangeFault({ [name]: Infinity })).to.equal(true);
      expect(rangeFault({ [name]: 0 })).to.equal(false);
      expect(rangeFault({ [name]: 1 })).to.equal(false);
    });
  }

  for (const name of COUNTS) {
    it(`${name} fits 16 bits`, () => {
      expect(rangeFault({ [name]: 65_535 })).to.equal(false);
      expect(rangeFault({ [name]: 65_536 })).to.equal(true);
    });
  }

  for (const name of OTHERS) {
    it(`${name} fits 32 bits`, () => {
      expect(rangeFault({ [name]: 2 ** 32 - 1 })).to.equal(false);
      expect(rangeFault({ [name]: 2 ** 32 })).to.equal(true);
    });
  }

  it('bans remembered are at least one', () => {
    expect([0, 1, 2 ** 31 - 1, 2 ** 31].map((maxBans) => rangeFault({ maxBans }))).to.deep.equal([
      true,
      false,
      false,
      true,
    ]);
  });

  it('the times of flap damping are times', () => {
    const damping = { thresholdMs: 0, maxCooldownMs: 0, forgiveMs: 0 };
    expect(rangeFault({ flapDamping: damping })).to.equal(false);
    for (const name of ['thresholdMs', 'maxCooldownMs', 'forgiveMs'] as const) {
      expect(rangeFault({ flapDamping: { ...damping, [name]: -1 } }), name).to.equal(true);
    }
  });

  it('fixed scores fit 16 bits', () => {
    const scores = [-32_769, -32_768, 32_767, 32_768, 0.5];
    const faults = scores.map((score) => rangeFault({ peerScores: [[id('a'), score]] }));
    expect(faults).to.deep.equal([true, false, false, true, true]);
  });

  it('the growth of waits has two kinds', () => {
    expect(rangeFault({ retryBackoff: 'exponential' })).to.equal(false);
    const unknown = { retryBackoff: 'quadratic' } as object;
    expect(rangeFault(unknown)).to.equal(true);
  });

  it('exempt networks are named by IP addresses', () => {
    expect(peerOptionFault({ exemptNetworks: ['203.0.113.9', '2001:db8::1'] })).to.equal(undefined);
    expect(peerOptionFault({ exemptNetworks: ['203.0'] })).to.equal('opt-network');
  });
});

describe('the settings', () => {
  it('have the defaults of the bare core', () => {
    const { ranking, ...settings } = peerSettings({}) as Exclude<ReturnType<typeof peerSettings>, string>;
    expect(ranking).to.have.keys([
      'score',
      'compareRank',
      'upgradeCandidate',
      'comparePrune',
      'prunesNewcomer',
    ]);
    expect(settings).to.deep.equal({
      persistentPeers: new Set(),
      privatePeers: new Set(),
      maxConnected: 0,
      maxConnectedUpgrade: 0,
      maxPeers: 0,
      maxOutgoingConnections: 0,
      minRetryMs: 0,
      maxRetryMs: 0,
      maxRetryPersistentMs: 0,
      retryJitterMs: 0,
      disconnectCooldownMs: 0,
      peerScores: new Map(),
      selfAddress: undefined,
      maxAddressesPerPeer: 16,
      tieSalt: '',
      maxBans: 10_000,
      protectOutbound: false,
      addressFailureLimit: 0,
      wrongIdLimit: 0,
      upgradeMargin: 0,
      maxIncomingConnections: 0,
      maxPeersPerNetwork: 0,
      maxDialsPerHost: 0,
      exemptNetworks: new Set(),
      inactiveTtlMs: 0,
      scorePersistence: false,
      scoreHalfLifeMs: 0,
      dialTimeoutMs: 0,
      retryBackoff: 'linear',
      flapDamping: undefined,
      scoreByBestAddress: false,
      advertiseVerifiedOnly: false,
    });
  });

  it('are copies: what a caller changes later has no effect', () => {
    const persistentPeers = [id('a')];
    const selfAddress = { protocol: 'TCP', nodeId: id('0'), hostname: 'H', port: 1, path: '' };
    const flapDamping = { thresholdMs: 1, maxCooldownMs: 2, forgiveMs: 3 };
    const settings = peerSettings({ persistentPeers, selfAddress, flapDamping, maxConnected: 2 });
    persistentPeers.push(id('b'));
    selfAddress.hostname = 'other';
    flapDamping.thresholdMs = 9;
    expect(settings).to.deep.include({
      persistentPeers: new Set([id('a')]),
      selfAddress: { protocol: 'tcp', nodeId: id('0'), hostname: 'h', port: 1, path: '' },
      flapDamping: { thresholdMs: 1, maxCooldownMs: 2, forgiveMs: 3 },
    });
  });
});
