import type { Row } from '../row.ts';

const SIX = ['add m:a', 'add t:a:h', 'add m:b', 'add t:b:h', 'add m:c', 'add t:c:h'];

export const CONSTRUCTION_ROWS: readonly Row[] = [
  {
    no: 'PM-024',
    title: 'without an id of our own there is no table, and no store is touched',
    self: '',
    then: [
      ['construct', 'no-self-id'],
      ['construct absent', 'no-self-id'],
    ],
  },
  {
    no: 'PM-025',
    title: 'our own id must be valid',
    self: 'foo',
    then: [['construct', 'invalid-self-id']],
  },
  {
    no: 'PM-026',
    title: 'a store is needed',
    then: [['construct absent', 'no-store']],
  },
  {
    no: 'PM-027',
    title: 'options are checked before the store',
    options: { Pers: ['foo'] },
    then: [
      ['construct', 'opt-persistent-id'],
      ['construct absent', 'opt-persistent-id'],
      ['construct failing', 'opt-persistent-id'],
    ],
  },
  {
    no: 'PM-028',
    title: 'peers and addresses survive a restart, roles and fixed scores come from the options of today',
    options: { Pers: ['a'], Scores: { b: 1 } },
    given: SIX,
    then: [
      ['scores', 'a:32767 b:1 c:0'],
      ['restart {"Pers":["b"],"Scores":{"c":1}}', 'ok'],
      ['scores', 'b:32767 c:1 a:0'],
      ['addresses a', 'm:a t:a:h'],
      ['addresses b', 'm:b t:b:h'],
      ['addresses c', 'm:c t:c:h'],
    ],
  },
  {
    no: 'PM-029',
    title: 'a stored record of our own is deleted, not just hidden',
    self: 'a',
    given: ['store a m:a', 'store b m:b'],
    then: [
      ['restart', 'ok'],
      ['effects', 'delete:a wakeDial'],
      ['peers', 'b'],
      ['stored', 'b'],
    ],
  },
  {
    no: 'PM-030',
    title: 'failures survive a restart',
    options: { Min: 3_600_000 },
    given: ['add m:a', 'dialNext', 'dialFailed m:a', 'restart'],
    then: [
      ['score a', '-1'],
      ['dialNext', 'none'],
    ],
  },
  {
    no: 'PM-031',
    title: 'the cooldown does not survive a restart',
    options: { Cool: 3_600_000 },
    given: ['add m:a', 'accepted a', 'disconnected a', 'restart'],
    then: [['dialNext', 'm:a']],
  },
  {
    no: 'PM-032',
    title: 'the behaviour score does not survive a restart',
    given: ['add m:a', 'good a x5'],
    then: [
      ['score a', '5'],
      ['restart', 'ok'],
      ['score a', '0'],
    ],
  },
  {
    no: 'PM-033',
    title: 'nobody is dialled, connected or leaving after a restart',
    given: [
      'add m:a',
      'dialNext',
      'accepted b',
      'ready b',
      'accepted c',
      'errored c',
      'accepted d',
      'errored d',
    ],
    then: [
      ['evictNext', 'c'],
      ['restart', 'ok'],
      ['dialing', '-'],
      ['upgrading', '-'],
      ['connected', '-'],
      ['ready', '-'],
      ['evict', '-'],
      ['evicting', '-'],
      ['known', 'a b c d'],
    ],
  },
  {
    no: 'PM-034',
    title: '"never again" lasts through restarts as long as retries are off',
    options: { Min: 0 },
    given: ['add m:a', 'dialNext', 'dialFailed m:a', 'restart'],
    then: [
      ['dialNext', 'none'],
      ['clock +100', 'set'],
      ['restart {"Min":100}', 'ok'],
      ['dialNext', 'm:a'],
    ],
  },
  {
    no: 'PM-035',
    title: 'loading prunes the lowest scored',
    options: { Scores: { a: 1, b: 2, c: 3, d: 4, e: 5 } },
    given: ['add m:a', 'add m:b', 'add m:c', 'add m:d', 'add m:e'],
    then: [
      ['restart {"Max":2,"Peers":2,"Scores":{"a":1,"b":2,"c":3,"d":4,"e":5}}', 'ok'],
      ['effects', 'delete:a delete:b delete:c wakeDial'],
      ['known', 'd e'],
      ['stored', 'd e'],
    ],
  },
  {
    no: 'PM-036',
    title: 'a persistent peer stored as inactive is loaded as active',
    options: { Pers: ['a'] },
    given: ['store a m:a inactive', 'restart'],
    then: [
      ['inactive a', 'false'],
      ['dialNext', 'm:a'],
    ],
  },
  {
    no: 'PM-270',
    title: 'a failing store fails the construction',
    then: [['construct failing', 'StoreError']],
  },
  {
    no: 'PM-268',
    title: 'a stored address with the id of another peer is dropped and reported',
    given: ['store a m:a,m:b', 'restart'],
    then: [
      ['faults', '1'],
      ['addresses a', 'm:a'],
      ['peers', 'a'],
    ],
  },
];
