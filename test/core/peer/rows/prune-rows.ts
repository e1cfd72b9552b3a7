import type { Row } from '../row.ts';

export const PRUNE_ROWS: readonly Row[] = [
  {
    no: 'PM-216',
    title: 'a peer that is being dialled is not pruned',
    options: { Peers: 3, Max: 1, Scores: { a: 1, b: 2, c: 3, d: 4 } },
    given: ['add m:a', 'dialNext', 'add m:b', 'add m:c'],
    then: [
      ['dialing', 'a'],
      ['add m:d', 'added'],
      ['known', 'a c d'],
    ],
  },
  {
    no: 'PM-217',
    title: 'a connected peer is not pruned',
    options: { Peers: 3, Max: 3, Scores: { a: 1, b: 2, c: 3, d: 4 } },
    given: ['accepted a', 'add m:b', 'add m:c'],
    then: [
      ['add m:d', 'added'],
      ['known', 'a c d'],
    ],
  },
  {
    no: 'PM-218',
    title: 'a newcomer is refused when nobody else may go',
    options: { Peers: 2, Max: 2 },
    given: ['accepted a', 'accepted b'],
    then: [
      ['add m:c', 'store-full'],
      ['known', 'a b'],
    ],
  },
  {
    no: 'PM-219',
    title: 'accepts prune too, and of equals the larger id goes',
    options: { Peers: 3, Max: 1, Scores: { b: 1, c: 1, d: 1 } },
    given: ['add m:a', 'dialNext', 'add m:b', 'add m:c'],
    then: [
      ['accepted d', 'ok'],
      ['effects', 'put:d delete:c wakeDial'],
      ['known', 'a b d'],
      ['dialFailed m:a', 'ok'],
      ['known', 'a b d'],
    ],
  },
  {
    no: 'PM-220',
    title: 'of equals a peer that was once connected is kept',
    options: { Peers: 2, Max: 2, Scores: { c: 1 } },
    given: ['add m:a', 'accepted a', 'disconnected a', 'add m:b'],
    then: [
      ['add m:c', 'added'],
      ['known', 'a c'],
    ],
  },
  {
    no: 'PM-221',
    title: 'without a limit nobody is pruned',
    given: ['add m:a', 'add m:b', 'add m:c', 'add m:d', 'add m:e', 'add m:f'],
    then: [['known', 'a b c d e f']],
  },
  {
    no: 'PM-222',
    title: 'a persistent peer is not pruned, whatever its fixed score',
    options: { Peers: 2, Max: 2, Pers: ['a'], Scores: { a: 1, b: 5, c: 6 } },
    given: ['add m:a', 'add m:b', 'add m:c'],
    then: [['known', 'a c']],
  },
];
