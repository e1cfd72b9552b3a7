import type { Row } from '../row.ts';

export const QUERY_ROWS: readonly Row[] = [
  { no: 'PM-237', title: 'an unknown peer has no addresses', then: [['addresses a', '-']] },
  {
    no: 'PM-238',
    title: 'peers are listed in rank order',
    options: { Scores: { a: 2 } },
    given: ['add m:b', 'add m:a'],
    then: [['peers', 'a b']],
  },
  {
    no: 'PM-239',
    title: 'the ratio of known peers',
    options: { Peers: 4, Max: 2 },
    given: ['add m:a', 'add m:b', 'add m:c'],
    then: [['ratio', '0.75']],
  },
  { no: 'PM-240', title: 'without a limit the ratio is 0', given: ['add m:a'], then: [['ratio', '0']] },
  {
    no: 'PM-241',
    title: 'all slots taken is full',
    options: { Max: 1 },
    given: ['accepted a'],
    then: [['isFull', 'true']],
  },
  {
    no: 'PM-242',
    title: 'a slot left is not full',
    options: { Max: 2 },
    given: ['accepted a'],
    then: [['isFull', 'false']],
  },
  {
    no: 'PM-243',
    title: 'without a limit nothing is full',
    given: ['accepted a', 'add m:b', 'dialNext', 'dialed m:b'],
    then: [
      ['isFull', 'false'],
      ['isOutgoingFull', 'false'],
    ],
  },
  {
    no: 'PM-084',
    title: 'all outgoing slots taken is full',
    options: { Max: 2, Out: 1 },
    given: ['accepted a', 'add m:b', 'dialNext'],
    then: [
      ['isOutgoingFull', 'false'],
      ['dialed m:b', 'ok'],
      ['isOutgoingFull', 'true'],
    ],
  },
  {
    no: 'PM-244',
    title: 'an unknown peer cannot be inactive',
    then: [
      ['inactivate a', 'ignored'],
      ['peers', '-'],
      ['stored', '-'],
    ],
  },
  {
    no: 'PM-245',
    title: 'inactivity survives a restart',
    given: ['add m:a'],
    then: [
      ['inactivate a', 'ok'],
      ['effects', 'put:a'],
      ['restart', 'ok'],
      ['add t:a:x', 'inactive'],
    ],
  },
  {
    no: 'PM-246',
    title: 'a persistent peer is never inactive',
    options: { Pers: ['a'] },
    given: ['add m:a'],
    then: [
      ['inactivate a', 'ignored'],
      ['add t:a:x', 'added'],
      ['dialNext', 'm:a'],
    ],
  },
  {
    no: 'PM-247',
    title: 'inactivity changes neither rank nor score',
    given: ['add m:a', 'add m:b', 'inactivate a'],
    then: [
      ['peers', 'a b'],
      ['score a', '0'],
    ],
  },
  {
    no: 'PM-248',
    title: 'a height makes no peer known',
    then: [
      ['setHeight b 7', 'ignored'],
      ['getHeight b', '0'],
      ['peers', '-'],
    ],
  },
  {
    no: 'PM-249',
    title: 'a height does not survive a restart',
    given: ['add m:a'],
    then: [
      ['getHeight a', '0'],
      ['setHeight a 3', 'set'],
      ['getHeight a', '3'],
      ['restart', 'ok'],
      ['getHeight a', '0'],
    ],
  },
  {
    no: 'PM-250',
    title: 'an accept wakes the dialer',
    given: ['add m:a'],
    then: [
      ['accepted a', 'ok'],
      ['effects', 'put:a wakeDial'],
    ],
  },
  {
    no: 'PM-251',
    title: 'a refused accept wakes nobody',
    options: { Max: 1 },
    given: ['accepted a'],
    then: [
      ['accepted b', 'MaxConnected'],
      ['effects', 'nothing'],
    ],
  },
  {
    no: 'PM-252',
    title: 'an error of an unknown peer wakes nobody',
    then: [
      ['errored a', 'ignored'],
      ['effects', 'nothing'],
    ],
  },
  {
    no: 'PM-253',
    title: 'bad behaviour of a connected peer opens an upgrade',
    options: { Max: 1, Up: 1 },
    given: ['accepted a', 'add m:b', 'bad b'],
    then: [
      ['bad a', 'scored'],
      ['effects', 'wakeDial'],
      ['dialNext', 'none'],
      ['bad a', 'scored'],
      ['effects', 'wakeDial'],
      ['dialNext', 'm:b claiming a'],
    ],
  },
  {
    no: 'PM-254',
    title: 'good behaviour of a connected peer opens nothing',
    given: ['accepted a'],
    then: [
      ['good a', 'scored'],
      ['effects', 'nothing'],
    ],
  },
  {
    no: 'PM-255',
    title: 'good behaviour of a peer that is not connected may open an upgrade',
    given: ['add m:b'],
    then: [
      ['good b', 'scored'],
      ['effects', 'wakeDial'],
    ],
  },
  {
    no: 'PM-256',
    title: 'an error makes room for another peer',
    options: { Max: 2, Up: 1 },
    given: ['accepted a', 'accepted b', 'add m:c'],
    then: [
      ['errored a', 'ok'],
      ['effects', 'wakeDial wakeEvict'],
      ['dialNext', 'm:c'],
    ],
  },
  {
    no: 'PM-271',
    title: 'memory has what was added, whatever becomes of the write',
    shell: 'reporting a failed write and repeating it',
    then: [
      ['add m:a', 'added'],
      ['effects', 'put:a wakeDial'],
      ['addresses a', 'm:a'],
    ],
  },
  {
    no: 'PM-273',
    title: 'a disconnect writes nothing',
    given: ['add m:a', 'accepted a'],
    then: [
      ['disconnected a', 'ok'],
      ['effects', 'wakeDial'],
    ],
  },
  {
    no: 'PM-274',
    title: 'a pruned peer is gone from the store',
    options: { Peers: 1, Max: 1, Scores: { b: 1 } },
    given: ['add m:a'],
    then: [
      ['add m:b', 'added'],
      ['stored', 'b'],
      ['restart', 'ok'],
      ['peers', 'b'],
    ],
  },
];
